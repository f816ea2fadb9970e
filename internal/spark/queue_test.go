package spark

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

func testQueue() *Queue {
	return &Queue{
		Name: "etl",
		Driver: brazierv1alpha1.Flavour{
			Name: "stable", NodeLabels: map[string]string{"pool": "stable"},
			Tolerations: []corev1.Toleration{
				{Key: "stable", Operator: corev1.TolerationOpExists},
				{Key: "drivers", Operator: corev1.TolerationOpEqual, Value: "yes", Effect: corev1.TaintEffectNoSchedule},
			},
		},
		MaxExecutors: 40, MaxPending: 2, Pack: true,
	}
}

func queued() Run {
	run := testRun()
	run.Queue = testQueue()
	return run
}

// sized is a JVM application, whose sizes are easily told, changed by change.
func sized(change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	return application(func(a *v1beta2.SparkApplication) {
		a.Spec.Type, a.Spec.MainClass = v1beta2.SparkApplicationTypeScala, "Main"
		if change != nil {
			change(a)
		}
	})
}

func resources(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func dynamic(a *v1beta2.SparkApplication) *v1beta2.DynamicAllocation {
	a.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{Enabled: true}
	return a.Spec.DynamicAllocation
}

func minExecutors(a *v1beta2.SparkApplication, n string) {
	a.Annotations = map[string]string{brazierv1alpha1.AnnotationMinExecutors: n}
}

// TestDemandSizes is about what pods request as the API server has them.
func TestDemandSizes(t *testing.T) {
	with := func(list corev1.ResourceList, name corev1.ResourceName, amount string) corev1.ResourceList {
		list[name] = resource.MustParse(amount)
		return list
	}
	plain := resources("1", "1408Mi")
	tests := map[string]struct {
		reason           string
		app              func(*v1beta2.SparkApplication)
		driver, executor corev1.ResourceList
	}{
		"Plain": {reason: "A heap of 1g has an overhead of 384m.", driver: plain, executor: plain},
		"GPU": {
			reason: "A device is only limited, which the API server takes for a request.", driver: with(resources("1", "1408Mi"), "n.example/gpu", "1"),
			executor: with(resources("1", "1408Mi"), "n.example/gpu", "2"),
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.GPU = &v1beta2.GPUSpec{Name: "n.example/gpu", Quantity: 1}
				a.Spec.Executor.GPU = &v1beta2.GPUSpec{Name: "n.example/gpu", Quantity: 2}
			},
		},
		"SparksDevices": {
			reason: "Spark has properties for devices.", driver: plain, executor: with(resources("1", "1408Mi"), "n.example/fpga", "3"),
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{
					"spark.executor.resource.fpga.amount": "3", "spark.executor.resource.fpga.vendor": "n.example",
				}
			},
		},
		"Sidecars": {
			reason: "Pods are as large as all their containers, those that are only limited too.",
			driver: resources("1500m", "1508Mi"), executor: resources("1250m", "1440Mi"),
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Sidecars = []corev1.Container{{Name: "a", Resources: corev1.ResourceRequirements{Limits: resources("500m", "100Mi")}}}
				a.Spec.Executor.Sidecars = []corev1.Container{{Name: "a", Resources: corev1.ResourceRequirements{
					Requests: resources("250m", "32Mi"), Limits: resources("500m", "100Mi"),
				}}}
			},
		},
		"InitContainer": {
			reason: "One that runs before the others counts where it is larger than all of them.",
			driver: plain, executor: resources("4", "1408Mi"),
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.InitContainers = []corev1.Container{{Name: "a", Resources: corev1.ResourceRequirements{Limits: resources("4", "1Gi")}}}
			},
		},
		"OutsideTheHeap": {
			reason: "What is off the heap and Python's own count for executors.", driver: resources("1", "1433Mi"), executor: resources("500m", "2201Mi"),
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Type = v1beta2.SparkApplicationTypePython
				a.Spec.Executor.CoreRequest = "500m"
				a.Spec.SparkConf = map[string]string{
					"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "512m", "spark.executor.pyspark.memory": "256m",
				}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			demand := mustPlan(t, sized(tt.app), testRun(), testPlatform()).Demand
			if diff := cmp.Diff(tt.driver, demand.Driver); diff != "" {
				t.Errorf("%s\nthe driver -want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.executor, demand.Executor); diff != "" {
				t.Errorf("%s\nan executor -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestDemandCounts is about how many executors an application has, and can begin with.
func TestDemandCounts(t *testing.T) {
	type counts struct{ minimum, first, most int64 }
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		want   counts
	}{
		"Default": {reason: "The API's default is one.", want: counts{1, 1, 1}},
		"Fixed":   {reason: "Without a word all of them are wanted.", app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(7)) }, want: counts{7, 7, 7}},
		"FixedByProperty": {
			reason: "They may be said as a property.", want: counts{5, 5, 5},
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.executor.instances": "5"}
			},
		},
		"FixedPart": {
			reason: "An application may be content with some.", want: counts{2, 7, 7},
			app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(7)); minExecutors(a, "2") },
		},
		"None": {reason: "A driver alone is an application.", app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(0)) }},
		"Dynamic": {
			reason: "Spark keeps none and knows no bound, but without one nothing is done.", want: counts{1, 0, Unbounded},
			app: func(a *v1beta2.SparkApplication) { dynamic(a) },
		},
		"DynamicBounds": {
			reason: "What dynamic allocation keeps is what it begins with at least.", want: counts{2, 4, 9},
			app: func(a *v1beta2.SparkApplication) {
				d := dynamic(a)
				d.MinExecutors, d.InitialExecutors, d.MaxExecutors = new(int32(2)), new(int32(4)), new(int32(9))
			},
		},
		"DynamicInstances": {
			reason: "instances is another word for the initial executors.", want: counts{1, 6, Unbounded},
			app: func(a *v1beta2.SparkApplication) { dynamic(a); a.Spec.Executor.Instances = new(int32(6)) },
		},
		"DynamicNone": {
			reason: "A bound of none is one.", want: counts{0, 0, 0},
			app: func(a *v1beta2.SparkApplication) { dynamic(a).MaxExecutors = new(int32(0)) },
		},
		"DynamicBarrier": {
			reason: "A stage that needs all its executors at once may want more than Spark asks for at first.", want: counts{8, 0, 8},
			app: func(a *v1beta2.SparkApplication) { dynamic(a).MaxExecutors = new(int32(8)); minExecutors(a, "8") },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			demand := mustPlan(t, sized(tt.app), testRun(), testPlatform()).Demand
			if got := (counts{demand.Minimum, demand.First, demand.Most}); got != tt.want {
				t.Errorf("%s\nat least, at first and at most %v, want %v", tt.reason, got, tt.want)
			}
		})
	}
}

// TestQueuedProperties is about what the driver of a run in a queue is told, and by whom.
func TestQueuedProperties(t *testing.T) {
	conf := func(pairs ...string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) {
			a.Spec.SparkConf = map[string]string{}
			for i := 0; i < len(pairs); i += 2 {
				a.Spec.SparkConf[pairs[i]] = pairs[i+1]
			}
		}
	}
	const blocks = "spark.storage.decommission.shuffleBlocks.enabled"
	tests := map[string]struct {
		reason  string
		app     func(*v1beta2.SparkApplication)
		queue   func(*Queue)
		want    map[string]string // "" where the driver is told nothing
		warning string
	}{
		"Fixed": {
			reason: "All of a fixed number may wait, which are known beforehand.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(7)) },
			want: map[string]string{
				maxPendingProperty: "7", registeredProperty: "", maxExecutorsProperty: "", decommissionProperty: "true", blocks: "true", retainedProperty: retained,
				"spark.kubernetes.executor.label.brazier.sh/queue": "etl", "spark.kubernetes.driver.label.brazier.sh/queue": "",
			},
		},
		"Dynamic": {
			reason: "Without a bound it is the queue's.", app: func(a *v1beta2.SparkApplication) { dynamic(a) },
			want: map[string]string{maxPendingProperty: "2", maxExecutorsProperty: "40"},
		},
		"DynamicBeyondTheQueue": {
			reason: "A bound below what is asked for at first would end the driver at its start.",
			app:    func(a *v1beta2.SparkApplication) { dynamic(a).InitialExecutors = new(int32(60)) },
			want:   map[string]string{maxExecutorsProperty: "60"},
		},
		"Part": {
			reason: "A driver that may begin with one in three does not wait for the others.", want: map[string]string{registeredProperty: "0.3333", maxPendingProperty: "2"},
			app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(3)); minExecutors(a, "1") },
		},
		"PartOwnWord": {
			reason: "Unless it says for how many it does.", want: map[string]string{registeredProperty: "0.9"},
			app: func(a *v1beta2.SparkApplication) {
				conf(registeredProperty, "0.9")(a)
				a.Spec.Executor.Instances = new(int32(3))
				minExecutors(a, "1")
			},
		},
		"NothingKnown": {
			reason: "A run that is not let in yet is planned without.", app: func(a *v1beta2.SparkApplication) { dynamic(a) },
			queue: func(q *Queue) { *q = Queue{Name: "etl"} }, want: map[string]string{maxPendingProperty: "1", maxExecutorsProperty: ""},
		},
		"OwnWord": {
			reason: "What the application says stays.",
			app: conf("spark.dynamicAllocation.enabled", "true", maxExecutorsProperty, "500", maxPendingProperty, "9",
				blocks, "false", retainedProperty, "5"),
			want: map[string]string{maxExecutorsProperty: "500", maxPendingProperty: "9", decommissionProperty: "true", blocks: "false", retainedProperty: "5"},
		},
		"NoDecommissioning": {
			reason: "Who wants none gets none, and is told what it means.", app: conf(decommissionProperty, "false"),
			want:    map[string]string{decommissionProperty: "false", blocks: "", retainedProperty: ""},
			warning: `spec.sparkConf[spark.decommission.enabled]: executors that queue "etl" takes back lose what they hold`,
		},
		"OwnHook": {
			reason:  "Spark would put its hook in the place of the application's.",
			app:     func(a *v1beta2.SparkApplication) { a.Spec.Executor.Lifecycle = &corev1.Lifecycle{} },
			want:    map[string]string{decommissionProperty: "", blocks: ""},
			warning: `spec.executor: executors that queue "etl" takes back lose what they hold, since they have a lifecycle hook`,
		},
		"Before40": {
			reason: "Spark 3.5 does not forgive such fetch failures unless it is told to.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.SparkVersion = "3.5.6" },
			want:   map[string]string{decommissionProperty: "true", retainedProperty: ""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			run := queued()
			if tt.queue != nil {
				tt.queue(run.Queue)
			}
			plan := mustPlan(t, sized(tt.app), run, testPlatform())
			got := driverProperties(t, plan)
			for key, want := range tt.want {
				if got[key] != want {
					t.Errorf("%s\n%s is %q, want %q", tt.reason, key, got[key], want)
				}
			}
			if warned := strings.Join(plan.Warnings, "\n"); (warned != "") != (tt.warning != "") || !strings.Contains(warned, tt.warning) {
				t.Errorf("%s\nwarnings %q, want %q", tt.reason, warned, tt.warning)
			}
		})
	}
}

// TestOutsideQueues is about applications that name a queue and whose run is in none: another scheduler has them.
func TestOutsideQueues(t *testing.T) {
	app := application(func(a *v1beta2.SparkApplication) {
		a.Labels = map[string]string{brazierv1alpha1.LabelQueue: "etl", "team": "sales"}
	})
	for name, run := range map[string]Run{"in none": testRun(), "in another": queued()} {
		plan := mustPlan(t, app, run, testPlatform())
		want := ""
		if run.Queue != nil {
			run.Queue.Name = "other"
			plan, want = mustPlan(t, app, run, testPlatform()), "other"
		}
		for _, service := range plan.Services {
			if _, by := service.Spec.Selector[brazierv1alpha1.LabelQueue]; by {
				t.Errorf("%s selects by the queue, which can change while the driver runs", service.Name)
			}
		}
		template := executorOf(t, plan)
		for role, got := range map[string]string{
			"driver":    plan.Driver.Labels[brazierv1alpha1.LabelQueue],
			"executors": driverProperties(t, plan)["spark.kubernetes.executor.label."+brazierv1alpha1.LabelQueue],
		} {
			if got != want {
				t.Errorf("the run is %s: its %s is counted in queue %q", name, role, got)
			}
		}
		if gated := len(template.Spec.SchedulingGates) > 0; gated != (run.Queue != nil) {
			t.Errorf("the run is %s: its executors are gated: %t", name, gated)
		}
	}
	connect := &v1alpha1.SparkConnect{}
	connect.Name, connect.Namespace, connect.Labels = "server", "team", app.Labels
	connect.Spec.SparkVersion = "4.3.0"
	plan, err := NewConnect(connect, testRun(), testPlatform())
	if err != nil {
		t.Fatal(err)
	}
	if warned := strings.Join(plan.Warnings, "\n"); !strings.Contains(warned, "metadata.labels[brazier.sh/queue]: has no effect") || plan.Server.Labels[brazierv1alpha1.LabelQueue] != "" {
		t.Errorf("a Connect server is in no queue, which it has to be told: %q, labels %v", warned, plan.Server.Labels)
	}
}

func TestQueueRefuses(t *testing.T) {
	conf := func(key, value string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{key: value} }
	}
	allocator := func(kind string) func(*v1beta2.SparkApplication) { return conf(allocatorProperty, kind) }
	const setsAllocator = "spec.sparkConf[spark.kubernetes.allocation.pods.allocator]"
	tests := map[string]struct {
		reason   string
		app      func(*v1beta2.SparkApplication)
		platform map[string]string
		want     []string // the field, the value and the way out
	}{
		"StatefulSet": {
			reason: "Its controller makes a pod anew as soon as one is taken back.", app: allocator("statefulset"),
			want: []string{setsAllocator, `"statefulset"`, `queue "etl"`, "write direct"},
		},
		"Deployment":     {reason: "So does that of a Deployment.", app: allocator("deployment"), want: []string{setsAllocator, `"deployment"`, "write direct"}},
		"AllocatorClass": {reason: "What a class does nobody knows.", app: allocator("com.example.Allocator"), want: []string{setsAllocator, `"com.example.Allocator"`, "write direct"}},
		"PlatformsAllocator": {
			reason: "It may be the platform's.", platform: map[string]string{allocatorProperty: "statefulset"},
			want: []string{"operator.sparkConf[spark.kubernetes.allocation.pods.allocator]", `"statefulset"`},
		},
		"MoreThanInstances": {
			reason: "It would wait for room that it never uses.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(3)); minExecutors(a, "4") },
			want:   []string{"metadata.annotations[brazier.sh/min-executors]", "4", "more than the 3 executors", "raise spec.executor.instances"},
		},
		"MoreThanMaximum": {
			reason: "So it would with dynamic allocation.",
			app:    func(a *v1beta2.SparkApplication) { dynamic(a).MaxExecutors = new(int32(3)); minExecutors(a, "4") },
			want:   []string{"metadata.annotations[brazier.sh/min-executors]", "raise spec.dynamicAllocation.maxExecutors"},
		},
		"NoExecutors": {
			reason: "No application begins with none.", app: func(a *v1beta2.SparkApplication) { minExecutors(a, "0") },
			want: []string{"metadata.annotations[brazier.sh/min-executors]", `"0"`, "a whole number from 1 on"},
		},
		"HalfAnExecutor": {
			reason: "Nor with a part of one.", app: func(a *v1beta2.SparkApplication) { minExecutors(a, "1.5") },
			want: []string{"metadata.annotations[brazier.sh/min-executors]", `"1.5"`, "a whole number from 1 on"},
		},
		"DriverElsewhere": {
			reason: "No node has both values of a label.", app: func(a *v1beta2.SparkApplication) { a.Spec.Driver.NodeSelector = map[string]string{"pool": "spot"} },
			want: []string{"spec.driver.nodeSelector[pool]", `"spot"`, `flavour "stable"`, `queue "etl"`, `they have "stable"`, "leave it out"},
		},
		"AllElsewhere": {
			reason: "Wherever it is said.", app: func(a *v1beta2.SparkApplication) { a.Spec.NodeSelector = map[string]string{"pool": "spot"} },
			want: []string{"spec.nodeSelector[pool]", `"spot"`},
		},
		"TemplateElsewhere": {
			reason: "In a template too.", app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeSelector: map[string]string{"pool": "spot"}}}
			},
			want: []string{"spec.driver.template.spec.nodeSelector[pool]", `"spot"`},
		},
		"Node": {
			reason: "The API server takes no gated pod that has a node.", app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeName: "n1"}}
			},
			want: []string{"spec.executor.template.spec.nodeName", `"n1"`, "leave it out"},
		},
		"RolesLabel": {
			reason: "Pods would be counted where the application is not.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Labels = map[string]string{brazierv1alpha1.LabelQueue: "other"}
			},
			want: []string{"spec.executor.labels[brazier.sh/queue]", "write it into metadata.labels"},
		},
		"PropertysLabel": {
			reason: "However it is said.", app: conf("spark.kubernetes.driver.label.brazier.sh/queue", "other"),
			want: []string{"spec.sparkConf[spark.kubernetes.driver.label.brazier.sh/queue]", "write it into metadata.labels"},
		},
		"TemplatesLabel": {
			reason: "In a template too.", app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Template = &corev1.PodTemplateSpec{}
				a.Spec.Executor.Template.Labels = map[string]string{brazierv1alpha1.LabelQueue: "other"}
			},
			want: []string{"spec.executor.template.metadata.labels[brazier.sh/queue]", "write it into metadata.labels"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			platform := testPlatform()
			platform.SparkConf = tt.platform
			_, err := New(sized(tt.app), queued(), platform)
			if err == nil {
				t.Fatalf("%s\nit was planned", tt.reason)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s\n%q has no %q", tt.reason, err, want)
				}
			}
		})
	}
}

// TestOutsideQueuesAllocators is about what is refused only in queues.
func TestOutsideQueuesAllocators(t *testing.T) {
	app := application(func(a *v1beta2.SparkApplication) {
		a.Spec.SparkConf = map[string]string{allocatorProperty: "statefulset"}
		a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeName: "n1"}}
	})
	mustPlan(t, app, testRun(), testPlatform())
}
