package submit_test

import (
	"strings"
	"testing"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/sparksubmit"
)

func TestHelp(t *testing.T) {
	clean(t)
	for args, want := range map[string]exit.Code{"--help": exit.Success, "--usage-error": exit.Failure} {
		out, progress, err := brazier(t.Context(), t, args)
		if exit.Of(err) != want || err != nil && !exit.Silent(err) {
			t.Errorf("%s: got %v, want the code %d", args, err, want)
		}
		for _, option := range sparksubmit.Options() {
			if !strings.Contains(out+progress, "--"+option.Name+" ") {
				t.Errorf("%s does not list --%s", args, option.Name)
			}
		}
	}
	if out, _, err := brazier(t.Context(), t, "--version"); err != nil || !strings.HasPrefix(out, "brazier ") {
		t.Errorf("got %v and %q", err, out)
	}
}

func TestDryRun(t *testing.T) {
	clean(t)
	out, progress, err := brazier(t.Context(), t, "--dry-run", "-o", "json", "--verbose", "--queue", "q", "--requirements", "r.txt", "job.py")
	if err != nil || !strings.HasPrefix(out, "{") {
		t.Errorf("want JSON on standard output, got %v and\n%s", err, out)
	}
	for _, want := range []string{"note: --queue", "spark.yarn.queue=q (--queue)", "note: the packages of r.txt would be added"} {
		if !strings.Contains(progress, want) {
			t.Errorf("want %q on standard error, got\n%s", want, progress)
		}
	}
}

func TestUsage(t *testing.T) {
	clean(t)
	out, _, err := brazier(t.Context(), t, "--num-executor", "3", "job.py")
	if exit.Of(err) != exit.Usage || !strings.Contains(err.Error(), "did you mean --num-executors?") || out != "" {
		t.Errorf("got %v and %q, want an error with the nearest option and the code of a wrong command line", err, out)
	}
}
