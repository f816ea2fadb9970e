package application

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// Action is what act carries out in one step.
type Action string

const (
	// Wait does nothing but move the application to the step's state.
	Wait Action = "Wait"
	// Claim takes the next run number and writes it down, before anything is made for that run.
	Claim Action = "Claim"
	// Submit makes what the claimed run does not have yet; its driver pod comes last.
	Submit Action = "Submit"
	// Release removes what the run left, but for its driver pod, whose log people want to read.
	Release Action = "Release"
	// Stop removes what the run left and its driver pod too.
	Stop Action = "Stop"
	// Limit has kubelet end what goes on in a driver's pod beside the driver, which has ended.
	Limit Action = "Limit"
	// Delete removes the application itself.
	Delete Action = "Delete"
)

// Step is what is to be done next. A step either changes the application's state or acts on the cluster, never both:
// what is about to be done is written down first, so that a crash in between leaves it to be done again.
type Step struct {
	Action Action
	// State is the state that the application is in after the step.
	State v1beta2.ApplicationStateType
	// Because says why, for logs and events.
	Because string
	// Failure is what status.applicationState.errorMessage says; "" keeps what is there.
	Failure string
	// Ended is when the run ended, set by the step that ends it.
	Ended time.Time
	// Cause is what the run failed of, where the step ends one that failed. What is the cluster's fault uses up no retry.
	Cause Cause
	// After is when to look again, if nothing happens before.
	After time.Duration
	// Limited is the pod that Limit is about.
	Limited Limited
	// Claimed is the run that act claimed, with everything that status tells of it.
	Claimed *Claimed
	// Admission is where the run's queue has let it in.
	Admission *v1beta2.QueueAdmission
	// LeavesQueue says that the run does not wait in a queue any more.
	LeavesQueue bool
	// TakenBack says that the run's queue wants back what it has.
	TakenBack bool
	// Silent says that there is nothing to be written down yet.
	Silent bool
	// Taken is the driver of another operator whose run is taken over.
	Taken *Driver
}

// Limited is a driver's pod and how long it may be active, counted from when its node accepted it.
type Limited struct {
	Pod    string
	UID    types.UID
	Active time.Duration
}

func claim(because string) Step {
	return Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted, Because: because}
}

func stay(app *v1beta2.SparkApplication, because string) Step {
	return Step{Action: Wait, State: state(app), Because: because}
}
