package capacityscheduler

import (
	"encoding/xml"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// file writes a file of Hadoop's: a line for each property, such as "root.queues=a,b". Keys that begin with yarn. are whole.
func file(lines string) []byte {
	text := "<configuration>\n"
	for line := range strings.Lines(lines) {
		key, value, ok := strings.Cut(strings.Trim(line, "\t\n"), "=")
		if !ok {
			continue
		}
		if !strings.HasPrefix(key, "yarn.") {
			key = prefix + key
		}
		text += "<property><name>" + escaped(key) + "</name><value>" + escaped(value) + "</value></property>\n"
	}
	return []byte(text + "</configuration>")
}

func escaped(text string) string {
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(text)); err != nil {
		panic(err)
	}
	return out.String()
}

func sizes() map[string]corev1.ResourceList {
	return map[string]corev1.ResourceList{"": {corev1.ResourceCPU: resource.MustParse("1000"), corev1.ResourceMemory: resource.MustParse("4000Gi")}}
}

func TestRefused(t *testing.T) {
	tests := map[string]struct {
		reason, file, want string
	}{
		"Sum": {"YARN does not start with percentages that are not 100 together.", `
			root.queues=a,b
			root.a.capacity=60
			root.b.capacity=30.5`, "yarn.scheduler.capacity.root.capacity: those of the parts of root are 90.5 percent together, and not 100; a has 60, b has 30.5"},
		"SumBelow": {"The same below the root.", `
			root.queues=a
			root.a.capacity=100
			root.a.queues=x,y
			root.a.x.capacity=50
			root.a.y.capacity=60`, "root.a.capacity: those of the parts of root.a are 110 percent together"},
		"SumOfLabel": {"The same for the nodes of a label.", `
			root.queues=a,b
			root.a.capacity=60
			root.b.capacity=40
			root.a.accessible-node-labels.gpu.capacity=60`, "root.accessible-node-labels.gpu.capacity: those of the parts of root are 60 percent together"},
		"Mixed": {"The parts of a queue are all written in one way.", `
			root.queues=a,b
			root.a.capacity=60
			root.b.capacity=1w`, "root.b.capacity: it is a weight, and that of root.a is a percent; the parts of a queue have to be written in the same way"},
		"Capacity":  {"What is no capacity is named with what one is.", "root.queues=a\nroot.a.capacity=lots", `root.a.capacity: "lots" is not a capacity; write a percentage such as 12.5`},
		"Exponent":  {"A number is not taken that would fill the memory.", "root.queues=a\nroot.a.capacity=1e999999999", "is not a capacity"},
		"TooMuch":   {"A percentage is of all there is.", "root.queues=a\nroot.a.capacity=101", `"101" is more than all; write at most 100`},
		"TooHeavy":  {"YARN's largest weight is 10000.", "root.queues=a\nroot.a.capacity=10001w", `"10001" is more than YARN takes`},
		"Vector":    {"A percentage or a weight of one resource alone is not known.", "root.queues=a\nroot.a.capacity=[memory=50%,vcores=2w]", `root.a.capacity: "memory=50%" is no amount; write for example memory=10240 (MiB) or vcores=12`},
		"Unit":      {"Units are YARN's.", "root.queues=a\nroot.a.capacity=[memory=5GB]", `"memory=5GB" is in no unit of YARN's`},
		"Maximum":   {"A limit is a percentage or amounts.", "root.queues=a\nroot.a.capacity=100\nroot.a.maximum-capacity=2w", `root.a.maximum-capacity: "2w" is not a maximum capacity`},
		"BelowOwn":  {"A limit is not below the guarantee.", "root.queues=a\nroot.a.capacity=100\nroot.a.maximum-capacity=50", `root.a.maximum-capacity: "50" is less cpu than the queue's capacity`},
		"MoreBelow": {"Parts have no more than there is to share out.", "root.queues=a\nroot.a.capacity=[memory=10]\nroot.a.queues=b\nroot.a.b.capacity=[memory=11]", "root.a.capacity: the parts of root.a have more memory together than it has itself"},
		"State":     {"A state is one of three.", "root.queues=a\nroot.a.capacity=100\nroot.a.state=PAUSED", `root.a.state: "PAUSED" is no state of a queue; write RUNNING, STOPPED or DRAINING`},
		"Whole":     {"Applications are whole.", "root.queues=a\nroot.a.capacity=100\nroot.a.maximum-applications=1.5", `root.a.maximum-applications: "1.5" is not a whole number`},
		"Number":    {"A factor is a number.", "root.queues=a\nroot.a.capacity=100\nroot.a.user-limit-factor=two", `root.a.user-limit-factor: "two" is not a number; write for example 1`},
		"Twice":     {"A queue is there once.", "root.queues=a,a", `root.queues: "a" is there twice`},
		"Dots":      {"A queue's name is one word.", "root.queues=a.b", `root.queues: "a.b" is not the name of a queue`},
		"NoQueues":  {"A file of something else says so.", "root.a.capacity=100", "root.queues: it is not there"},
		"Empty":     {"A tree without queues is none.", "root.queues= , ", "root.queues: it names no queue"},
		"Fair":      {"Another scheduler's queues are in another file.", "yarn.resourcemanager.scheduler.class=org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler\nroot.queues=a", "is another scheduler"},
		"Expression": {"A default label is one of the file's.", `
			root.queues=a
			root.a.capacity=100
			root.a.accessible-node-labels=gpu
			root.a.default-node-label-expression=gpus`, `root.a.default-node-label-expression: "gpus" is no single node label of the file; it has gpu`},
		"Labels": {"Two labels are two flavours.", `
			root.queues=a
			root.a.capacity=100
			root.a.accessible-node-labels=gpu,GPU`, `the label "gpu" would be called gpu, as are nodes of the label GPU`},
		"Mapping": {"A rule has a user or a group and a queue.", "root.queues=a\nroot.a.capacity=100\nqueue-mappings=alice", `queue-mappings: "alice" is no rule`},
		"Wait":    {"A time is in milliseconds.", "root.queues=a\nroot.a.capacity=100\nyarn.resourcemanager.monitor.capacity.preemption.max_wait_before_kill=15s", `max_wait_before_kill: "15s" is no time; write milliseconds`},
		"Round":   {"A part of one is no percentage.", "root.queues=a\nroot.a.capacity=100\nyarn.resourcemanager.monitor.capacity.preemption.total_preemption_per_round=10", `total_preemption_per_round: "10" is not a part of one`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Import(Input{Scheduler: file(tt.file), Sizes: sizes()})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\n got %v\nwant an error with %q", tt.reason, err, tt.want)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	const queues = `<property name="yarn.scheduler.capacity.root.queues" value="a"/>`
	tests := map[string]struct {
		reason, content, want string
	}{
		"Attributes": {"Hadoop 3 reads properties as attributes.", `<configuration>` + queues + `<property><name>yarn.scheduler.capacity.root.a.capacity</name><value> 100 </value></property></configuration>`, ""},
		"Final":      {"The last counts, but for a final one before it.", `<configuration>` + queues + capacity("100", "<final>true</final>") + capacity("1", "") + `</configuration>`, ""},
		"Last":       {"The last counts.", `<configuration>` + queues + capacity("1", "") + capacity("100", "") + `</configuration>`, ""},
		"Other":      {"Values of other properties are put in.", `<configuration>` + queues + capacity("${all}", "") + `<property><name>all</name><value>100</value></property></configuration>`, ""},
		"Unknown":    {"What is defined nowhere stays, and is no number.", `<configuration>` + queues + capacity("${none}", "") + `</configuration>`, `"${none}" is not a capacity`},
		"Include":    {"A file that is included is not read.", `<configuration>` + "\n" + `<xi:include href="x.xml" xmlns:xi="http://www.w3.org/2001/XInclude"/></configuration>`, "capacity-scheduler.xml: line 2: <include> is none of Hadoop's"},
		"Root":       {"Another kind of file is none of Hadoop's.", `<allocations/>`, "line 1: <allocations> is none of Hadoop's"},
		"Text":       {"A text without elements neither.", "root.queues = a", "there is no <configuration> in it"},
		"Broken":     {"A file that ends too soon is not read by half.", `<configuration>` + queues, "unexpected EOF"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := Import(Input{Scheduler: []byte(tt.content), Sizes: sizes()})
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s\n got %v\nwant an error with %q", tt.reason, err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			if cpu := result.Queues[0].Spec.Quotas[0].Guaranteed.Cpu(); cpu.Value() != 1000 {
				t.Errorf("%s\ngot %s, want all 1000 cores", tt.reason, cpu)
			}
		})
	}
}

func capacity(value, more string) string {
	return "<property><name>yarn.scheduler.capacity.root.a.capacity</name><value>" + value + "</value>" + more + "</property>"
}

// imported imports a file that has to be taken.
func imported(t *testing.T, in Input) *Result {
	t.Helper()
	result, err := Import(in)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// called returns the Queue of a name.
func (r *Result) called(t *testing.T, name string) v1alpha1.QueueSpec {
	t.Helper()
	for _, queue := range r.Queues {
		if queue.Name == name {
			return queue.Spec
		}
	}
	t.Fatalf("there is no queue %s among %d", name, len(r.Queues))
	return v1alpha1.QueueSpec{}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	result := imported(t, Input{Scheduler: file(`
		root.queues=a,b,root,A_1,` + long + `
		root.a.capacity=1w
		root.a.queues=daily,only
		root.a.daily.capacity=1w
		root.a.only.capacity=1w
		root.b.capacity=1w
		root.b.queues=daily,a-daily
		root.b.daily.capacity=1w
		root.b.a-daily.capacity=1w
		root.root.capacity=1w
		root.A_1.capacity=1w
		root.` + long + `.capacity=1w`)})
	names := map[string]string{}
	for _, queue := range result.Queues {
		names[queue.Name] = queue.Spec.Parent
	}
	want := map[string]string{
		"a": "", "b": "", "only": "a", "b-daily": "b",
		"a-daily": "b", "a-daily-" + digested("", "root.a.daily"): "a", // Its first choice is another's own name.
		"root-" + digested("", "root.root"): "", // The root's name is the root's.
		"a-1":                               "",
		digested(long, long):                "",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names are unique, and each queue finds the one that it is part of\n-want +got:\n%s", diff)
	}
}

func TestPreemption(t *testing.T) {
	const queues = `
		root.queues=a,b
		root.a.capacity=1w
		root.a.queues=x,y
		root.a.disable_preemption=true
		root.a.x.capacity=1w
		root.a.y.capacity=1w
		root.a.y.disable_preemption=false
		root.b.capacity=1w`
	tests := map[string]struct {
		reason, site string
		x, y, b      v1alpha1.Victims
	}{
		"Unknown": {"Without yarn-site.xml queues have their own default, but for those that say no.", "", v1alpha1.VictimsNone, "", ""},
		"On":      {"A queue's word comes before its parent's.", monitor + "=true", v1alpha1.VictimsNone, "", ""},
		"Off":     {"Without the monitor YARN takes nothing.", "yarn.acl.enable=true", v1alpha1.VictimsNone, v1alpha1.VictimsNone, v1alpha1.VictimsNone},
		"Observe": {"Nor when it only observes.", monitor + "=true\n" + preemption + "observe_only=true", v1alpha1.VictimsNone, v1alpha1.VictimsNone, v1alpha1.VictimsNone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := Input{Scheduler: file(queues)}
			if tt.site != "" {
				in.Site = file(tt.site)
			}
			result := imported(t, in)
			for queue, want := range map[string]v1alpha1.Victims{"x": tt.x, "y": tt.y, "b": tt.b} {
				var got v1alpha1.Victims
				if reclaim := result.called(t, queue).Reclaim; reclaim != nil {
					got = reclaim.Victims
				}
				if got != want {
					t.Errorf("%s\nqueue %s: got %q, want %q", tt.reason, queue, got, want)
				}
			}
		})
	}
}

func TestRights(t *testing.T) {
	tests := map[string]struct {
		reason, file string
		want         []Binding
	}{
		"Unset": {"The root without lists is for everybody.", "", []Binding{{Role: "brazier-queue-root", Groups: []string{everybody}}}},
		"Closed": {"A space is nobody; a space first is groups alone; who administers may submit.", `
			root.acl_submit_applications= 
			root.acl_administer_queue= 
			root.a.acl_submit_applications= eng,ops
			root.a.acl_administer_queue=zoe,ana ops`, []Binding{{Role: "brazier-queue-a", Users: []string{"ana", "zoe"}, Groups: []string{"eng", "ops"}}}},
		"Half": {"A root that forgets who administers is open, which is YARN's trap.", `
			root.acl_submit_applications= `, []Binding{{Role: "brazier-queue-root", Groups: []string{everybody}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result := imported(t, Input{Scheduler: file("root.queues=a\nroot.a.capacity=1w\n" + tt.file)})
			if diff := cmp.Diff(tt.want, result.Bindings); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestWholeNumbers(t *testing.T) {
	tests := map[string][]int32{
		"50 50":            {1, 1},
		"12.5 37.5 50":     {1, 3, 4},
		"33.33 33.33 33.3": {1111, 1111, 1110},
		"0 0":              {1, 1},
		"0 100":            {1, 100},
		"0.000001 9999.9":  {1, 1000000},
		"7":                {1},
	}
	for text, want := range tests {
		var values []*big.Rat
		for _, word := range strings.Fields(text) {
			value, _ := parseNumber(word)
			values = append(values, value)
		}
		if diff := cmp.Diff(want, wholeNumbers(values)); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", text, diff)
		}
	}
}

func TestNotesAreOneLine(t *testing.T) {
	result := imported(t, Input{Scheduler: []byte(`<configuration>
		<property><name>yarn.scheduler.capacity.root.queues</name><value>a</value></property>` + capacity("1w", "") + `
		<property><name>some.key</name><value>x
kind: Secret&#x2028;y&#x85;z</value></property></configuration>`)})
	for _, note := range result.Notes {
		if strings.ContainsAny(note.String(), "\n\r\u2028\u0085") {
			t.Errorf("a note that breaks out of its comment: %q", note)
		}
	}
	if last := result.Notes[len(result.Notes)-1]; last.Subject != "some.key = x kind: Secret y z" {
		t.Errorf("got %q", last)
	}
}

// TestDocumented sees to it that the page tells what becomes of every key.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/queue-import.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fates := range [][]fate{ofQueue(), ofAll(), ofPreemption()} {
		for _, f := range fates {
			if f.setting != "*" && !strings.Contains(string(page), "`"+f.setting+"`") {
				t.Errorf("docs/queue-import.md does not tell of `%s`: %s", f.setting, f.text)
			}
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add("root.queues=a,b\nroot.a.capacity=40\nroot.b.capacity=60\nroot.a.accessible-node-labels=gpu", "", int64(100))
	f.Add("root.queues=a,B\nroot.a.capacity=[memory=5Gi,vcores=3]\nroot.B.capacity=[memory=1]\nroot.B.maximum-capacity=[memory=3]", monitor+"=true", int64(0))
	f.Add("root.queues=a,b\nroot.a.capacity=0.3w\nroot.a.queues=b\nroot.a.b.capacity=1w\nroot.b.capacity=0w\nqueue-mappings=u:x:b", "", int64(7))
	f.Add("root.queues=a,b\nroot.a.capacity=33.4\nroot.a.maximum-capacity=50\nroot.b.capacity=66.6\nroot.b.user-limit-factor=0.2\nmaximum-applications=9", "", int64(3))
	f.Fuzz(func(t *testing.T, scheduler, site string, cpu int64) {
		in := Input{Scheduler: file(scheduler), Site: file(site)}
		if cpu > 0 {
			in.Sizes = map[string]corev1.ResourceList{"": {corev1.ResourceCPU: *resource.NewQuantity(cpu, ""), corev1.ResourceMemory: *resource.NewQuantity(cpu<<20, "")}}
		}
		result, err := Import(in)
		if err != nil {
			return
		}
		for _, note := range result.Notes {
			if err := yaml.Unmarshal([]byte("# "+note.String()+"\na: b\n"), &struct{ A string }{}); err != nil || strings.Contains(note.String(), "\n") {
				t.Errorf("a note that is no comment of YAML: %q: %v", note, err)
			}
		}
		if given := guaranteed(result); cpu > 0 && !strings.Contains(scheduler, "[") && given.Cmp(*resource.NewQuantity(cpu, "")) > 0 {
			t.Errorf("%s cores are guaranteed of %d", &given, cpu)
		}
		seen := map[string]bool{v1alpha1.RootQueue: true}
		for n, queue := range result.Queues {
			if errs := validation.IsDNS1123Label(queue.Name); len(errs) > 0 || seen[queue.Name] && (n > 0 || queue.Name != v1alpha1.RootQueue) {
				t.Errorf("the name %q: %v", queue.Name, errs)
			}
			if seen[queue.Name] = true; queue.Spec.Parent != "" && !seen[queue.Spec.Parent] {
				t.Errorf("%s is part of %s, which is not before it", queue.Name, queue.Spec.Parent)
			}
			if err := withinAPI(queue.Spec); err != nil {
				t.Errorf("%s: %v", queue.Name, err)
			}
		}
	})
}

// guaranteed are the cores that all queues are guaranteed together.
func guaranteed(result *Result) (sum resource.Quantity) {
	for _, queue := range result.Queues {
		for _, quota := range queue.Spec.Quotas {
			sum.Add(quota.Guaranteed[corev1.ResourceCPU])
		}
	}
	return sum
}

func TestRoundedPercentages(t *testing.T) {
	tests := map[string]string{ // what each of three queues says, and the cores that all of them get
		"33.33": "999900m", "33.35": "999999m",
	}
	for percent, want := range tests {
		result := imported(t, Input{Sizes: sizes(), Scheduler: file("root.queues=a,b,c\nroot.a.capacity=" + percent + "\nroot.b.capacity=" + percent + "\nroot.c.capacity=" + percent)})
		if got := guaranteed(result); got.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("three times %s percent of 1000 cores: got %s, want %s, and never more than there is", percent, &got, want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(file("root.queues=a\nroot.a.capacity=${all}\nyarn.all=100"))
	f.Add([]byte(`<configuration><property name="a" value="b"/><property><name>c</name><value>d</value><final>true</final></property></configuration>`))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := read(Input{Scheduler: content})
		if err != nil {
			return
		}
		for key, value := range s.values {
			if key == "" || key != strings.TrimSpace(key) || len(value) > tooLong+len(content) {
				t.Errorf("%q is %q", key, value)
			}
		}
	})
}

// withinAPI checks the bounds that the API has for numbers.
func withinAPI(spec v1alpha1.QueueSpec) error {
	for name, bound := range map[string]struct {
		value     *int32
		low, high int32
	}{
		"weight": {spec.Weight, 1, largestWeight}, "driverPercent": {spec.DriverPercent, 1, 100},
		"maxRunning": {spec.MaxRunning, 0, 1 << 30}, "maxWaiting": {spec.MaxWaiting, 0, 1<<31 - 1},
	} {
		if bound.value != nil && (*bound.value < bound.low || *bound.value > bound.high && name != "maxRunning") {
			return fmt.Errorf("%s is %d", name, *bound.value)
		}
	}
	if users := spec.Users; users != nil && users.Percent != nil && (*users.Percent < 1 || *users.Percent > 100) {
		return fmt.Errorf("users.percent is %d", *users.Percent)
	}
	for _, quota := range spec.Quotas {
		for name, limit := range quota.Limit {
			if guaranteed := quota.Guaranteed[name]; guaranteed.Cmp(limit) > 0 {
				return fmt.Errorf("%s of %s is more than the limit %s", &guaranteed, name, &limit)
			}
		}
	}
	return nil
}
