package queue

import (
	"testing"
	"time"

	engine "brazier.sh/brazier/internal/queue"
)

func TestGuess(t *testing.T) {
	begun := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	admitted := func(every time.Duration, n int) *rates {
		r := &rates{since: begun}
		for i := range n {
			r.note("etl", begun.Add(time.Duration(i)*every))
		}
		return r
	}
	tests := map[string]struct {
		reason string
		rates  *rates
		wait   engine.Wait
		after  time.Duration
		want   string
	}{
		"Rate": {
			reason: "Ten in an hour are one each six minutes; the third is let in after eighteen.",
			rates:  admitted(6*time.Minute, 10), wait: engine.Wait{Place: 3, Reason: engine.Behind}, after: time.Hour,
			want: "; at the rate of late it starts within 20 minutes",
		},
		"Young": {
			reason: "An operator that has just begun counts what it has seen over the time that it has seen.",
			rates:  admitted(time.Second, 10), wait: engine.Wait{Place: 5, Reason: engine.NothingFree}, after: 10 * time.Second,
			want: "; at the rate of late it starts within two minutes",
		},
		"TooFew":   {reason: "Of one or two nothing follows.", rates: admitted(time.Minute, 2), wait: engine.Wait{Place: 1, Reason: engine.Behind}, after: time.Hour},
		"LongAgo":  {reason: "What was let in yesterday is no rate of today.", rates: admitted(time.Minute, 9), wait: engine.Wait{Place: 1, Reason: engine.Behind}, after: 24 * time.Hour},
		"NoMatter": {reason: "What is too big does not start however long it waits.", rates: admitted(time.Minute, 9), wait: engine.Wait{Place: 1, Reason: engine.TooBig}, after: 10 * time.Minute},
		"Far": {
			reason: "It is said in hours where it is hours.",
			rates:  admitted(6*time.Minute, 10), wait: engine.Wait{Place: 25, Reason: engine.Behind}, after: time.Hour,
			want: "; at the rate of late it starts within 3 hours",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.rates.guess("etl", tt.wait, begun.Add(tt.after)); got != tt.want {
				t.Errorf("%s\nwant %q, got %q", tt.reason, tt.want, got)
			}
		})
	}
}
