package connect

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1alpha1"
)

func noon() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

type option func(*v1alpha1.SparkConnect)

// notebooks is a server whose third run was begun an hour ago, in the state.
func notebooks(state v1alpha1.SparkConnectState, options ...option) *v1alpha1.SparkConnect {
	c := &v1alpha1.SparkConnect{}
	c.Name, c.Generation = "notebooks", 1
	c.Status = v1alpha1.SparkConnectStatus{
		State: state, Run: 3, RunStartTime: metav1.NewTime(noon().Add(-time.Hour)), ObservedGeneration: 1,
		Server: v1alpha1.SparkConnectServerStatus{PodName: "notebooks-server", ServiceName: "notebooks-server"},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

func unclaimed(c *v1alpha1.SparkConnect) { c.Status = v1alpha1.SparkConnectStatus{} }
func unmade(c *v1alpha1.SparkConnect)    { c.Status.Server.PodName = "" }
func edited(c *v1alpha1.SparkConnect)    { c.Generation++ }

func restarted(times int32) option {
	return func(c *v1alpha1.SparkConnect) { c.Status.Restarts = times }
}

func due(in time.Duration) option {
	return func(c *v1alpha1.SparkConnect) { c.Status.RunStartTime = metav1.NewTime(noon().Add(in)) }
}

func told(kind, reason string, status metav1.ConditionStatus) option {
	return func(c *v1alpha1.SparkConnect) {
		c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{Type: kind, Reason: reason, Status: status})
	}
}

func TestDecide(t *testing.T) {
	const (
		provisioning = v1alpha1.SparkConnectStateProvisioning
		ready        = v1alpha1.SparkConnectStateReady
		notReady     = v1alpha1.SparkConnectStateNotReady
		failed       = v1alpha1.SparkConnectStateFailed
	)
	invalid := errors.New("spec.server.memory: it is wrong")
	running := func() *Server { return &Server{UID: "u", Current: true} }
	listening := func() *Server { return &Server{UID: "u", Current: true, Ready: true} }
	dead := func(lasted time.Duration) *Server {
		return &Server{UID: "u", Current: true, Ended: &Ending{Message: "exit code 1", Lasted: lasted}}
	}
	tests := map[string]struct {
		reason  string
		connect *v1alpha1.SparkConnect
		seen    Observation
		want    Step
	}{
		"New": {
			reason:  "The run is written down before anything is made for it.",
			connect: notebooks("", unclaimed),
			want:    Step{Action: Claim, State: provisioning, Reason: reasonStarting, Due: noon()},
		},
		"NewAndInvalid": {
			reason:  "A retry does not help: nothing is made.",
			connect: notebooks("", unclaimed),
			seen:    Observation{Invalid: invalid},
			want:    Step{Action: Wait, State: failed, Reason: reasonInvalid},
		},
		"Corrected": {
			reason:  "What was invalid and is not any more is started.",
			connect: notebooks(failed, unclaimed, edited),
			want:    Step{Action: Claim, State: provisioning, Reason: reasonStarting, Due: noon()},
		},
		"Claimed": {
			reason:  "A crash after the claim is followed by the same run.",
			connect: notebooks(provisioning, unmade),
			want:    Step{Action: Start, State: provisioning, Reason: reasonStarting},
		},
		"Made": {
			reason:  "A crash after the pod was made is followed by status that says so.",
			connect: notebooks(provisioning, unmade),
			seen:    Observation{Server: running()},
			want:    Step{Action: Wait, State: provisioning, Reason: reasonStarting},
		},
		"Unschedulable": {
			reason:  "The condition says what is waited for.",
			connect: notebooks(provisioning),
			seen:    Observation{Server: &Server{Current: true, Waiting: "Unschedulable: no node"}},
			want:    Step{Action: Wait, State: provisioning, Reason: reasonWaiting},
		},
		"Ready": {
			reason:  "Clients can connect.",
			connect: notebooks(provisioning),
			seen:    Observation{Server: listening()},
			want:    Step{Action: Wait, State: ready, Reason: reasonReady},
		},
		"DoesNotListen": {
			reason:  "It was ready once, so that it is not starting.",
			connect: notebooks(ready, told(v1alpha1.ConditionServerPodReady, reasonReady, metav1.ConditionTrue)),
			seen:    Observation{Server: running()},
			want:    Step{Action: Wait, State: notReady, Reason: reasonUnready},
		},
		"NoService": {
			reason:  "The address that clients have comes back.",
			connect: notebooks(ready),
			seen:    Observation{Server: listening(), NoService: true},
			want:    Step{Action: Keep, State: ready, Reason: reasonReady},
		},
		"ServiceEdited": {
			reason:  "The server need not go for that.",
			connect: notebooks(ready, edited),
			seen:    Observation{Server: listening()},
			want:    Step{Action: Keep, State: ready, Reason: reasonReady},
		},
		"ServiceRefused": {
			reason:  "What was refused is tried again, while the server goes on.",
			connect: notebooks(ready, told(v1alpha1.ConditionValid, reasonRefused, metav1.ConditionFalse)),
			seen:    Observation{Server: listening()},
			want:    Step{Action: Keep, State: ready, Reason: reasonReady},
		},
		"Edited": {
			reason:  "The server is made anew from what is specified now.",
			connect: notebooks(ready, edited),
			seen:    Observation{Server: &Server{UID: "u", Current: true, Ready: true, Edited: true}},
			want:    Step{Action: Remove, State: notReady, Reason: reasonEdited, Pod: "u"},
		},
		"EditedAndGoing": {
			reason:  "An edit is a new beginning: nothing is waited for.",
			connect: notebooks(notReady, restarted(5)),
			seen:    Observation{Server: &Server{Current: true, Edited: true, Deleting: true}},
			want:    Step{Action: Claim, State: notReady, Reason: reasonEdited, Due: noon()},
		},
		"EditedBadly": {
			reason:  "Those who use the server have done nothing wrong.",
			connect: notebooks(ready, edited),
			seen:    Observation{Server: &Server{UID: "u", Current: true, Ready: true, Edited: true}, Invalid: invalid},
			want:    Step{Action: Wait, State: ready, Reason: reasonReady},
		},
		"EditedBadlyAndDead": {
			reason:  "There is nothing that could be started.",
			connect: notebooks(ready),
			seen:    Observation{Server: dead(time.Hour), Invalid: invalid},
			want:    Step{Action: Wait, State: failed, Reason: reasonInvalid},
		},
		"Dies": {
			reason:  "It comes back, at once.",
			connect: notebooks(ready),
			seen:    Observation{Server: dead(time.Minute)},
			want:    Step{Action: Claim, State: notReady, Reason: reasonEnded, Restarts: 1, Due: noon()},
		},
		"DiesAgain": {
			reason:  "One that dies again and again is not to take up the cluster.",
			connect: notebooks(notReady, restarted(2)),
			seen:    Observation{Server: dead(time.Minute)},
			want:    Step{Action: Claim, State: notReady, Reason: reasonEnded, Restarts: 3, Due: noon().Add(20 * time.Second)},
		},
		"DiesAfterLong": {
			reason:  "What it died of long ago is forgiven.",
			connect: notebooks(ready, restarted(7)),
			seen:    Observation{Server: dead(longEnough)},
			want:    Step{Action: Claim, State: notReady, Reason: reasonEnded, Restarts: 1, Due: noon()},
		},
		"Deleted": {
			reason:  "A pod that somebody deletes, or that its node is drained of, has not died by itself.",
			connect: notebooks(ready, restarted(2)),
			seen:    Observation{Server: &Server{Current: true, Deleting: true, Ended: &Ending{}}},
			want:    Step{Action: Claim, State: notReady, Reason: reasonDeleted, Restarts: 2, Due: noon()},
		},
		"Gone": {
			reason:  "The same, seen later.",
			connect: notebooks(ready, restarted(2)),
			seen:    Observation{Gone: true},
			want:    Step{Action: Claim, State: notReady, Reason: reasonDeleted, Restarts: 2, Due: noon()},
		},
		"NotDue": {
			reason:  "The dead server's pod is kept meanwhile, for its log.",
			connect: notebooks(notReady, unmade, due(time.Minute)),
			seen:    Observation{Server: &Server{UID: "old", Ended: &Ending{}}},
			want:    Step{Action: Wait, State: notReady, After: time.Minute},
		},
		"NotDueAndEdited": {
			reason:  "An edit is most likely what mends it.",
			connect: notebooks(notReady, unmade, edited, restarted(4), due(time.Minute)),
			seen:    Observation{Server: &Server{UID: "old", Ended: &Ending{}}},
			want:    Step{Action: Claim, State: notReady, Reason: reasonEdited, Due: noon()},
		},
		"Due": {
			reason:  "Two pods cannot have one name.",
			connect: notebooks(notReady, unmade),
			seen:    Observation{Server: &Server{UID: "old", Ended: &Ending{}}},
			want:    Step{Action: Remove, State: notReady, Pod: "old"},
		},
		"Removed": {
			reason:  "Its end is seen.",
			connect: notebooks(notReady, unmade),
			seen:    Observation{Server: &Server{UID: "old", Deleting: true}},
			want:    Step{Action: Wait, State: notReady},
		},
		"StartedAgain": {
			reason:  "It was ready before: clients wait for it, not for the first.",
			connect: notebooks(notReady, unmade, restarted(1)),
			want:    Step{Action: Start, State: notReady, Reason: reasonStarting, Restarts: 1},
		},
		"Orphans": {
			reason:  "Executors of a dead server take up room for nothing.",
			connect: notebooks(ready, edited),
			seen:    Observation{Server: dead(time.Minute), Orphans: true},
			want:    Step{Action: Clear, State: ready, After: clearAgain},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(tt.connect, tt.seen, noon())
			// What is said is for people, and differs.
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Step{}, "Because", "Message")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if got.Because == "" || got.Reason != "" && got.Message == "" {
				t.Errorf("the step does not say why: %+v", got)
			}
		})
	}
}

func TestWait(t *testing.T) {
	want := []time.Duration{0, 0, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, longestWait, longestWait}
	var got []time.Duration
	for restarts := range int32(9) {
		got = append(got, wait(restarts))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the first restart is at once, and the waits grow\n-want +got:\n%s", diff)
	}
	if got := wait(1 << 30); got != longestWait {
		t.Errorf("however often: got %s", got)
	}
}
