package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/program"
	"brazier.sh/brazier/internal/submission"
)

// job is a JOB and the flags that describe it.
type job struct {
	file      string
	arguments []string

	name           string
	class          string
	language       string
	image          string
	sparkVersion   string
	conf           []string
	driver         size
	executor       size
	executors      int32
	pyFiles        []string
	files          []string
	jars           []string
	archives       []string
	requirements   program.Requirements
	packages       []string
	serviceAccount string
}

// size is how much a driver or an executor gets.
type size struct {
	memory string
	cores  int32
}

func (j *job) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&j.name, "name", "", "the application's `name` (default: made of JOB's, with a random end)")
	flags.StringVar(&j.class, "class", "", "the `class` with the main method, for a jar")
	flags.StringVar(&j.language, "type", "", "the `language`: Python, Java, Scala or R (default: by JOB's extension)")
	flags.StringVar(&j.image, "image", "", "the container `image` (default: the operator's)")
	flags.StringVar(&j.sparkVersion, "spark-version", image.DefaultSpark, "the `version` of Spark in the image")
	flags.StringArrayVar(&j.conf, "conf", nil, "a property of Spark, `key=value`; may be repeated")
	flags.StringVar(&j.driver.memory, "driver-memory", "", "the driver's heap, a `size` such as 2g")
	flags.Int32Var(&j.driver.cores, "driver-cores", 0, "the driver's cores")
	flags.StringVar(&j.executor.memory, "executor-memory", "", "each executor's heap, a `size` such as 4g")
	flags.Int32Var(&j.executor.cores, "executor-cores", 0, "the tasks that each executor runs at once")
	flags.Int32Var(&j.executors, "executors", 0, "how many executors (default: 1)")
	flags.StringSliceVar(&j.pyFiles, "py-files", nil, "`files` for Python's module path: .py, .zip, .egg, or a folder")
	flags.StringSliceVar(&j.files, "files", nil, "`files` for the working directory of driver and executors")
	flags.StringSliceVar(&j.jars, "jars", nil, "`jars` for the class path of driver and executors")
	flags.StringSliceVar(&j.archives, "archives", nil, "`archives` or folders to unpack in the working directory; #name says into which folder")
	j.requirements.AddTo(flags)
	flags.StringSliceVar(&j.packages, "packages", nil, "Maven `coordinates` of jars, group:artifact:version")
	flags.StringVar(&j.serviceAccount, "service-account", "spark", "the service `account` of the driver")
}

// changed returns the names of the flags that the user set.
func changed(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().Visit(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}

// check names the flag, the value and the way out of the first thing that is wrong with a job; given are the flags that
// the user set.
func (j *job) check(given []string) error {
	if j.file == "" {
		return errors.New("JOB: name a Python or R file, a jar, or a manifest with -f; \"brazier run --help\" has examples")
	}
	if problems := validation.IsDNS1123Label(j.name); j.name != "" && len(problems) > 0 {
		return fmt.Errorf("--name: %q cannot be an application's name; write up to 63 of a-z, 0-9 and '-', such as %q", j.name, program.NamePrefix(j.name))
	}
	kind, err := j.kind()
	if err != nil {
		return err
	}
	if err := j.requirements.Check(kind); err != nil {
		return err
	}
	for _, memory := range []struct{ flag, value string }{{"driver-memory", j.driver.memory}, {"executor-memory", j.executor.memory}} {
		if memory.value != "" && !program.IsSize(memory.value) {
			return fmt.Errorf("--%s: %q is not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m", memory.flag, memory.value)
		}
	}
	for _, number := range []struct {
		flag  string
		value int32
	}{{"driver-cores", j.driver.cores}, {"executor-cores", j.executor.cores}, {"executors", j.executors}} {
		if number.value < 1 && slices.Contains(given, number.flag) {
			return fmt.Errorf("--%s: %d is too few; write 1 or more, or leave it out for the default", number.flag, number.value)
		}
	}
	for _, entry := range j.conf {
		key, _, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(key, "spark.") {
			return fmt.Errorf("--conf: %q is not a property of Spark; write spark.key=value", entry)
		}
	}
	return program.CheckPackages("--packages", j.packages)
}

// kind is the language of the job. Where a jar names its own main class, that is the job's.
func (j *job) kind() (v1beta2.SparkApplicationType, error) {
	kind := program.LanguageOf(j.file)
	if j.language != "" {
		kind = ""
		for _, known := range []v1beta2.SparkApplicationType{
			v1beta2.SparkApplicationTypePython, v1beta2.SparkApplicationTypeJava, v1beta2.SparkApplicationTypeScala, v1beta2.SparkApplicationTypeR,
		} {
			if strings.EqualFold(j.language, string(known)) {
				kind = known
			}
		}
		if kind == "" {
			return "", fmt.Errorf("--type: %q is not a language that Spark runs; write Python, Java, Scala or R", j.language)
		}
	}
	if kind == "" {
		return "", fmt.Errorf("JOB: %q ends in none of .py, .jar and .R; say what it is with --type Python, Java, Scala or R", j.file)
	}
	jvm := kind == v1beta2.SparkApplicationTypeJava || kind == v1beta2.SparkApplicationTypeScala
	if jvm && j.class == "" && !strings.Contains(j.file, "://") {
		class, err := submission.MainClass(j.file)
		if err != nil {
			return "", fmt.Errorf("--class: %w; write --class org.example.Main before JOB", err)
		}
		j.class = class
	}
	if jvm && j.class == "" {
		return "", fmt.Errorf("--class: %s needs the class with its main method; write --class org.example.Main before JOB", j.file)
	}
	if !jvm && j.class != "" {
		return "", fmt.Errorf("--class: %q has no meaning for %s, which is %s; leave it out", j.class, j.file, kind)
	}
	return kind, nil
}

// application turns the job into a SparkApplication. What was not asked for is left to the operator's defaults.
func (j *job) application() (*v1beta2.SparkApplication, error) {
	kind, err := j.kind()
	if err != nil {
		return nil, err
	}
	app := &v1beta2.SparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		Spec: v1beta2.SparkApplicationSpec{
			Type:                kind,
			SparkVersion:        j.sparkVersion,
			Image:               j.image,
			MainClass:           j.class,
			MainApplicationFile: j.file,
			Arguments:           slices.Clone(j.arguments),
			SparkConf:           j.properties(),
			Driver:              v1beta2.DriverSpec{SparkPodSpec: j.driver.pod()},
			Executor:            v1beta2.ExecutorSpec{SparkPodSpec: j.executor.pod()},
			Deps: v1beta2.Dependencies{
				PyFiles: slices.Clone(j.pyFiles), Files: slices.Clone(j.files), Jars: slices.Clone(j.jars),
				Archives: slices.Clone(j.archives), Packages: slices.Clone(j.packages),
			},
		},
	}
	app.Spec.Driver.ServiceAccount = j.serviceAccount
	if j.executors > 0 {
		app.Spec.Executor.Instances = new(j.executors)
	}
	if app.Name = j.name; app.Name == "" {
		app.GenerateName = program.NamePrefix(j.file) + "-"
	}
	return app, nil
}

func (s size) pod() v1beta2.SparkPodSpec {
	pod := v1beta2.SparkPodSpec{Memory: s.memory}
	if s.cores > 0 {
		pod.Cores = new(s.cores)
	}
	return pod
}

func (j *job) properties() map[string]string {
	if len(j.conf) == 0 {
		return nil
	}
	properties := make(map[string]string, len(j.conf))
	for _, entry := range j.conf {
		key, value, _ := strings.Cut(entry, "=")
		properties[key] = value
	}
	return properties
}
