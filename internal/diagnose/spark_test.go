package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// began is when the runs of these tests do. Lines of logs are a second apart.
var began = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// failedRun is a run whose driver ended with exit code 1, and parts.
func failedRun(parts ...func(c *Case)) *Case {
	c := &Case{
		Namespace: "sales", Name: "pi", Ended: true, Now: began.Add(time.Hour),
		Application: &v1beta2.SparkApplication{Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.1.1", MainApplicationFile: "local:///opt/job.py",
		}},
		Evidence: v1alpha1.Evidence{Pods: []v1alpha1.Pod{{
			Name: "pi-driver", Role: v1alpha1.RoleDriver,
			Containers: []v1alpha1.Container{{Name: "spark-kubernetes-driver", Image: "spark:4.1.1"}},
		}}},
	}
	c.Application.Spec.Executor.Memory = "2g"
	c.Application.Status.AppState.State = v1beta2.ApplicationStateFailed
	driverEnds(1, "Error", 1800)(c)
	for _, part := range parts {
		part(c)
	}
	return c
}

func after(seconds int) metav1.Time {
	return metav1.NewTime(began.Add(time.Duration(seconds) * time.Second))
}

func driverEnds(code int32, reason string, seconds int) func(*Case) {
	return func(c *Case) {
		c.Evidence.Pods[0].Containers[0].Terminated = &v1alpha1.ContainerEnd{ExitCode: code, Reason: reason, Finished: after(seconds)}
	}
}

func driverRuns() func(*Case) {
	return func(c *Case) {
		c.Ended = false
		c.Application.Status.AppState.State = v1beta2.ApplicationStateRunning
		c.Evidence.Pods[0].Containers[0].Terminated = nil
		c.Evidence.Pods[0].Containers[0].Running = new(after(0))
	}
}

func limit(quantity string) func(*Case) {
	return func(c *Case) {
		for i := range c.Evidence.Pods {
			c.Evidence.Pods[i].Containers[0].MemoryLimit = new(resource.MustParse(quantity))
		}
	}
}

func conf(key, value string) func(*Case) {
	return func(c *Case) { c.Application.Spec.SparkConf = map[string]string{key: value} }
}

func executorEnds(id int, code int32, reason string, seconds int) func(*Case) {
	return func(c *Case) {
		c.Evidence.Executors.Failed++
		c.Evidence.Pods = append(c.Evidence.Pods, v1alpha1.Pod{
			Name: fmt.Sprintf("pi-exec-%d", id), Role: v1alpha1.RoleExecutor, Executor: fmt.Sprint(id), Node: "worker-1",
			Containers: []v1alpha1.Container{{
				Name:       "spark-kubernetes-executor",
				Terminated: &v1alpha1.ContainerEnd{ExitCode: code, Reason: reason, Finished: after(seconds)},
			}},
		})
	}
}

// says adds a log, whose lines are said a second after each other from seconds on.
func says(pod string, seconds int, text string) func(*Case) {
	return func(c *Case) {
		log := v1alpha1.Log{Pod: pod}
		for i, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
			at := metav1.NewMicroTime(began.Add(time.Duration(seconds)*time.Second + time.Duration(i)*time.Millisecond))
			log.Lines = append(log.Lines, v1alpha1.LogLine{Number: int64(i + 1), At: &at, Text: line})
		}
		c.Evidence.Logs = append(c.Evidence.Logs, log)
	}
}

func driverSays(text string) func(*Case) { return says("pi-driver", 900, text) }

// row is evidence and what is to be made of it.
type row struct {
	reason string
	run    *Case
	// want are the causes' codes in order, why is the first one's sentence where it is checked, and confidence how sure it is.
	want       []string
	why        string
	confidence v1alpha1.Confidence
	// change is what the manifest of one of the first cause's fixes says.
	change string
}

func checkRows(t *testing.T, rows map[string]row) {
	t.Helper()
	for name, tt := range rows {
		t.Run(name, func(t *testing.T) {
			causes := Causes(tt.run)
			var codes []string
			for _, cause := range causes {
				codes = append(codes, cause.Code)
				checkCause(t, cause)
			}
			if diff := cmp.Diff(tt.want, codes, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s\n-want +got:\n%s\n%+v", tt.reason, diff, causes)
			}
			if len(causes) == 0 {
				return
			}
			if diff := cmp.Diff(tt.why, causes[0].Why); tt.why != "" && diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if tt.confidence != "" && causes[0].Confidence != tt.confidence {
				t.Errorf("%s\nconfidence is %s, want %s", tt.reason, causes[0].Confidence, tt.confidence)
			}
			if tt.change != "" && !hasChange(causes[0], tt.change) {
				t.Errorf("%s\nno fix has the change\n%s\nbut %+v", tt.reason, tt.change, causes[0].Fixes)
			}
		})
	}
}

// checkCause checks what holds of every cause.
func checkCause(t *testing.T, cause v1alpha1.Cause) {
	t.Helper()
	switch {
	case !strings.HasSuffix(cause.Why, ".") || strings.Contains(cause.Why, ".."):
		t.Errorf("%s: %q is not a sentence", cause.Code, cause.Why)
	case len(cause.Evidence) == 0:
		t.Errorf("%s: has no evidence", cause.Code)
	case len(cause.Fixes) == 0:
		t.Errorf("%s: says nothing of what to do", cause.Code)
	}
	for _, proof := range cause.Evidence {
		if proof.Object == "" || proof.Field == "" || proof.Text == "" || len(proof.Text) > proofLength+100 {
			t.Errorf("%s: evidence %+v is not whole, or too long", cause.Code, proof)
		}
	}
}

func hasChange(cause v1alpha1.Cause, text string) bool {
	for _, fix := range cause.Fixes {
		if strings.Contains(fix.Change, text) {
			return true
		}
	}
	return false
}
