package supervise

import (
	"time"
)

// Phase is where a part is in its life.
type Phase string

// The phases of a part.
const (
	// Waiting is for other parts that it needs.
	Waiting Phase = "waiting"
	// Starting is running, but not healthy yet.
	Starting Phase = "starting"
	// Healthy is running and doing its work.
	Healthy Phase = "healthy"
	// Unhealthy is running, but no longer doing its work.
	Unhealthy Phase = "unhealthy"
	// BackingOff is ended, to be started again after a while.
	BackingOff Phase = "backing off"
	// Stopped is ended for good.
	Stopped Phase = "stopped"
)

// State is what the supervisor knows of a part.
type State struct {
	Name     string    `json:"name"`
	Phase    Phase     `json:"phase"`
	PID      int       `json:"pid,omitempty"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since"`
	// Problem is why the part is not healthy.
	Problem string   `json:"problem,omitempty"`
	Listens []string `json:"listens,omitempty"`
}
