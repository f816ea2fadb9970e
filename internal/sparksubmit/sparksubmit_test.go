package sparksubmit_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/sparksubmit"
)

func read(t *testing.T, env map[string]string, args ...string) (*sparksubmit.Command, error) {
	t.Helper()
	return sparksubmit.Read(args, environment(env))
}

// TestSparkOptions compares the options with those that SparkSubmitOptionParser has in Spark 3.5 to 4.3.
func TestSparkOptions(t *testing.T) {
	want := strings.Fields(`archives class conf deploy-mode driver-class-path driver-cores driver-default-class-path driver-java-options
		driver-library-path driver-memory exclude-packages executor-cores executor-memory extra-properties-file files help jars keytab kill
		load-spark-defaults master name num-executors packages principal properties-file proxy-user py-files queue remote repositories status
		supervise total-executor-cores usage-error verbose version`)
	var got []string
	seen := map[string]bool{}
	for _, option := range sparksubmit.Options() {
		if !option.Own {
			got = append(got, option.Name)
		}
		for _, word := range []string{"--" + option.Name, "-" + option.Short} {
			if seen[word] && word != "-" {
				t.Errorf("%s is the word of two options", word)
			}
			seen[word] = true
		}
		if option.Help == "" || option.Becomes == "" {
			t.Errorf("--%s: nothing says what it is for, or what becomes of it", option.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		args []string
		env  map[string]string
		want []string
	}{
		"Nothing":         {nil, nil, []string{"JOB: name a Python or R file, or a jar, after the options"}},
		"Typo":            {[]string{"--num-executor", "3", "a.py"}, nil, []string{"--num-executor: there is no such option; did you mean --num-executors?"}},
		"TypoOfShort":     {[]string{"-conf", "a=b"}, nil, []string{"-conf: there is no such option; did you mean --conf?"}},
		"TypoJoined":      {[]string{"--excutor-memory=3g", "a.py"}, nil, []string{"--excutor-memory: there is no such option; did you mean --executor-memory?"}},
		"OptionOfTheJob":  {[]string{"--zzzzzzzzzz", "a.py"}, nil, []string{`"brazier submit --help" lists them, and options of the job itself come after JOB`}},
		"ValueAtTheEnd":   {[]string{"--master"}, nil, []string{"--master: it has no value; write --master URL"}},
		"ValueForgotten":  {[]string{"--master", "--deploy-mode", "cluster", "a.py"}, nil, []string{"--master: it has no value"}},
		"SwitchWithValue": {[]string{"--supervise=yes", "a.py"}, nil, []string{`--supervise: it takes no value, and has "yes"`}},
		"Conf":            {[]string{"--conf", "spark.x", "a.py"}, nil, []string{`--conf: "spark.x" is not a property; write key=value`}},
		"ConfWithBlanks":  {[]string{"--conf", "spark.x = y", "a.py"}, nil, []string{`--conf: "spark.x = y" is not a property`}},
		"BlankWord":       {[]string{"--master", "yarn", " ", "--name", "x", "a.py"}, nil, []string{"JOB: it is blank; in a script, look for a blank behind the backslash"}},
		"Master":          {[]string{"--master", "yern", "a.py"}, nil, []string{`--master: "yern" is no master that Spark knows; write yarn, k8s://`}},
		"OldMaster":       {[]string{"--master", "yarn-cluster", "a.py"}, nil, []string{`--master: "yarn-cluster" is of Spark 1; write --master yarn --deploy-mode cluster`}},
		"MasterVariable":  {[]string{"a.py"}, map[string]string{"MASTER": "?"}, []string{`$MASTER: "?" is no master`}},
		"Mode":            {[]string{"--deploy-mode", "custer", "a.py"}, nil, []string{`--deploy-mode: "custer" is no deploy mode; write client or cluster`}},
		"Memory": {[]string{"--driver-memory", "1 GB", "--executor-memory", "0g", "a.py"}, nil, []string{
			`--driver-memory: "1 GB" is not a size that Spark reads; write a whole number and a unit, such as 1g`, `--executor-memory: "0g" is not a size`,
		}},
		"MemoryOfVariable": {[]string{"a.py"}, map[string]string{"SPARK_EXECUTOR_MEMORY": "2.5g"}, []string{`$SPARK_EXECUTOR_MEMORY: "2.5g" is not a size`}},
		"MemoryOfConf":     {[]string{"--conf", "spark.driver.memory=lots", "a.py"}, nil, []string{`--conf spark.driver.memory: "lots" is not a size`}},
		"Numbers": {[]string{"--num-executors", "0", "--executor-cores", "two", "--driver-cores", "-1", "a.py"}, nil, []string{
			`--num-executors: "0" is not a whole number of 1 or more`, `--executor-cores: "two" is not a whole number`, `--driver-cores: "-1" is not a whole number`,
		}},
		"Heap":          {[]string{"--driver-java-options", "-Xmx2g", "a.py"}, nil, []string{`--driver-java-options: "-Xmx2g" sets the heap, which Spark does itself; write --driver-memory`}},
		"Packages":      {[]string{"--packages", "a:b:1,postgresql", "a.py"}, nil, []string{`--packages: "postgresql" is not what Maven calls a jar`}},
		"Shell":         {[]string{"--master", "yarn", "pyspark-shell"}, nil, []string{"JOB: pyspark-shell is for a shell", `"brazier connect"`}},
		"SQLShell":      {[]string{"--class", "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "spark-internal"}, nil, []string{"--class: org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver is a shell"}},
		"Remote":        {[]string{"--remote", "sc://host", "a.py"}, nil, []string{`--remote: "sc://host" is a Spark Connect server`, `"brazier connect"`}},
		"RunExample":    {[]string{"run-example", "SparkPi"}, nil, []string{"JOB: run-example is not known; name the example's class and jar"}},
		"NoClass":       {[]string{"s3a://b/a.jar"}, nil, []string{"--class: s3a://b/a.jar is not on this machine, so that its manifest cannot tell the class"}},
		"NoMainClass":   {[]string{"target/library.jar"}, nil, []string{"--class: target/library.jar does not name the class"}},
		"NoJar":         {[]string{"target/none.jar"}, nil, []string{"--class: open target/none.jar: no such file"}},
		"NoFile":        {[]string{"--properties-file", "none.properties", "a.py"}, nil, []string{"--properties-file: open testdata/none.properties"}},
		"Keytab":        {[]string{"--principal", "me", "--keytab", "/home/me/me.keytab", "a.py"}, nil, []string{`--keytab: "/home/me/me.keytab" is a file on this machine, and a secret`, "--keytab local:///etc/keytab"}},
		"OldKeytab":     {[]string{"--conf", "spark.yarn.keytab=me.keytab", "a.py"}, nil, []string{`--conf spark.yarn.keytab: "me.keytab" is a file on this machine`}},
		"TwoUsers":      {[]string{"--principal", "me", "--proxy-user", "you", "a.py"}, nil, []string{`--principal: "me" is given as well as --proxy-user`}},
		"Namespaces":    {[]string{"-n", "a", "--conf", "spark.kubernetes.namespace=b", "a.py"}, nil, []string{`--namespace: "a" is not what --conf spark.kubernetes.namespace says, "b"`}},
		"Application":   {[]string{"--application", "My_Job", "a.py"}, nil, []string{`--application: "My_Job" cannot be an application's name`, `such as "my-job"`}},
		"Policy":        {[]string{"--restart-policy", "Sometimes", "a.py"}, nil, []string{`--restart-policy: "Sometimes" is none; write Never, OnFailure or Always`}},
		"Retries":       {[]string{"--restart-policy", "Never", "--retries", "2", "a.py"}, nil, []string{`--retries: "2" has no meaning with --restart-policy Never`}},
		"PullPolicy":    {[]string{"--conf", "spark.kubernetes.container.image.pullPolicy=Mabye", "a.py"}, nil, []string{`"Mabye" is not when an image is pulled`}},
		"Template":      {[]string{"--conf", "spark.kubernetes.driver.podTemplateFile=none.yaml", "a.py"}, nil, []string{"--conf spark.kubernetes.driver.podTemplateFile: open testdata/none.yaml"}},
		"TemplateText":  {[]string{"--conf", "spark.kubernetes.driver.podTemplateFile=job.properties", "a.py"}, nil, []string{"job.properties is not a pod"}},
		"TemplateAway":  {[]string{"--conf", "spark.kubernetes.driver.podTemplateFile=s3a://b/t.yaml", "a.py"}, nil, []string{`"s3a://b/t.yaml" is not a file on this machine; download it`}},
		"SecretKey":     {[]string{"--conf", "spark.kubernetes.driver.secretKeyRef.A=b", "a.py"}, nil, []string{`"b" does not name a key of a Secret; write secret:key`}},
		"SecretPath":    {[]string{"--conf", "spark.kubernetes.driver.secrets.a=b", "a.py"}, nil, []string{`"b" is not a path to mount the Secret at`}},
		"Volume":        {[]string{"--conf", "spark.kubernetes.driver.volumes.emptyDir=b", "a.py"}, nil, []string{"it is not of the form spark.kubernetes.driver.volumes.KIND.NAME.mount.path"}},
		"Krb5":          {[]string{"--conf", "spark.kubernetes.kerberos.krb5.path=/etc/krb5.conf", "a.py"}, nil, []string{"put it into a ConfigMap under the key krb5.conf"}},
		"KillAndStatus": {[]string{"--kill", "a", "--status", "b"}, nil, []string{"--status: --kill is given as well; keep one of the two"}},
		"KillDryRun":    {[]string{"--kill", "a", "--dry-run"}, nil, []string{"--dry-run: there is no manifest to print for --kill"}},
		"Output":        {[]string{"--dry-run", "-o", "wide", "a.py"}, nil, []string{`--output: "wide" is not a form; write yaml or json`}},
		"OutputAlone":   {[]string{"-o", "yaml", "a.py"}, nil, []string{"--output: only --dry-run prints a manifest"}},
		"DetachedLogs":  {[]string{"--detach", "--logs", "a.py"}, nil, []string{"--logs: nobody is there to see them"}},
		"Requirements":  {[]string{"--requirements", "r.txt", "--class", "A", "a.jar"}, nil, []string{`--requirements: "r.txt" are packages of Python, and the job is Java`}},
		"TwoMistakes":   {[]string{"--master", "x", "--executor-memory", "y", "a.py"}, nil, []string{`--master: "x"`, `--executor-memory: "y"`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, tt.env, tt.args...)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error with %s", err, want)
				}
			}
		})
	}
}

// TestPrecedence says one property in more and more places: options, --conf, the extra file, the file, the defaults, the
// environment, each of which wins over those after it.
func TestPrecedence(t *testing.T) {
	file := func(content string) string {
		t.Helper()
		out, err := os.CreateTemp("testdata", "precedence-*.properties")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(out.Name()) })
		if _, err := out.WriteString(content); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(out.Name(), "testdata/")
	}
	env := map[string]string{"SPARK_EXECUTOR_MEMORY": "1g"}
	defaults := map[string]string{"SPARK_EXECUTOR_MEMORY": "1g", "SPARK_CONF_DIR": "conf"} // 8g
	own, extra := file("spark.executor.memory=3g\n"), file("spark.executor.memory 4g")
	tests := []struct {
		reason string
		env    map[string]string
		args   []string
		want   string
	}{
		{"The environment is better than nothing.", env, nil, "1g"},
		{"The defaults win over the environment.", defaults, nil, "8g"},
		{"A properties file takes the defaults' place.", defaults, []string{"--properties-file", own}, "3g"},
		{"It wins over the defaults that are asked for beside it.", defaults, []string{"--properties-file", own, "--load-spark-defaults"}, "3g"},
		{"An extra file wins over it.", defaults, []string{"--properties-file", own, "--extra-properties-file", extra}, "4g"},
		{"--conf wins over files.", defaults, []string{"--properties-file", own, "--extra-properties-file", extra, "--conf", "spark.executor.memory=5g"}, "5g"},
		{"The later of two counts.", defaults, []string{"--conf", "spark.executor.memory=5g", "-c", "spark.executor.memory=6g"}, "6g"},
		{"An option wins over all, wherever it stands.", defaults, []string{"--executor-memory", "7g", "--conf", "spark.executor.memory=5g"}, "7g"},
		{"The newer name wins over the older one.", nil, []string{"--conf", "spark.yarn.executor.memoryOverhead=1g", "--conf", "spark.executor.memoryOverhead=2g", "--executor-memory", "7g"}, "7g 2g"},
	}
	for _, tt := range tests {
		command, err := read(t, tt.env, append(tt.args, "job.py")...)
		if err != nil {
			t.Fatalf("%s\n%v", tt.reason, err)
		}
		executor := command.App.Spec.Executor
		if got := strings.TrimSpace(executor.Memory + " " + executor.MemoryOverhead); got != tt.want {
			t.Errorf("%s\ngot %s, want %s", tt.reason, got, tt.want)
		}
	}
}

func TestActions(t *testing.T) {
	tests := map[string]struct {
		args []string
		want sparksubmit.Command
	}{
		"Kill":            {[]string{"--kill", "ns:pod*", "--master", "k8s://api:6443"}, sparksubmit.Command{Action: sparksubmit.Kill, ID: "ns:pod*", Master: "https://api:6443"}},
		"Status":          {[]string{"--status=ns:pod", "--kubeconfig", "f", "--context", "c", "-n", "ns"}, sparksubmit.Command{Action: sparksubmit.Status, ID: "ns:pod", Kubeconfig: "f", Context: "c", Namespace: "ns"}},
		"Version":         {[]string{"--version", "--nonsense"}, sparksubmit.Command{Action: sparksubmit.Version}},
		"Help":            {[]string{"-h"}, sparksubmit.Command{Action: sparksubmit.Help}},
		"UsageError":      {[]string{"--usage-error"}, sparksubmit.Command{Action: sparksubmit.UsageError}},
		"HelpAfterOthers": {[]string{"--master", "yarn", "--help"}, sparksubmit.Command{Action: sparksubmit.Help}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, nil, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestVerbose(t *testing.T) {
	command, err := read(t, map[string]string{"SPARK_CONF_DIR": "conf"}, "-v", "--executor-memory", "1g", "--conf", "spark.hadoop.fs.s3a.secret.key=geheim", "job.py")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(command.Properties, "\n")
	for _, want := range []string{
		"spark.executor.memory=1g (--executor-memory)", "spark.eventLog.dir=hdfs:///history (spark.eventLog.dir in conf/spark-defaults.conf)",
		"spark.hadoop.fs.s3a.secret.key=(not shown) (--conf spark.hadoop.fs.s3a.secret.key)",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("want %q in\n%s", want, all)
		}
	}
	if strings.Contains(all, "geheim") {
		t.Errorf("a secret must not be shown:\n%s", all)
	}
}

// TestCalled says that errors about files name the place where the user wrote them.
func TestCalled(t *testing.T) {
	command, err := read(t, map[string]string{"SPARK_CONF_DIR": "conf"}, "--jars", "a.jar", "--conf", "spark.files=b.txt", "job.py")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"spec.mainApplicationFile": "JOB", "spec.deps.jars": "--jars", "spec.deps.files": "--conf spark.files",
		"spec.deps.pyFiles": "--py-files", "spec.deps.archives": "--archives",
	}
	if diff := cmp.Diff(want, command.Called); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzRead looks for command lines that end in a panic, or that lose an argument of the job.
func FuzzRead(f *testing.F) {
	f.Add("--master\nyarn\n--conf\nspark.a=b\njob.py\n--x")
	f.Add("--conf=spark.kubernetes.driver.volumes.emptyDir.a.mount.path=/x\n-c\nspark.yarn.dist.files=a\njob.py")
	f.Add("--kill\nx:y*")
	f.Add("--properties-file\njob.properties\n--load-spark-defaults\nlib.jar")
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		command, err := read(t, map[string]string{"SPARK_CONF_DIR": "conf"}, args...)
		if err != nil || command.App == nil {
			return
		}
		count := len(command.App.Spec.Arguments)
		if diff := cmp.Diff(args[len(args)-count:], command.App.Spec.Arguments); count > 0 && diff != "" {
			t.Errorf("%q: the job's arguments are the last words\n-want +got:\n%s", text, diff)
		}
		if main := args[len(args)-count-1]; command.App.Spec.MainApplicationFile != main {
			t.Errorf("%q: the word before them is the job, got %q", text, command.App.Spec.MainApplicationFile)
		}
	})
}
