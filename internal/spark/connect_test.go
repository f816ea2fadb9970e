package spark

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/properties"
)

// TestConnectGolden plans each testdata/*.connect.yaml and compares every object with the *.connect.out.yaml beside it.
func TestConnectGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.connect.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(input), ".connect.yaml"), func(t *testing.T) {
			platform := testPlatform()
			if strings.Contains(input, "trust") {
				platform.TrustBundle = readFile(t, "testdata/ca.crt")
			}
			plan, err := NewConnect(readConnect(t, input), testRun(), platform)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.Replace(input, ".connect.", ".connect.out.", 1), renderConnect(t, plan))
		})
	}
}

func readConnect(t *testing.T, path string) *v1alpha1.SparkConnect {
	t.Helper()
	connect := &v1alpha1.SparkConnect{}
	if err := yaml.UnmarshalStrict(readFile(t, path), connect); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return connect
}

func renderConnect(t *testing.T, plan *ConnectPlan) []byte {
	t.Helper()
	objects := []Object{plan.Service}
	for _, policy := range plan.NetworkPolicies {
		objects = append(objects, policy)
	}
	for _, configMap := range plan.ConfigMaps {
		objects = append(objects, configMap)
	}
	return renderObjects(t, plan.Warnings, append(objects, plan.Server))
}

// connectOf is the least that can be planned, changed by change.
func connectOf(change func(*v1alpha1.SparkConnect)) *v1alpha1.SparkConnect {
	connect := &v1alpha1.SparkConnect{ObjectMeta: metav1.ObjectMeta{Name: "notebooks", Namespace: "team", UID: "0d6d7a6e"}}
	connect.Spec.SparkVersion = "4.3.0"
	if change != nil {
		change(connect)
	}
	return connect
}

func TestNewConnectIsPure(t *testing.T) {
	connect := readConnect(t, "testdata/template.connect.yaml")
	before := connect.DeepCopy()
	first, err := NewConnect(connect, testRun(), testPlatform())
	if err != nil {
		t.Fatal(err)
	}
	first.Service.Spec.Ports[0].Name = "changed by the caller"
	first.Service.Labels["from"] = "the caller"
	first.Server.Spec.Containers[0].Image = "changed by the caller"
	first.Server.OwnerReferences[0].Name = "changed by the caller"
	if diff := cmp.Diff(before, connect); diff != "" {
		t.Errorf("Planning, or changing a plan, must leave the server alone: it may be an informer's.\n-before +after:\n%s", diff)
	}
}

func TestConnectRefuses(t *testing.T) {
	tests := map[string]struct {
		reason   string
		change   func(*v1alpha1.SparkConnect)
		platform Platform
		want     []string
	}{
		"NoImage": {
			reason:   "There is nothing to run.",
			platform: Platform{},
			want:     []string{"spec.image: Required value"},
		},
		"All": {
			reason: "Whoever corrects a specification wants to do so once; fields are named as they are written.",
			change: func(c *v1alpha1.SparkConnect) {
				c.Spec.Server.Memory = new("a lot")
				c.Spec.Server.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}, Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
				}}}}}
				c.Spec.SparkConf = map[string]string{
					"spark.driver.extraJavaOptions":              "-Xmx9g",
					"spark.kubernetes.driver.pod.name":           "mine",
					"spark.kubernetes.allocation.pods.allocator": "statefulset",
					"spark.dynamicAllocation.enabled":            "perhaps",
				}
			},
			platform: testPlatform(),
			want: []string{
				`spec.server.memory: Invalid value: "a lot": is not a size that Spark reads; write 1g or 1024m`,
				`spec.server.coreLimit: Invalid value: "1": is less than the 2 that the driver requests; raise it or lower the CPU that its template requests`,
				`spec.sparkConf[spark.driver.extraJavaOptions]: Invalid value: "-Xmx9g": sets the heap, which Spark does itself; use spec.server.memory`,
				`spec.sparkConf[spark.kubernetes.driver.pod.name]: Invalid value: "mine": is the name of a pod that clients look for by another, notebooks-server; leave it out`,
				`spec.sparkConf[spark.kubernetes.allocation.pods.allocator]: Invalid value: "statefulset": makes executors that outlive`,
				`spec.sparkConf[spark.dynamicAllocation.enabled]: Invalid value: "perhaps": is neither true nor false`,
			},
		},
		"Files": {
			reason: "Nobody but its author has the file.",
			change: func(c *v1alpha1.SparkConnect) {
				c.Spec.SparkConf = map[string]string{"spark.kubernetes.driver.podTemplateFile": "/mine"}
			},
			platform: testPlatform(),
			want:     []string{"write the template into spec.server.template"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := NewConnect(connectOf(tt.change), testRun(), tt.platform)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s\nwant %q\n got %v", tt.reason, want, err)
				}
			}
		})
	}
}

func TestConnectWarns(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(*v1alpha1.SparkConnect)
		want   string
	}{
		"ConnectElsewhere": {
			reason: "Spark 3.5 alone does not start the server, but an image may have what it lacks.",
			change: func(c *v1alpha1.SparkConnect) { c.Spec.SparkVersion = "3.5.9" },
			want:   "spark.jars.packages: org.apache.spark:spark-connect_2.12:3.5.9",
		},
		"Memory": {
			reason: "Spark writes its own memory over a template's.",
			change: func(c *v1alpha1.SparkConnect) {
				c.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}},
				}}}}
			},
			want: "spec.executor.template: the memory of Spark's container has no effect",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan, err := NewConnect(connectOf(tt.change), testRun(), testPlatform())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(plan.Warnings, "\n"), tt.want) {
				t.Errorf("%s\nwant %q in %q", tt.reason, tt.want, plan.Warnings)
			}
		})
	}
}

// TestConnectHash knows which edits a server is made anew for.
func TestConnectHash(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(*v1alpha1.SparkConnect)
		same   bool
	}{
		"Service": {
			reason: "The Service changes beneath the server.", same: true,
			change: func(c *v1alpha1.SparkConnect) {
				c.Spec.Server.Service = &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}}
			},
		},
		"ServiceName": {
			reason: "The server calls itself by it.",
			change: func(c *v1alpha1.SparkConnect) {
				c.Spec.Server.Service = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "other"}}
			},
		},
		"Executors": {
			reason: "Spark reads it once.",
			change: func(c *v1alpha1.SparkConnect) { c.Spec.Executor.Instances = new(int32(3)) },
		},
		"Labels": {
			reason: "They are for the next server.", same: true,
			change: func(c *v1alpha1.SparkConnect) { c.Labels = map[string]string{"a": "b"} },
		},
	}
	before := ConnectHash(&connectOf(nil).Spec)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if same := ConnectHash(&connectOf(tt.change).Spec) == before; same != tt.same {
				t.Errorf("%s\nthe digest is the same: %v", tt.reason, same)
			}
		})
	}
}

// TestConnectIsNoApplication keeps a server's pods out of sight of whoever looks for an application's.
func TestConnectIsNoApplication(t *testing.T) {
	plan, err := NewConnect(connectOf(nil), testRun(), testPlatform())
	if err != nil {
		t.Fatal(err)
	}
	conf, err := properties.Parse(plan.ConfigMaps[0].Data[confFile])
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelLaunchedByOperator, v1beta2.LabelSubmissionID} {
		_, onServer := plan.Server.Labels[label]
		_, onExecutors := conf["spark.kubernetes.executor.label."+label]
		if onServer || onExecutors {
			t.Errorf("%s is on the server's pods", label)
		}
	}
	if got := conf["spark.kubernetes.executor.label."+v1alpha1.LabelConnectName]; got != "notebooks" {
		t.Errorf("executors are not known by their server: %q", got)
	}
}

// TestEveryConnectFieldCounts sets each field of the API alone: it has to change the plan.
func TestEveryConnectFieldCounts(t *testing.T) {
	const base = `
metadata: {name: notebooks, namespace: team, uid: u}
spec: {sparkVersion: 4.3.0, server: {}, executor: {}, dynamicAllocation: {enabled: true}}
`
	samples := map[string]string{
		"sparkVersion": "4.1.0", "image": "i", "hadoopConf": "{x: y}", "sparkConf": "{spark.x: y}",
		"server.cores": "3", "server.memory": "3g", "server.template": "{spec: {hostname: h}}", "server.service": "{spec: {type: NodePort}}",
		"executor.cores": "3", "executor.memory": "3g", "executor.template": "{spec: {hostname: h}}", "executor.instances": "5",
		"dynamicAllocation.enabled": "false", "dynamicAllocation.initialExecutors": "2", "dynamicAllocation.minExecutors": "2",
		"dynamicAllocation.maxExecutors": "2", "dynamicAllocation.shuffleTrackingEnabled": "false", "dynamicAllocation.shuffleTrackingTimeout": "5",
	}
	plan := func(path, sample string) string {
		connect := &v1alpha1.SparkConnect{}
		if err := yaml.UnmarshalStrict(withSample(t, base, path, sample), connect); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		plan, err := NewConnect(connect, testRun(), testPlatform())
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		// The digest is of the whole specification, and changes with everything.
		delete(plan.Server.Annotations, v1alpha1.AnnotationSpecHash)
		return string(renderConnect(t, plan))
	}
	want := plan("", "")
	for _, path := range fieldPaths(reflect.TypeFor[v1alpha1.SparkConnectSpec](), "") {
		t.Run(path, func(t *testing.T) {
			sample, ok := samples[path]
			if !ok {
				t.Fatal("the API has a new field; honour it, and give it a sample here")
			}
			if plan(path, sample) == want {
				t.Error("the field changes nothing")
			}
		})
	}
}

func FuzzConnect(f *testing.F) {
	for _, input := range []string{"testdata/connect.connect.yaml", "testdata/template.connect.yaml"} {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		connect := &v1alpha1.SparkConnect{}
		if yaml.Unmarshal(text, connect) != nil {
			return
		}
		plan, err := NewConnect(connect, testRun(), testPlatform())
		if err == nil && (plan.Server == nil || plan.Server.Name != connect.Name+"-server" || plan.Service == nil) {
			t.Errorf("a plan without its server: %+v", plan)
		}
	})
}
