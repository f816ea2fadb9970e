package queue

import (
	"context"
	"errors"

	engine "brazier.sh/brazier/internal/queue"
)

// State is what a controller that has been stopped would decide on next.
func (c *Controller) State(ctx context.Context) (engine.State, error) {
	seen, ready, err := c.observe(ctx)
	switch {
	case err != nil:
		return engine.State{}, err
	case seen == nil || !ready:
		return engine.State{}, errors.New("nothing is known")
	}
	c.ledger.settle(seen.apps)
	return assess(*seen, c.ledger).State, nil
}
