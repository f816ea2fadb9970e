//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the operator has zones whatever this machine has

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// testSchedule has real runs made by a schedule, one after the other, and old ones removed.
func testSchedule(t *testing.T) {
	app := application("scheduled", "pi.py")
	applyObject(t, &v1beta2.ScheduledSparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.ScheduledSparkApplicationKind},
		ObjectMeta: app.ObjectMeta,
		Spec: v1beta2.ScheduledSparkApplicationSpec{
			Schedule: "@every 5s", ConcurrencyPolicy: v1beta2.ConcurrencyForbid, Template: app.Spec,
		},
	})
	deleteAfter(t, "scheduledsparkapplication/scheduled")

	ended := map[string]bool{}
	eventually(t, lifeLimit, "two runs have ended well", func() error {
		for _, name := range getSchedule(t, "scheduled").Status.PastSuccessfulRunNames {
			ended[name] = true
		}
		if len(ended) < 2 {
			return fmt.Errorf("ended: %v", ended)
		}
		return nil
	})
	kubectl(t, "patch", "scheduledsparkapplication", "scheduled", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	eventually(t, lifeLimit, "of the runs one is left", func() error {
		runs := strings.Fields(kubectl(t, "get", "sparkapplications", "-l", v1beta2.LabelScheduledAppName+"=scheduled", "-o", "name"))
		if len(runs) != 1 {
			return fmt.Errorf("there are %v", runs)
		}
		return nil
	})
}

// checkNightly makes sure that the operator knows when it is half past two in Berlin.
func checkNightly(t *testing.T, name string) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, lifeLimit, name+" is scheduled", func() error {
		status := getSchedule(t, name).Status
		if at := status.NextRun.In(berlin).Format(time.TimeOnly); status.ScheduleState != v1beta2.ScheduleStateScheduled || at != "02:30:00" {
			return fmt.Errorf("it is %s for %s: %s", status.ScheduleState, at, status.Reason)
		}
		return nil
	})
}

func getSchedule(t *testing.T, name string) *v1beta2.ScheduledSparkApplication {
	t.Helper()
	s := new(v1beta2.ScheduledSparkApplication)
	if err := json.Unmarshal([]byte(kubectl(t, "get", "scheduledsparkapplication", name, "-o", "json")), s); err != nil {
		t.Fatal(err)
	}
	return s
}
