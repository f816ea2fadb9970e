package applog

import (
	"context"
	"slices"
	"sync"
	"time"
)

// settle is how long a line that has just arrived waits for earlier ones of other logs: what two nodes send at the same
// time arrives at different times.
const settle = 300 * time.Millisecond

// Live follows logs that come and go, and gives their lines as one, in the order of time as far as they arrive together.
type Live struct {
	reader  Reader
	lines   chan Line
	readers sync.WaitGroup
}

// NewLive returns one that follows no log yet.
func NewLive(reader Reader) *Live {
	return &Live{reader: reader, lines: make(chan Line, 256)}
}

// Add follows one more log, from where cursor is, until it ends or ctx does.
func (l *Live) Add(ctx context.Context, source Source, bounds Bounds, cursor *Cursor) {
	l.readers.Go(func() {
		l.reader.Follow(ctx, source, bounds, cursor, func(line Line) {
			select {
			case l.lines <- line:
			case <-ctx.Done():
			}
		})
	})
}

// Close waits for the logs that were added, and ends Run then. No log may be added any more.
func (l *Live) Close() {
	l.readers.Wait()
	close(l.lines)
}

// Run gives lines until Close has ended, in one goroutine.
func (l *Live) Run(take func(Line)) {
	var held []Line
	var timer <-chan time.Time
	flush := func() {
		slices.SortStableFunc(held, func(a, b Line) int { return a.At.Compare(b.At) })
		for _, line := range held {
			take(line)
		}
		held, timer = held[:0], nil
	}
	for {
		select {
		case line, ok := <-l.lines:
			if !ok {
				flush()
				return
			}
			held = append(held, line)
			if timer == nil {
				timer = time.After(settle)
			}
		case <-timer:
			flush()
		}
	}
}
