package simulation

import (
	"container/heap"
	"time"
)

// kind is what happens by itself.
type kind int

const (
	jobDone kind = iota
	jobOverran
	executorsLeft
)

// event is something that will happen, unless its attempt is over before, or its version is not the last any more.
type event struct {
	at               time.Duration
	number           int // those of one time happen in the order in which they were foreseen
	kind             kind
	job              *job
	attempt, version int
	count            int64
}

// events is what will happen, by time.
type events struct {
	all    eventHeap
	number int
}

func (e *events) add(one event) {
	e.number++
	one.number = e.number
	heap.Push(&e.all, one)
}

func (e *events) next() (time.Duration, bool) {
	if len(e.all) == 0 {
		return 0, false
	}
	return e.all[0].at, true
}

// forget drops the next events as long as they are of what is over.
func (e *events) forget() {
	for len(e.all) > 0 && e.all[0].over() {
		heap.Pop(&e.all)
	}
}

func (e *event) over() bool {
	return e.attempt != e.job.attempt || (e.kind == jobDone && e.version != e.job.version)
}

func (e *events) take() event { return heap.Pop(&e.all).(event) }

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].number < h[j].number
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(one any) { *h = append(*h, one.(event)) }
func (h *eventHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
