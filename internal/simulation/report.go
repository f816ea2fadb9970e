package simulation

import (
	"maps"
	"math"
	"slices"
	"time"

	"brazier.sh/brazier/internal/queue"
)

// Result is what came of a simulation. Times are in seconds, and parts are of 1.
type Result struct {
	Engine string `json:"engine"`
	// Window is for how long use and fairness were measured, from the first application on, and End when the last ended.
	Window float64 `json:"window"`
	End    float64 `json:"end"`
	Rounds int     `json:"rounds"`
	// Queues are the root, which is all of them, and the others, each with its parts, from top to bottom.
	Queues   []Figures `json:"queues"`
	Fairness Fairness  `json:"fairness"`
	// Used are the parts of the cluster's resources that were used, in equal parts of the window.
	Used map[string][]float64 `json:"usedOverTime"`
}

// Figures are those of a queue and its parts.
type Figures struct {
	Queue string `json:"queue"`
	// Depth is how many queues it is part of.
	Depth        int `json:"depth"`
	Applications int `json:"applications"`
	// Ended is how many were done, Overran how many were ended as they took longer than they had declared, Refused how many
	// were not let in, and Unfinished how many still waited or ran when nothing more could happen.
	Ended      int                  `json:"ended"`
	Overran    int                  `json:"overran,omitempty"`
	Refused    map[queue.Reason]int `json:"refused,omitempty"`
	Unfinished int                  `json:"unfinished,omitempty"`
	// Waiting is how long those that have ended waited to be let in, and Turnaround how long it took from their submission to their end.
	Waiting    Distribution `json:"waiting"`
	Turnaround Distribution `json:"turnaround"`
	// Used is the part of the cluster's resources that was used in the window, and Dominant the largest of them at each time.
	Used     map[string]float64 `json:"used"`
	Dominant float64            `json:"dominant"`
	// Guarantee is when there was less than is guaranteed, though it was wanted.
	Guarantee Violation `json:"guarantee"`
	// Reclaimed is how many executors were taken back, by what for, and Stopped how many whole applications.
	Reclaimed map[queue.Ground]int64 `json:"reclaimed,omitempty"`
	Stopped   int                    `json:"stopped,omitempty"`
	// Lost is executor-seconds of work that was done in vain, and HandedOver those that executors handed over in.
	Lost       float64 `json:"lost,omitempty"`
	HandedOver float64 `json:"handedOver,omitempty"`
	// Shares and WaitingOverTime are the dominant share and how many waited, in equal parts of the window.
	Shares          []float64 `json:"shares"`
	WaitingOverTime []float64 `json:"waitingOverTime"`
}

// Distribution is of lengths of time.
type Distribution struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	Max  float64 `json:"max"`
}

// Violation is for how long, at most at one go, and by how much a queue had less than its guarantee, beyond the time that it
// takes to hand executors over.
type Violation struct {
	Time     float64 `json:"time"`
	Longest  float64 `json:"longest"`
	CPUHours float64 `json:"cpuHours"`
}

// Fairness is Jain's index: its mean over the time in which several queues wanted something, what it was at least for 95
// percent of that time, and the index over the window.
type Fairness struct {
	Mean     float64   `json:"mean"`
	P5       float64   `json:"p5"`
	OverTime []float64 `json:"overTime"`
}

// result makes the report.
func (r *run) result() *Result {
	res := &Result{
		Engine: r.name, Window: r.window.Seconds(), End: round(r.lastEnd.Seconds()), Rounds: r.rounds,
		Fairness: Fairness{Mean: 1, P5: round(r.jain.atLeast(0.95)), OverTime: rounded(r.jain.series.means())},
		Used:     map[string][]float64{},
	}
	if r.jain.time > 0 {
		res.Fairness.Mean = round(r.jain.sum / r.jain.time.Seconds())
	}
	for i, name := range r.Tree.Resources {
		if r.all[i] > 0 {
			res.Used[name] = rounded(r.total.uses[i].means())
		}
	}
	r.total.figures(0, &res.Queues)
	return res
}

// figures adds those of a queue and then those of its parts.
func (a *account) figures(depth int, all *[]Figures) {
	f := Figures{
		Queue: a.node.name, Depth: depth, Applications: a.applications, Ended: a.ended, Overran: a.overran,
		Unfinished: a.applications - a.ended - a.overran - a.refused,
		Waiting:    distribution(a.waits), Turnaround: distribution(a.turnarounds),
		Used: map[string]float64{}, Dominant: round(a.dominant / a.window.Seconds()),
		Guarantee: Violation{Time: a.lacks.time.Seconds(), Longest: a.lacks.longest.Seconds(), CPUHours: round(a.lacks.cpu / 3600)},
		Stopped:   a.stops, Lost: round(a.lost.Seconds()), HandedOver: round(a.handedOver.Seconds()),
		Shares: rounded(a.shares.means()), WaitingOverTime: rounded(a.waitings.means()),
	}
	if len(a.reasons) > 0 {
		f.Refused = maps.Clone(a.reasons)
	}
	if len(a.reclaimed) > 0 {
		f.Reclaimed = maps.Clone(a.reclaimed)
	}
	for i, name := range a.Resources {
		if a.all[i] > 0 {
			f.Used[name] = round(a.spent[i] / a.window.Seconds() / float64(a.all[i]))
		}
	}
	*all = append(*all, f)
	for _, part := range a.parts {
		part.figures(depth+1, all)
	}
}

// distribution is that of lengths of time; p95 is the least that 95 percent are no longer than.
func distribution(of []time.Duration) Distribution {
	if len(of) == 0 {
		return Distribution{}
	}
	sorted := slices.Sorted(slices.Values(of))
	var sum float64
	for _, one := range sorted {
		sum += one.Seconds()
	}
	at := func(part float64) float64 {
		return round(sorted[max(int(math.Ceil(part*float64(len(sorted))))-1, 0)].Seconds())
	}
	return Distribution{Mean: round(sum / float64(len(sorted))), P50: at(0.5), P95: at(0.95), Max: at(1)}
}

// round leaves what says something, so that reports of one run are alike on all machines.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func rounded(all []float64) []float64 {
	for i := range all {
		all[i] = round(all[i])
	}
	return all
}
