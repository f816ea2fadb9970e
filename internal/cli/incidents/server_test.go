package incidents_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/incidents"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// brazier runs the command.
func brazier(t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := incidents.NewCommand(terminal.Streams{In: new(bytes.Buffer), Out: &stdout, Err: &stderr})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func TestUsage(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"Form":     {[]string{"-o", "xml"}, `--output: "xml" is not a form; write table or json`},
		"Backward": {[]string{"--since", "-1h"}, "--since: -1h0m0s is not a time to look back"},
		"Duration": {[]string{"--since", "yesterday"}, `invalid argument "yesterday" for "--since"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := brazier(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestAPIServer finds incidents among the records of a real API server, which gives them in pages.
func TestAPIServer(t *testing.T) {
	server := apiserver.Start(t)
	there := []string{"--kubeconfig", server.Kubeconfig()}
	if _, _, err := brazier(t, there...); err == nil || !strings.Contains(err.Error(), "the cluster keeps no records of runs; \"brazier upgrade") {
		t.Errorf("without the kind: %v", err)
	}
	if err := server.Define(); err != nil {
		t.Fatal(err)
	}
	records, err := kube.Records(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	silent := v1alpha1.Cause{Code: "executor-silent", Why: "An executor was not heard of.", Confidence: v1alpha1.ConfidenceMedium, Transient: true, Node: "worker-3"}
	for n := range 120 {
		write(t, records, metav1.NamespaceDefault, fmt.Sprintf("app%d", n), time.Minute, silent)
	}
	write(t, records, "kube-public", "elsewhere", 2*time.Minute, silent)
	write(t, records, metav1.NamespaceDefault, "old", 48*time.Hour, silent)
	write(t, records, metav1.NamespaceDefault, "well", time.Minute)

	out, _, err := brazier(t, append(there, "--since", "1h")...)
	if err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(out, "node worker-3  120   120") {
		t.Errorf("one namespace: %v\n%s", err, out)
	}
	out, _, err = brazier(t, append(there, "-A", "-o", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Incidents []struct {
			Factor struct{ Kind, Name string }
			Runs   []struct{ Namespace, Application string }
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	if n := len(found.Incidents); n != 1 || len(found.Incidents[0].Runs) != 121 || found.Incidents[0].Runs[0].Application != "elsewhere" {
		t.Errorf("all namespaces: %d incidents\n%s", n, out)
	}
	out, progress, err := brazier(t, append(there, "--since", "1s")...)
	if err != nil || out != "" || progress != "no run failed or waited in the last 1s\n" {
		t.Errorf("a second: %v\n%s%s", err, out, progress)
	}
	if _, _, err := brazier(t, "--kubeconfig", stranger(t, server.Kubeconfig()), "-A"); err == nil || !strings.Contains(err.Error(), "without the flag one namespace is looked at") {
		t.Errorf("a stranger: %v", err)
	}
}

func write(t *testing.T, records rest.Interface, namespace, app string, ago time.Duration, causes ...v1alpha1.Cause) {
	t.Helper()
	for i := range causes {
		causes[i].At = metav1.NewTime(time.Now().Add(-ago))
	}
	record := &v1alpha1.RunRecord{
		TypeMeta:    metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "RunRecord"},
		ObjectMeta:  metav1.ObjectMeta{Name: app + ".1.0a1b2c3d", Labels: map[string]string{v1beta2.LabelAppName: app, v1beta2.LabelRun: "1"}},
		Application: v1alpha1.ApplicationReference{Name: app, UID: "0a1b2c3d"}, Run: 1, Causes: causes,
	}
	if err := records.Post().Namespace(namespace).Resource(kube.RecordsResource).Body(record).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
}

// stranger is a kubeconfig of somebody who may do nothing.
func stranger(t *testing.T, kubeconfig string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name := range config.AuthInfos {
		config.AuthInfos[name].Impersonate = "stranger"
	}
	path := t.TempDir() + "/kubeconfig"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}
