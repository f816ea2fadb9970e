package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

func TestAgain(t *testing.T) {
	old := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sales", Name: "report-1780272001", UID: "old", ResourceVersion: "17", Generation: 3, Finalizers: []string{"example.org/x"},
			Labels:          map[string]string{"team": "sales", v1beta2.LabelScheduledAppName: "report", "kueue.x-k8s.io/queue-name": "batch"},
			Annotations:     map[string]string{corev1.LastAppliedConfigAnnotation: "{}", v1beta2.AnnotationScheduledAt: "x", v1beta2.AnnotationDriverStartTimeout: "10m"},
			OwnerReferences: []metav1.OwnerReference{{Kind: v1beta2.ScheduledSparkApplicationKind, Name: "report"}},
		},
		Spec:   v1beta2.SparkApplicationSpec{Suspend: true, SparkVersion: "4.3.0", Arguments: []string{"2026"}},
		Status: v1beta2.SparkApplicationStatus{Run: 3},
	}
	want := &v1beta2.SparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: "sparkoperator.k8s.io/v1beta2", Kind: "SparkApplication"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sales", GenerateName: "report-",
			Labels:      map[string]string{"team": "sales", "kueue.x-k8s.io/queue-name": "batch"},
			Annotations: map[string]string{v1beta2.AnnotationDriverStartTimeout: "10m"},
		},
		Spec: v1beta2.SparkApplicationSpec{SparkVersion: "4.3.0", Arguments: []string{"2026"}},
	}
	got := Again(old, "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the new one has the old one's specification and its user's words, and nothing of what it was\n-want +got:\n%s", diff)
	}
	got.Spec.Arguments[0] = "2027"
	if old.Spec.Arguments[0] != "2026" {
		t.Error("the old one was changed with the new one")
	}
}

func TestPrefix(t *testing.T) {
	tests := map[string]struct{ reason, name, generate, want string }{
		"Generated": {"An application that had its name made has the next made the same way.", "report-x7k2p", "report-", "report-"},
		"Random":    {"A random end is replaced, not added to.", "report-x7k2p", "", "report-"},
		"Scheduled": {"The time of a schedule is no part of the name.", "report-1780272001", "", "report-"},
		"Plain":     {"A name that was given is kept.", "daily-report", "", "daily-report-"},
		"Year":      {"A year is no random end.", "report-2026", "", "report-2026-"},
		"Long":      {"There is room for what is added.", strings.Repeat("a", 63), "", strings.Repeat("a", 40) + "-"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: tt.name, GenerateName: tt.generate}}
			if got := Prefix(app); got != tt.want {
				t.Errorf("%s got %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestSet(t *testing.T) {
	before := func() *v1beta2.SparkApplicationSpec {
		return &v1beta2.SparkApplicationSpec{SparkVersion: "4.3.0", Arguments: []string{"in", "out"}, SparkConf: map[string]string{"spark.a": "1"}}
	}
	tests := map[string]struct {
		reason  string
		set     []string
		change  func(*v1beta2.SparkApplicationSpec)
		wantErr string
	}{
		"Number": {
			reason: "A number is one.", set: []string{"executor.instances=4"},
			change: func(s *v1beta2.SparkApplicationSpec) { s.Executor.Instances = new(int32(4)) },
		},
		"TextThatReadsAsNumber": {
			reason: "The field says what the value is.", set: []string{"sparkVersion=4.1", "driver.memory=1024"},
			change: func(s *v1beta2.SparkApplicationSpec) { s.SparkVersion, s.Driver.Memory = "4.1", "1024" },
		},
		"Property": {
			reason: "A property of Spark needs no path, and its value is always a text.", set: []string{"spark.sql.shuffle.partitions=64", "spark.b=true"},
			change: func(s *v1beta2.SparkApplicationSpec) {
				s.SparkConf = map[string]string{"spark.a": "1", "spark.sql.shuffle.partitions": "64", "spark.b": "true"}
			},
		},
		"MapKeyWithDots": {
			reason: "Below a map of text the rest of the path is one key.", set: []string{"hadoopConf.fs.s3a.endpoint=http://x:9000", "spec.driver.labels.example.org/a=b"},
			change: func(s *v1beta2.SparkApplicationSpec) {
				s.HadoopConf = map[string]string{"fs.s3a.endpoint": "http://x:9000"}
				s.Driver.Labels = map[string]string{"example.org/a": "b"}
			},
		},
		"List": {
			reason: "A list is written as YAML has it.", set: []string{"arguments=[s3a://a, '2026']"},
			change: func(s *v1beta2.SparkApplicationSpec) { s.Arguments = []string{"s3a://a", "2026"} },
		},
		"Element": {
			reason: "One element can be set, or added.", set: []string{"arguments[1]=elsewhere", "arguments[2]=3"},
			change: func(s *v1beta2.SparkApplicationSpec) { s.Arguments = []string{"in", "elsewhere", "3"} },
		},
		"Misspelt":     {reason: "A field that there is not is an error.", set: []string{"executor.instance=4"}, wantErr: `--set: "executor.instance=4" does not fit a SparkApplication`},
		"NoAssignment": {reason: "A key without a value says nothing.", set: []string{"suspend"}, wantErr: `--set: "suspend" is no assignment`},
		"BeyondEnd":    {reason: "A list has no holes.", set: []string{"arguments[5]=x"}, wantErr: "arguments has 2 elements; write arguments[2] to add one"},
		"NotAList":     {reason: "An index needs a list.", set: []string{"driver[0]=x"}, wantErr: "driver is not a list"},
		"WrongKind":    {reason: "A number that is none is refused.", set: []string{"executor.instances=many"}, wantErr: "does not fit"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, want := before(), before()
			err := Set(got, tt.set)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("%s\ngot %v, want an error with %q", tt.reason, err, tt.wantErr)
				}
			} else if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			if tt.change != nil {
				tt.change(want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzSet(f *testing.F) {
	for _, seed := range []string{"executor.instances=4", "arguments[0]=x", "spark.a=b", "driver.labels.a.b/c=d", "arguments=[a, b]", "x[=", "..=1", "a[0][1].b=*c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		spec := &v1beta2.SparkApplicationSpec{SparkVersion: "4.3.0"}
		before := spec.DeepCopy()
		if err := Set(spec, []string{assignment}); err != nil && !cmp.Equal(before, spec) {
			t.Errorf("%q was refused (%v) and changed the specification", assignment, err)
		}
	})
}
