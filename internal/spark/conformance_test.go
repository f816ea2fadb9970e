package spark

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/internal/properties"
	"brazier.sh/brazier/test/conformance"
)

// TestAsSparkSubmit compares the plan of each case of test/conformance with what the spark-submit of each release made of
// it. Differences that are meant are the list of exceptions; one that no case needs is not meant any more.
func TestAsSparkSubmit(t *testing.T) {
	cases, err := conformance.Cases()
	if err != nil {
		t.Fatal(err)
	}
	versions, err := conformance.Versions()
	if err != nil || len(versions) == 0 {
		t.Fatalf("there are recordings of each release: %v, %v", versions, err)
	}
	needed := make(map[string]int)
	for _, version := range versions {
		compared := 0
		for _, c := range cases {
			if !c.IsFor(version, versions[len(versions)-1]) {
				continue
			}
			compared++
			t.Run(version+"/"+c.Name, func(t *testing.T) { compare(t, c, version, needed) })
		}
		t.Logf("Spark %s: %d cases", version, compared)
	}
	for _, e := range exceptions() {
		t.Logf("exception, in %d plans: %s", needed[e.reason], e.reason)
		if needed[e.reason] == 0 {
			t.Errorf("no case needs this exception: %s", e.reason)
		}
	}
}

func compare(t *testing.T, c conformance.Case, version string, needed map[string]int) {
	recording, err := c.Recording(version)
	if err != nil {
		t.Fatal(err)
	}
	app, err := c.Application(version)
	if err != nil {
		t.Fatal(err)
	}
	anonymous := anonymiser(c.AppName)
	want := readObjects(t, anonymous(recording))
	plan := mustPlan(t, app, testRun(), Platform{})
	text, err := json.Marshal(plan.Objects())
	if err != nil {
		t.Fatal(err)
	}
	got := readObjects(t, anonymous(text))
	for _, e := range exceptions() {
		if e.apply(app, want, got) {
			needed[e.reason]++
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the plan is not what Spark %s makes\n-spark-submit +plan:\n%s", version, diff)
	}
}

// submission is what was submitted, with the properties of the only ConfigMap that both have taken apart.
type submission struct {
	Driver          *corev1.Pod
	Services        []*corev1.Service
	NetworkPolicies []*networkingv1.NetworkPolicy
	Claims          []*corev1.PersistentVolumeClaim
	ConfigMaps      []*corev1.ConfigMap
	Properties      map[string]string
}

// readObjects reads a JSON list of objects, without what the two submitters say in other words: the namespace, which the
// request's path implies, and the owner, which is the driver's pod there and the application here.
func readObjects(t *testing.T, text []byte) *submission {
	t.Helper()
	var objects []json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		t.Fatal(err)
	}
	read := &submission{}
	for _, object := range objects {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(object, &kind); err != nil {
			t.Fatal(err)
		}
		into := read.add(kind.Kind)
		if into == nil {
			t.Fatalf("%s is a kind that nobody expects", kind.Kind)
		}
		if err := json.Unmarshal(object, into); err != nil {
			t.Fatal(err)
		}
		into.SetNamespace("")
		into.SetOwnerReferences(nil)
	}
	read.Driver.Spec.DeprecatedServiceAccount = ""
	for _, configMap := range read.ConfigMaps {
		if text, ok := configMap.Data[confFile]; ok {
			properties, err := properties.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			read.Properties = properties
			delete(configMap.Data, confFile)
		}
	}
	return read
}

func (s *submission) add(kind string) metav1.Object {
	switch kind {
	case "Pod":
		s.Driver = &corev1.Pod{}
		return s.Driver
	case "Service":
		return added(&s.Services, &corev1.Service{})
	case "NetworkPolicy":
		return added(&s.NetworkPolicies, &networkingv1.NetworkPolicy{})
	case "PersistentVolumeClaim":
		return added(&s.Claims, &corev1.PersistentVolumeClaim{})
	case "ConfigMap":
		return added(&s.ConfigMaps, &corev1.ConfigMap{})
	}
	return nil
}

func added[T any](list *[]T, object T) T {
	*list = append(*list, object)
	return object
}

// anonymiser returns a function that replaces what no two runs share.
func anonymiser(app string) func([]byte) []byte {
	names := [][2]string{
		{`spark-[0-9a-f]{32}`, "APP-ID"},
		{regexp.QuoteMeta(app) + `-[0-9a-f]{16}`, "PREFIX"},
		{`spark-drv-[0-9a-f]{16}`, "CONF"},
		{`spark-[0-9a-f]{16}-driver-svc`, "PREFIX-driver-svc"},
		{`/var/data/spark-[0-9a-f-]{36}`, "LOCAL-DIR"},
	}
	return func(text []byte) []byte {
		for _, name := range names {
			text = regexp.MustCompile(name[0]).ReplaceAll(text, []byte(name[1]))
		}
		return text
	}
}
