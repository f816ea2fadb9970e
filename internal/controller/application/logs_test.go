package application_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// logKeys finds the keys in the table of docs/metrics.md's last section.
var logKeys = regexp.MustCompile("`([a-zA-Z]+)`")

// lines is a log that several may write and one reads.
type lines struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(text)
}

func (l *lines) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

// TestLogs leads an application through an error and two runs, with everything logged, and holds what is logged of it
// against the page.
func TestLogs(t *testing.T) {
	const secret = "hunter2"
	w := newWorld(t, fails)
	log := new(lines)
	w.logger = logr.FromSlogHandler(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	left := troubles(1)
	stop := w.operate(func(c client.WithWatch) client.Client { return &troubled{Client: c, left: left} })
	app := w.submit("pi", retrying(1), func(app *v1beta2.SparkApplication) {
		app.Spec.Arguments = []string{"--password", secret}
		app.Spec.SparkConf = map[string]string{"spark.hadoop.fs.s3a.secret.key": secret}
		app.Spec.Driver.Env = []corev1.EnvVar{{Name: "PASSWORD", Value: secret}}
	})
	w.awaitState(app, v1beta2.ApplicationStateFailed)
	stop()

	if strings.Contains(log.String(), secret) {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	got := make(map[string]bool)
	for line := range strings.Lines(log.String()) {
		var said map[string]any
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if said["name"] != app.Name {
			continue // not about an application
		}
		for key := range said {
			got[key] = true
		}
	}
	if diff := cmp.Diff(documentedKeys(t), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("keys of log lines\n-docs/metrics.md +operator:\n%s", diff)
	}
}

func documentedKeys(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Logs\n")
	var keys []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, key := range logKeys.FindAllStringSubmatch(cells[1], -1) {
				keys = append(keys, key[1])
			}
		}
	}
	slices.Sort(keys)
	return keys
}
