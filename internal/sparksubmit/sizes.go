package sparksubmit

import (
	"strings"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// roles are the pods of an application by the names that properties have for them.
func (r *reader) roles() map[string]*v1beta2.SparkPodSpec {
	return map[string]*v1beta2.SparkPodSpec{"driver": &r.app.Spec.Driver.SparkPodSpec, "executor": &r.app.Spec.Executor.SparkPodSpec}
}

// each calls do for the driver and then for the executors, so that what is said has the same order each time.
func (r *reader) each(do func(role string, pod *v1beta2.SparkPodSpec)) {
	roles := r.roles()
	do("driver", roles["driver"])
	do("executor", roles["executor"])
}

// sizes are memory, cores and options of the JVM.
func (r *reader) sizes() {
	r.each(func(role string, pod *v1beta2.SparkPodSpec) {
		r.size("spark."+role+".memory", &pod.Memory)
		r.size("spark."+role+".memoryOverhead", &pod.MemoryOverhead)
		if said, ok := r.settings.take("spark." + role + ".cores"); ok && said.value != "" {
			if n, ok := r.number(said, 1); ok {
				pod.Cores = new(n)
			}
		}
		if said, ok := r.settings.take("spark." + role + ".extraJavaOptions"); ok {
			if strings.Contains(said.value, "-Xmx") {
				r.fail("%s: %q sets the heap, which Spark does itself; write --%s-memory", said.said, said.value, role)
			}
			pod.JavaOptions = said.value
		}
	})
}

func (r *reader) size(key string, field *string) {
	said, ok := r.settings.take(key)
	if !ok || said.value == "" {
		return
	}
	value := strings.TrimSpace(said.value)
	if !program.IsSize(value) || strings.Trim(value, "0bBkKmMgGtTpP") == "" {
		r.fail("%s: %q is not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m", said.said, said.value)
	}
	*field = value
}

// executors is how many there are: Spark's own number where nobody says, unless they come and go.
func (r *reader) executors() {
	spec := &r.app.Spec
	dynamic := spec.DynamicAllocation != nil
	total, limited := r.settings.take("spark.cores.max")
	said, ok := r.settings.take("spark.executor.instances")
	switch {
	case ok && said.value != "":
		least := 1
		if dynamic {
			least = 0
		}
		if n, ok := r.number(said, least); ok {
			spec.Executor.Instances = new(n)
		}
	case limited && (r.master == standalone || r.master == mesos):
		r.divide(total)
		return
	case !dynamic:
		spec.Executor.Instances = new(int32(defaultExecutors))
	}
	if limited {
		r.note("%s: is left out; it bounds the cores on a standalone cluster only, and --num-executors and --executor-cores do here", total.said)
	}
}

// divide makes executors of the cores that an application may have on a standalone cluster.
func (r *reader) divide(total setting) {
	n, ok := r.number(total, 1)
	if !ok {
		return
	}
	each := int32(1)
	if cores := r.app.Spec.Executor.Cores; cores != nil {
		each = *cores
	}
	count := max(n/each, 1)
	r.app.Spec.Executor.Instances = new(count)
	r.note("%s: %d cores are %d executors of %d here; --num-executors and --executor-cores say it otherwise", total.said, n, count, each)
}

// dynamicAllocation moves to its field, where it is checked, and without a shuffle service tracks shuffle files.
func (r *reader) dynamicAllocation() {
	const prefix = "spark.dynamicAllocation."
	said, ok := r.settings[prefix+"enabled"]
	if !ok || !strings.EqualFold(strings.TrimSpace(said.value), "true") {
		return
	}
	delete(r.settings, prefix+"enabled")
	dynamic := &v1beta2.DynamicAllocation{Enabled: true}
	for _, count := range []struct {
		key   string
		least int
		field **int32
	}{
		{"minExecutors", 0, &dynamic.MinExecutors}, {"maxExecutors", 1, &dynamic.MaxExecutors}, {"initialExecutors", 0, &dynamic.InitialExecutors},
	} {
		if said, ok := r.settings.take(prefix + count.key); ok && said.value != "" {
			if n, ok := r.number(said, count.least); ok {
				*count.field = new(n)
			}
		}
	}
	if least, first := dynamic.MinExecutors, dynamic.InitialExecutors; least != nil && first != nil && *first < *least {
		dynamic.InitialExecutors = new(*least) // Spark takes the larger: Utils.getDynamicAllocationInitialExecutors.
	}
	if tracking, ok := r.settings.take(prefix + "shuffleTracking.enabled"); ok {
		dynamic.ShuffleTrackingEnabled = new(strings.EqualFold(strings.TrimSpace(tracking.value), "true"))
	}
	r.app.Spec.DynamicAllocation = dynamic
}
