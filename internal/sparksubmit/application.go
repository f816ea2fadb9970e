package sparksubmit

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// AnnotationName is an annotation with the application's name as it was given: an object's own has to be in lower case.
const AnnotationName = "brazier.sh/name"

// defaultExecutors is how many executors Spark asks for: SchedulerBackendUtils.DEFAULT_NUMBER_EXECUTORS.
const defaultExecutors = 2

// defaultRetries is how often a run is tried again where only --restart-policy OnFailure is said.
const defaultRetries = 3

// submission turns the line and the settings into an application: what has a field goes there, everything else stays a
// property.
func (r *reader) submission() {
	r.app = &v1beta2.SparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
	}
	r.app.Namespace = r.command.Namespace
	r.app.Spec.SparkVersion = cmp.Or(r.line.values["spark-version"], r.env.SparkVersion)
	r.command.App = r.app
	r.command.Called = program.CalledByFlags()

	r.remote()
	r.following()
	r.translate()
	r.program()
	r.name()
	r.restarts()
	r.dependencies()
	r.kerberos()
	r.sizes()
	r.dynamicAllocation()
	r.executors()
	r.kubernetes()
	r.leaveOut()
	r.environment()
	r.requirements()
	if len(r.settings) > 0 {
		r.app.Spec.SparkConf = map[string]string{}
		for key, said := range r.settings {
			r.app.Spec.SparkConf[key] = said.value
		}
	}
}

// remote refuses what wants a client of Spark Connect on this machine.
func (r *reader) remote() {
	if said, ok := r.settings.take("spark.remote"); ok {
		r.fail("%s: %q is a Spark Connect server, whose client runs on this machine; run the program with Python, "+
			"and bring it to a server in the cluster with \"brazier connect\"", said.said, said.value)
	}
}

// following is how the job is shown: the deploy mode, and whether its end is waited for.
func (r *reader) following() {
	said, _ := r.settings.take("spark.submit.deployMode")
	switch said.value {
	case "", "client":
	case "cluster":
		r.clusterMode = true
	default:
		r.fail("%s: %q is no deploy mode; write client or cluster", said.said, said.value)
	}
	c, values := r.command, r.line.values
	c.Detach = values["detach"] != ""
	for _, key := range []string{"spark.kubernetes.submission.waitAppCompletion", "spark.yarn.submit.waitAppCompletion"} {
		wait, ok := r.settings.take(key)
		if ok && strings.EqualFold(wait.value, "false") && r.clusterMode && (r.isYARN() || !strings.HasPrefix(key, "spark.yarn.")) {
			c.Detach = true
		}
	}
	c.Logs = (values["logs"] != "" || !r.clusterMode) && !c.Detach
	c.DryRun, c.Output = values["dry-run"] != "", cmp.Or(values["output"], "yaml")
	switch {
	case c.Output != "yaml" && c.Output != "json":
		r.fail("--output: %q is not a form; write yaml or json", c.Output)
	case values["output"] != "" && !c.DryRun:
		r.fail("--output: only --dry-run prints a manifest; add it")
	case values["logs"] != "" && c.Detach:
		r.fail("--logs: nobody is there to see them after --detach; leave out one of the two")
	}
}

// program is what is run: its file, language, class and arguments.
func (r *reader) program() {
	l, spec := r.line, &r.app.Spec
	spec.MainApplicationFile, spec.Arguments = l.file, slices.Clone(l.arguments)
	spec.ProxyUser = l.values["proxy-user"]
	if l.file == "" {
		r.fail("JOB: name a Python or R file, or a jar, after the options; \"brazier submit --help\" has examples")
		return
	}
	spec.Type = cmp.Or(program.LanguageOf(l.file), v1beta2.SparkApplicationTypeJava) // Spark takes what it does not know for a jar.
	spec.MainClass = l.values["class"]
	switch spec.MainClass {
	case "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
		"org.apache.spark.sql.connect.service.SparkConnectServer", "org.apache.spark.repl.Main":
		r.fail("--class: %s is a shell or a server of Spark's own, and no job; apply a SparkConnect and reach it with \"brazier connect\"", spec.MainClass)
	}
	if spec.Type != v1beta2.SparkApplicationTypeJava {
		if spec.MainClass != "" {
			r.note("--class: %s is left out; %s is run by Spark's own class for %s", spec.MainClass, l.file, spec.Type)
			spec.MainClass = ""
		}
		return
	}
	r.class()
}

// class finds the main class of a jar that does not have it named.
func (r *reader) class() {
	spec := &r.app.Spec
	if spec.MainClass != "" {
		return
	}
	file, onDisk := program.OnDisk(r.line.file)
	if !onDisk {
		r.fail("--class: %s is not on this machine, so that its manifest cannot tell the class with the main method; write --class org.example.Main", r.line.file)
		return
	}
	class, err := r.env.MainClass(file)
	if err != nil {
		r.fail("--class: %w; write --class org.example.Main, or the right path of the jar", err)
	} else if class == "" {
		r.fail("--class: %s does not name the class with its main method; write --class org.example.Main", r.line.file)
	}
	spec.MainClass = class
}

// name calls the application as the user does, or after its file. Scripts run again and again under one name, so that a
// random end is added unless --application says otherwise.
func (r *reader) name() {
	said, ok := r.settings.take("spark.app.name")
	name := said.value
	if !ok && r.isYARN() {
		name = r.env.Getenv("SPARK_YARN_APP_NAME")
	}
	switch {
	case name != "":
		r.annotate(AnnotationName, name)
		r.app.GenerateName = program.AsName(name) + "-"
	case r.line.file == "spark-internal":
		class := r.app.Spec.MainClass
		r.app.GenerateName = program.AsName(class[strings.LastIndex(class, ".")+1:]) + "-"
	default:
		r.app.GenerateName = program.NamePrefix(r.line.file) + "-"
	}
	exact := r.line.values["application"]
	if exact == "" {
		return
	}
	if problems := validation.IsDNS1123Label(exact); len(problems) > 0 {
		r.fail("--application: %q cannot be an application's name; write up to 63 of a-z, 0-9 and '-', such as %q", exact, program.AsName(exact))
	}
	r.app.Name, r.app.GenerateName = exact, ""
}

func (r *reader) annotate(key, value string) {
	if r.app.Annotations == nil {
		r.app.Annotations = map[string]string{}
	}
	r.app.Annotations[key] = value
}

// queue puts the application into a queue: of the scheduler that it names, else of Brazier's own. YARN takes the path of a
// queue or the end of it; ours have names of their own.
func (r *reader) queue() {
	r.app.Spec.BatchScheduler = r.line.values["batch-scheduler"]
	said, ok := r.settings.take("spark.yarn.queue")
	switch {
	case !ok || said.value == "":
	case r.app.Spec.BatchScheduler != "":
		r.app.Spec.BatchSchedulerOptions = &v1beta2.BatchSchedulerConfiguration{Queue: said.value}
	default:
		name := said.value[strings.LastIndex(said.value, ".")+1:]
		if errs := validation.IsDNS1123Label(name); len(errs) > 0 {
			r.fail("%s: %q is no name of a queue: %s", said.said, said.value, strings.Join(errs, "; "))
			return
		}
		r.app.Labels = map[string]string{v1alpha1.LabelQueue: name}
		r.note("%s: the application goes into the queue %q, by the label %s", said.said, name, v1alpha1.LabelQueue)
	}
}

// attempts is how often YARN would run the driver. A driver in client mode it would run once.
func (r *reader) attempts() {
	said, ok := r.settings["spark.yarn.maxAppAttempts"]
	if !ok || !r.isYARN() {
		return // The rules say what becomes of it.
	}
	delete(r.settings, "spark.yarn.maxAppAttempts")
	n, ok := r.number(said, 1)
	switch {
	case !ok || n == 1:
	case !r.clusterMode:
		r.note("%s: is left out; YARN would start the driver again in cluster mode only; --retries %d does here", said.said, n-1)
	default:
		r.retry(n - 1)
	}
}

func (r *reader) retry(n int32) {
	r.app.Spec.RestartPolicy.Type = v1beta2.RestartPolicyOnFailure
	r.app.Spec.RestartPolicy.OnFailureRetries = new(n)
	r.app.Spec.RestartPolicy.OnSubmissionFailureRetries = new(n)
}

// restarts reads the options that say how often the driver is started. Brazier's own win.
func (r *reader) restarts() {
	values := r.line.values
	if values["supervise"] != "" {
		switch r.master {
		case standalone, mesos, noMaster:
			r.retry(math.MaxInt32)
		case yarn, kubernetes, onlyLocal:
			r.note("--supervise: has no effect with this master, as in spark-submit; --retries N starts the driver again")
		}
	}
	policy := &r.app.Spec.RestartPolicy
	if kind := values["restart-policy"]; kind != "" {
		switch v1beta2.RestartPolicyType(kind) {
		case v1beta2.RestartPolicyNever, v1beta2.RestartPolicyAlways:
			*policy = v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyType(kind)}
		case v1beta2.RestartPolicyOnFailure:
			r.retry(defaultRetries)
		default:
			r.fail("--restart-policy: %q is none; write Never, OnFailure or Always", kind)
		}
	}
	if retries := values["retries"]; retries != "" {
		if policy.Type == v1beta2.RestartPolicyNever || policy.Type == v1beta2.RestartPolicyAlways {
			r.fail("--retries: %q has no meaning with --restart-policy %s; write --restart-policy OnFailure or leave it out", retries, policy.Type)
		}
		if n, ok := r.number(setting{retries, "--retries"}, 0); ok {
			r.retry(n)
		}
	}
}

// dependencies move to the fields whose local files are uploaded.
func (r *reader) dependencies() {
	deps := &r.app.Spec.Deps
	lists := []struct {
		key, field string
		list       *[]string
	}{
		{"spark.jars", program.FieldJars, &deps.Jars},
		{"spark.files", program.FieldFiles, &deps.Files},
		{"spark.archives", program.FieldArchives, &deps.Archives},
		{"spark.submit.pyFiles", program.FieldPyFiles, &deps.PyFiles},
		{"spark.jars.packages", "", &deps.Packages},
		{"spark.jars.excludes", "", &deps.ExcludePackages},
		{"spark.jars.repositories", "", &deps.Repositories},
	}
	for _, place := range lists {
		said, ok := r.settings.take(place.key)
		if !ok {
			continue
		}
		*place.list = split(said.value)
		if place.field != "" {
			r.command.Called[place.field] = said.said
		}
		if place.key == "spark.jars.packages" {
			if err := program.CheckPackages(said.said, *place.list); err != nil {
				r.errs = append(r.errs, err)
			}
		}
	}
	for _, file := range deps.PyFiles {
		if ext := strings.ToLower(path.Ext(strings.TrimRight(file, "/"))); ext == ".whl" {
			r.note("%s: %s is a wheel, which Python imports from a path only if it has no compiled code in it; --requirements brings wheels along unpacked",
				r.command.Called[program.FieldPyFiles], file)
		}
	}
}

// split takes a list with commas apart: Utils.stringToSeq.
func split(list string) []string {
	var all []string
	for _, item := range strings.Split(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

func (r *reader) requirements() {
	values := r.line.values
	wanted := program.Requirements{
		File:   values["requirements"],
		Python: cmp.Or(values["python-version"], program.DefaultPython), Architecture: cmp.Or(values["architecture"], program.DefaultArchitecture),
	}
	if err := wanted.Check(r.app.Spec.Type); err != nil {
		r.errs = append(r.errs, err)
	}
	r.command.Requirements = wanted
}

// number reads a whole number of at least least.
func (r *reader) number(said setting, least int) (int32, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(said.value), 10, 32)
	if err != nil || n < int64(least) {
		r.fail("%s: %q is not a whole number of %d or more; write such as %d", said.said, said.value, least, max(least, 2))
		return 0, false
	}
	return int32(n), true
}
