// Package admission is what the controllers of queues and of applications say to each other about a run. What is decided, and
// what becomes of it, is theirs.
package admission

import (
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

// Patience is for how long a run that nobody has claimed yet is waited for something to be decided about it.
const Patience = 3 * time.Second

// Verdict is what a queue has decided about a run. The zero value is that nothing was.
type Verdict struct {
	// Admitted is where a run that waits is let in.
	Admitted *v1beta2.QueueAdmission
	// Refused says that it never is.
	Refused bool
	// TakenBack says that a run which was let in has to stop and wait again.
	TakenBack bool
	// Reason and Message say why it waits, was refused or was taken back.
	Reason, Message string
}
