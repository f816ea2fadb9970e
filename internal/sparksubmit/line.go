package sparksubmit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// line is a command line that has been taken apart, and not yet understood.
type line struct {
	// values are those of options, the last of each; a switch has the value "true".
	values map[string]string
	conf   []property
	extra  []string // --extra-properties-file
	// file is the primary resource, and arguments are what follows it.
	file      string
	arguments []string
}

// property is a key and a value of --conf.
type property struct{ key, value string }

func (l *line) has(option string) bool { return l.values[option] != "" }

// actions are options that ask for something else than a submission.
func actions() []string { return []string{"help", "usage-error", "version", "kill", "status"} }

// parse takes a command line apart by the rules of SparkSubmitOptionParser.parse: "--option value" and "--option=value",
// the first word that is no option is the primary resource, and all after it are the application's.
func parse(args []string) (*line, error) {
	l := &line{values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, joined := args[i], "", false
		if strings.HasPrefix(name, "--") {
			name, value, joined = strings.Cut(args[i], "=")
		}
		option, known := find(name)
		switch {
		case !known && strings.HasPrefix(args[i], "-"):
			return nil, unknown(name)
		case !known:
			l.file, l.arguments = args[i], args[i+1:]
			return l, checkFile(l.file)
		case option.Value == "" && joined:
			return nil, fmt.Errorf("%s: it takes no value, and has %q; write %s alone", name, value, name)
		case option.Value == "":
			value = "true"
		case !joined:
			var ok bool
			if value, ok = next(args, i); !ok {
				return nil, fmt.Errorf("%s: it has no value; write %s %s", name, name, option.Value)
			}
			i++
		}
		if err := l.add(option, value); err != nil {
			return nil, err
		}
		if option.Name == "version" || option.Name == "help" || option.Name == "usage-error" {
			return l, nil // Nothing behind them counts: SparkSubmitArguments.handle.
		}
	}
	return l, nil
}

// next is the word after the i-th, unless that is an option: nobody calls a value "--master". An empty word is what a
// script has for a variable that is not set; it counts as if the option were not there.
func next(args []string, i int) (string, bool) {
	if i+1 == len(args) {
		return "", false
	}
	if name, _, _ := strings.Cut(args[i+1], "="); strings.HasPrefix(name, "--") {
		if _, isOption := find(name); isOption {
			return "", false
		}
	}
	return args[i+1], true
}

func (l *line) add(option Option, value string) error {
	switch option.Name {
	case "conf":
		key, said, ok := strings.Cut(value, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \t\n") {
			return fmt.Errorf("--conf: %q is not a property; write key=value, in quotes if the value has blanks in it", value)
		}
		l.conf = append(l.conf, property{key, said})
	case "extra-properties-file":
		l.extra = append(l.extra, value)
	default:
		for _, other := range actions() {
			if l.has(other) && slices.Contains(actions(), option.Name) && option.Name != "version" {
				return fmt.Errorf("--%s: --%s is given as well; keep one of the two", option.Name, other)
			}
		}
		l.values[option.Name] = value
	}
	return nil
}

// find returns the option that a word names, and whether it names one.
func find(word string) (Option, bool) {
	for _, option := range Options() {
		if word == "--"+option.Name || option.Short != "" && word == "-"+option.Short {
			return option, true
		}
	}
	return Option{}, false
}

// checkFile finds what a primary resource cannot be, and where those who meant something else have to go.
func checkFile(file string) error {
	const connect = "apply a SparkConnect and bring a client to it with \"brazier connect\""
	switch {
	case strings.TrimSpace(file) == "":
		return errors.New("JOB: it is blank; in a script, look for a blank behind the backslash at the end of a line")
	case slices.Contains([]string{"spark-shell", "pyspark-shell", "sparkr-shell"}, file):
		return fmt.Errorf("JOB: %s is for a shell, which needs its driver on this machine; %s", file, connect)
	case file == "run-example":
		return errors.New("JOB: run-example is not known; name the example's class and jar: " +
			"--class org.apache.spark.examples.SparkPi local:///opt/spark/examples/jars/spark-examples.jar")
	}
	return nil
}

// unknown names the option that is nearest to one that there is not.
func unknown(name string) error {
	best, distance := "", len(name)/3+1
	for _, option := range Options() {
		if d := edits(strings.TrimLeft(name, "-"), option.Name); d < distance {
			best, distance = option.Name, d
		}
	}
	if best == "" {
		return fmt.Errorf("%s: there is no such option; \"brazier submit --help\" lists them, and options of the job itself come after JOB", name)
	}
	return fmt.Errorf("%s: there is no such option; did you mean --%s? Options of the job itself come after JOB", name, best)
}

// edits counts the letters to change, insert or take out that make b of a: Levenshtein's distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
