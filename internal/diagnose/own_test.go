package diagnose

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// documented is the example of docs/why-rules.md.
func documented(t *testing.T) []Rule {
	t.Helper()
	page, err := os.ReadFile("../../docs/why-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/why-rules.md has no example")
	}
	rules, err := ParseRules(block[1])
	if err != nil {
		t.Fatalf("the example of docs/why-rules.md is refused: %v", err)
	}
	return rules
}

func TestDocumentedRules(t *testing.T) {
	rules := documented(t)
	licence := failedRun(driverEnds(9, "Error", 1800), driverSays("26/11/26 12:15:00 INFO Job: starting\n26/11/26 12:15:01 WARN Job: licence server lic-1 denied a seat"))
	causes := Causes(licence, rules...)
	if len(causes) == 0 || causes[0].Code != "licence-denied" {
		t.Fatalf("causes are %+v, want licence-denied first", causes)
	}
	want := v1alpha1.Cause{
		Code: "licence-denied", Why: "The licence server denied a licence to pi; the driver ended with exit code 9.",
		Confidence: v1alpha1.ConfidenceHigh, Transient: true,
		Evidence: []v1alpha1.Proof{{
			Object: "Pod/pi-driver", Field: "log line 2", Text: "26/11/26 12:15:01 WARN Job: licence server lic-1 denied a seat",
			At: licence.Evidence.Logs[0].Lines[1].At,
		}},
		Fixes: []v1alpha1.Fix{
			{Risk: v1alpha1.RiskInspect, Say: "See who has the licences.", Command: "curl https://licences.example.com/in-use"},
			{Risk: v1alpha1.RiskChanges, Say: "Run the job where licences are free.", Change: "spec:\n  driver:\n    nodeSelector: {pool: licensed}\n"},
		},
		At: metav1.NewTime(licence.Evidence.Logs[0].Lines[1].At.Time),
	}
	if diff := cmp.Diff(want, causes[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	gpu := failedRun(executorEnds(1, 134, "Error", 300), driverSays("RuntimeError: CUDA driver version is insufficient"))
	gpu.Cluster.Nodes = []Node{{Node: corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"pool": "gpu-2024"}}}}}
	codes := map[string]bool{}
	for _, cause := range Causes(gpu, rules...) {
		codes[cause.Code] = true
	}
	if !codes["old-gpu-driver"] || !codes["node-pool-outdated"] {
		t.Errorf("causes are %v, want old-gpu-driver and node-pool-outdated among them", codes)
	}
	if causes := Causes(failedRun(driverEnds(0, "Completed", 1800), driverSays("licence server lic-1 denied a seat")), rules...); len(causes) > 0 {
		t.Errorf("a run that ended well has causes: %+v", causes)
	}
}

func TestParseRules(t *testing.T) {
	rule := func(fields string) string { return "rules:\n  - code: mine\n    why: It was so.\n" + fields }
	tests := map[string]struct {
		reason, file string
		want         []string
	}{
		"Nothing": {reason: "A file without rules has none.", file: "rules: []"},
		"Good":    {reason: "The least that a rule has.", file: rule("    when: 'true'\n")},
		"NotYAML": {reason: "What is no YAML is said to be none.", file: "rules: [", want: []string{"not YAML"}},
		"Twice":   {reason: "A field that is written twice is a mistake.", file: rule("    when: 'true'\n    when: 'false'\n"), want: []string{"not YAML", "when"}},
		"Unknown": {reason: "A field that is not known is named.", file: rule("    wen: 'true'\n"), want: []string{"rules[0] (mine)", `unknown field "wen"`}},
		"Outside": {reason: "So is one beside the rules.", file: "rule: []", want: []string{`unknown field "rule"`}},
		"Type":    {reason: "A field of another type is named.", file: rule("    when: [1]\n"), want: []string{"rules[0] (mine): when: is a array, not a string"}},
		"Missing": {reason: "All that is missing is said at once.", file: "rules:\n  - confidence: sure\n", want: []string{
			"rules[0]: code:", "when: is missing", "why: write", `confidence: "sure"`,
		}},
		"Code":     {reason: "Codes are counted by.", file: strings.Replace(rule("    when: 'true'\n"), "mine", "Mine_1", 1), want: []string{`code: "Mine_1" is not a code`}},
		"BuiltIn":  {reason: "A built-in code means one thing.", file: strings.Replace(rule("    when: 'true'\n"), "mine", "version-skew", 1), want: []string{`"version-skew" is the code of a built-in rule`}},
		"SameCode": {reason: "Two rules of one code would hide each other.", file: rule("    when: 'true'\n  - code: mine\n    why: x.\n    when: 'true'\n"), want: []string{"rules[1] (mine)", "earlier rule"}},
		"Follows":  {reason: "A cause that cannot be found is a mistake.", file: rule("    when: 'true'\n    follows: [version-skwe]\n"), want: []string{`follows[0]: "version-skwe" is not the code`}},
		"Syntax":   {reason: "An expression that cannot be parsed is shown.", file: rule("    when: lines(\n"), want: []string{"when: \"lines(\"", "Syntax error"}},
		"Field":    {reason: "Fields are checked when the file is read.", file: rule("    when: pods.exists(p, p.exitcode == 1)\n"), want: []string{"undefined field 'exitcode'"}},
		"Boolean":  {reason: "An expression has to be of its type.", file: rule("    when: name\n"), want: []string{`when: "name": is a string, and has to be a bool`}},
		"Regex":    {reason: "A pattern of CEL's own is checked.", file: rule("    when: name.matches('(')\n"), want: []string{"invalid matches argument"}},
		"Risk":     {reason: "A fix says what it may do.", file: rule("    when: 'true'\n    fixes: [{risk: none, say: x}]\n"), want: []string{`fixes[0].risk: "none"`}},
		"Both":     {reason: "A sentence is written or made.", file: rule("    when: 'true'\n    whyExpression: name\n"), want: []string{"and not both"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRules([]byte(tt.file))
			if len(tt.want) == 0 && err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s\nerror is %v\nand should say %q", tt.reason, err, want)
				}
			}
		})
	}
}

func TestRuleThatFails(t *testing.T) {
	tests := map[string]struct{ reason, when, want string }{
		"Endless": {
			reason: "A rule cannot hold up the operator.",
			when:   "logs.all(a, logs.all(b, logs.all(c, logs.all(d, a.text + b.text != c.text + d.text + 'x'))))", want: "cost limit exceeded",
		},
		"Patterns": {
			reason: "Our own function counts as well.",
			when:   "logs.all(a, logs.all(b, lines('" + strings.Repeat("a?", 400) + "zz').size() == 0))", want: "cost limit exceeded",
		},
		"Field":   {reason: "What is not in the application is not there.", when: "application.spec.nonsense == 1", want: "no such key: nonsense"},
		"Pattern": {reason: "A pattern can be made.", when: "lines('(' + name).size() > 0", want: "is not a regular expression"},
		"Role":    {reason: "There are two roles.", when: "exitCode('worker') == 1", want: `"worker" is no role`},
	}
	run := failedRun(driverSays(strings.Repeat("a line of some length\n", 300)))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rules, err := ParseRules([]byte("rules:\n  - code: mine\n    why: It was so.\n    when: |-\n      " + tt.when + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, applies, err := rules[0].Evaluate(run); applies || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nerror is %v\nand should say %q", tt.reason, err, tt.want)
			}
			for _, cause := range Causes(run, rules...) {
				if cause.Code == "mine" {
					t.Errorf("%s\nit is a cause", tt.reason)
				}
			}
		})
	}
}

func FuzzParseRules(f *testing.F) {
	page, err := os.ReadFile("../../docs/why-rules.md")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(page[strings.Index(string(page), "rules:"):strings.LastIndex(string(page), "```")]))
	f.Add("rules:\n  - {code: a, when: 'true', why: x}\n")
	f.Add("rules:\n  - {code: a, when: \"lines('x').size() > 0\", whyExpression: \"name + string(exitCode('driver'))\", evidence: \"events + []\"}\n")
	f.Add("rules: [{}, null, 1]")
	run := failedRun(driverSays(unresolvedColumn), executorEnds(1, 137, "OOMKilled", 10))
	f.Fuzz(func(t *testing.T, file string) {
		rules, err := ParseRules([]byte(file))
		if err != nil && len(rules) > 0 {
			t.Error("has rules and an error")
		}
		for _, r := range rules {
			cause, applies, err := r.Evaluate(run)
			if applies && (err != nil || cause.Code == "" || cause.Why == "") {
				t.Errorf("applies with %+v, %v", cause, err)
			}
		}
		Causes(run, rules...)
	})
}
