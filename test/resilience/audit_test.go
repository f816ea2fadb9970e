//go:build resilience

package resilience

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// audit is what the API server writes down of each request. It knows who asked, which its metrics do not.
type audit struct{ path string }

// request is a request as the API server wrote it down.
type request struct {
	AuditID                  string           `json:"auditID"`
	Verb                     string           `json:"verb"`
	UserAgent                string           `json:"userAgent"`
	RequestReceivedTimestamp metav1.MicroTime `json:"requestReceivedTimestamp"`
	ObjectRef                struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

const policy = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}`

// newAudit returns an audit and the flags of the API server that has to write it.
func newAudit(t *testing.T) (a audit, flags []string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.json")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	a.path = filepath.Join(dir, "audit.log")
	return a, []string{"--audit-policy-file=" + file, "--audit-log-path=" + a.path}
}

// byOperators returns what operators have asked for, each request once, in the order of its answer.
func (a audit) byOperators(t *testing.T) []request {
	t.Helper()
	file, err := os.Open(a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var requests []request
	known := make(map[string]bool)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue // a line that is being written, or was when the API server was killed
		}
		// A watch is written down when it begins and when it ends.
		if strings.HasPrefix(r.UserAgent, "brazier") && !known[r.AuditID] {
			known[r.AuditID] = true
			requests = append(requests, r)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return requests
}

// between returns how many of requests came from one moment on and before another, by what they were about.
func between(requests []request, from, to time.Time) (all int, by map[string]int) {
	by = make(map[string]int)
	for _, r := range requests {
		if at := r.RequestReceivedTimestamp.Time; !at.Before(from) && at.Before(to) {
			all++
			by[strings.TrimSuffix(r.Verb+" "+r.ObjectRef.Resource+"/"+r.ObjectRef.Subresource, "/")]++
		}
	}
	return all, by
}

// pods returns how many pods operators have made.
func (a audit) pods(t *testing.T) int {
	t.Helper()
	made := 0
	for _, r := range a.byOperators(t) {
		if r.Verb == "create" && r.ObjectRef.Resource == "pods" && r.ResponseStatus.Code == 201 {
			made++
		}
	}
	return made
}
