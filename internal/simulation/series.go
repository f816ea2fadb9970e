package simulation

import "time"

// series is something over time, cut into parts in each of which it has a mean.
type series struct {
	width time.Duration
	sums  []float64 // by seconds
	spans []time.Duration
}

func newSeries(window time.Duration) series {
	width := (window + buckets - 1) / buckets
	return series{width: width, sums: make([]float64, buckets), spans: make([]time.Duration, buckets)}
}

// add has it been value for a while.
func (s *series) add(since, until time.Duration, value float64) {
	for since < until {
		at := min(int(since/s.width), len(s.sums)-1)
		end := min(until, time.Duration(at+1)*s.width)
		if at == len(s.sums)-1 {
			end = until
		}
		s.sums[at] += value * (end - since).Seconds()
		s.spans[at] += end - since
		since = end
	}
}

// means are the means of the parts; where it was nothing that can be said, it is what it was before.
func (s *series) means() []float64 {
	means := make([]float64, len(s.sums))
	for i := range means {
		switch {
		case s.spans[i] > 0:
			means[i] = s.sums[i] / s.spans[i].Seconds()
		case i > 0:
			means[i] = means[i-1]
		}
	}
	return means
}
