package connect

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1alpha1"
)

// Action is what is to be done about a server.
type Action string

// What can be done about a server.
const (
	// Wait does nothing but to tell of what was seen.
	Wait Action = "wait"
	// Keep sees to it that the Service is as specified.
	Keep Action = "keep"
	// Claim counts a new run, whose pod may be made from Step.Due on.
	Claim Action = "claim"
	// Start makes the current run's objects, its pod last.
	Start Action = "start"
	// Remove deletes the server's pod.
	Remove Action = "remove"
	// Clear deletes executors that have no server.
	Clear Action = "clear"
)

// Step is what is to be done next.
type Step struct {
	Action Action
	// State is the state that the server is in then.
	State v1alpha1.SparkConnectState
	// Reason and Message are those of the condition ServerPodReady; it is left as it is where Reason is empty.
	Reason, Message string
	// Because says why, for logs.
	Because string
	// Refused is what the API server said of the Service, where it is not as specified for that.
	Refused string
	// Pod is the pod that Remove deletes.
	Pod types.UID
	// Due is when a claimed run's pod may be made, and Restarts how many servers have ended by themselves before it.
	Due      time.Time
	Restarts int32
	// After is when to look again if nothing is seen before; 0 is never.
	After time.Duration
}

// Reasons of the condition ServerPodReady.
const (
	reasonReady    = "Ready"
	reasonStarting = "Starting"
	reasonWaiting  = "Waiting"
	reasonUnready  = "NotListening"
	reasonEnded    = "ServerEnded"
	reasonDeleted  = "ServerDeleted"
	reasonEdited   = "Edited"
	reasonRefused  = "Refused"
	reasonInvalid  = "InvalidSpecification"
)

const (
	// clearAgain is when to look whether executors that were to be removed are gone.
	clearAgain = time.Second
	// A server that ends by itself is started again at once, then after firstWait, then after twice as long each time, but
	// never after more than longestWait; from the beginning again if it had run for long enough.
	firstWait   = 10 * time.Second
	longestWait = 5 * time.Minute
	longEnough  = 10 * time.Minute
)

// Decide returns what is to be done for a server of which seen was seen, at now. It is pure.
func Decide(connect *v1alpha1.SparkConnect, seen Observation, now time.Time) Step {
	status, server := &connect.Status, seen.Server
	newer := connect.Generation != status.ObservedGeneration
	switch {
	case seen.Orphans:
		return Step{Action: Clear, State: status.State, Because: "executors are left without their server", After: clearAgain}
	case server.lives():
		return live(connect, seen)
	case seen.Invalid != nil:
		return Step{Action: Wait, State: v1alpha1.SparkConnectStateFailed, Reason: reasonInvalid, Message: seen.Invalid.Error(), Because: "its specification cannot be followed"}
	case status.Run == 0:
		return Step{Action: Claim, State: v1alpha1.SparkConnectStateProvisioning, Reason: reasonStarting, Message: "the server is being made", Because: "it is new", Due: now}
	case server != nil && server.Current:
		return over(connect, *server, now)
	case seen.Gone:
		return again(status.Restarts, reasonDeleted, "the server's pod was deleted; another is being made", now)
	case newer && status.RunStartTime.After(now):
		return again(0, reasonEdited, "the server is made anew from the edited specification", now)
	case status.RunStartTime.After(now):
		return Step{Action: Wait, State: status.State, Because: "it was not long ago that it ended", After: status.RunStartTime.Sub(now)}
	case server != nil && !server.Deleting:
		return Step{Action: Remove, State: status.State, Pod: server.UID, Because: "it makes room for the next"}
	case server != nil:
		return Step{Action: Wait, State: status.State, Because: "the last server is being deleted"}
	default:
		return Step{
			Action: Start, State: unready(status.State), Reason: reasonStarting, Message: "the server is starting", Because: "its time has come",
			Restarts: status.Restarts,
		}
	}
}

// live is for a server that runs, or is about to.
func live(connect *v1alpha1.SparkConnect, seen Observation) Step {
	state, server := connect.Status.State, seen.Server
	step := Step{Action: Wait, State: unready(state), Reason: reasonStarting, Message: "the server is starting"}
	refused := meta.IsStatusConditionFalse(connect.Status.Conditions, v1alpha1.ConditionValid)
	if seen.Invalid == nil && (seen.NoService || refused || connect.Generation != connect.Status.ObservedGeneration) {
		step.Action = Keep
	}
	last := meta.FindStatusCondition(connect.Status.Conditions, v1alpha1.ConditionServerPodReady)
	switch {
	case server.Edited && seen.Invalid == nil:
		// What is invalid is told, and the server that runs goes on: those who use it have done nothing wrong.
		step.Action, step.Pod = Remove, server.UID
		step.Reason, step.Message = reasonEdited, "the server is made anew from the edited specification"
	case server.Ready:
		step.State, step.Reason, step.Message = v1alpha1.SparkConnectStateReady, reasonReady, "clients can connect"
	case server.Waiting != "":
		step.Reason, step.Message = reasonWaiting, server.Waiting
	case last != nil && (last.Reason == reasonReady || last.Reason == reasonUnready):
		step.Reason, step.Message = reasonUnready, "the server runs and does not listen"
	}
	step.Because = step.Message
	return step
}

// over is for a server that has ended, or was told to go.
func over(connect *v1alpha1.SparkConnect, server Server, now time.Time) Step {
	restarts := connect.Status.Restarts
	switch {
	case server.Edited:
		return again(0, reasonEdited, "the server is made anew from the edited specification", now)
	case server.Deleting:
		return again(restarts, reasonDeleted, "the server's pod was deleted; another is being made", now)
	case server.Ended.Lasted >= longEnough:
		restarts = 0
	}
	return again(restarts+1, reasonEnded, server.Ended.Message, now.Add(wait(restarts+1)))
}

// again counts another run.
func again(restarts int32, reason, message string, due time.Time) Step {
	return Step{
		Action: Claim, State: v1alpha1.SparkConnectStateNotReady, Reason: reason, Message: message, Because: message,
		Restarts: restarts, Due: due,
	}
}

// wait returns how long to wait before a server is started again that has ended so often in a row.
func wait(restarts int32) time.Duration {
	if restarts <= 1 {
		return 0
	}
	wait := firstWait
	for range min(restarts-2, 10) {
		wait *= 2
	}
	return min(wait, longestWait)
}

// unready is the state of a server that takes no connections: whether it ever did makes the difference.
func unready(state v1alpha1.SparkConnectState) v1alpha1.SparkConnectState {
	switch state {
	case v1alpha1.SparkConnectStateReady, v1alpha1.SparkConnectStateNotReady:
		return v1alpha1.SparkConnectStateNotReady
	default:
		return v1alpha1.SparkConnectStateProvisioning
	}
}
