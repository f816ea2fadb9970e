package supervise

import "time"

const (
	firstDelay = 200 * time.Millisecond
	maxDelay   = 30 * time.Second
	// settled is how long a part has to be healthy before its past is forgotten.
	settled = 10 * time.Second
)

// backoff is the delay before a part's next start.
type backoff struct{ next time.Duration }

// after returns the delay before the next start of a part that has ended after being healthy for the given time.
func (b *backoff) after(healthy time.Duration) time.Duration {
	if b.next == 0 || healthy >= settled {
		b.next = firstDelay
	}
	delay := b.next
	b.next = min(2*b.next, maxDelay)
	return delay
}
