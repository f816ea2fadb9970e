//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUpOnACluster takes the embedded cluster for one that somebody else runs: no part of it is touched, and Brazier is
// installed on it with the image that it is told of.
func TestUpOnACluster(t *testing.T) {
	before := status(t)
	image := kubectl(t, "get", "deployment", "brazier-operator", "--namespace=brazier-system",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
	// What brazier up told the operator of the embedded cluster has to be there again for the tests that follow.
	defer brazier(t, "up")

	kubectl(t, "delete", "namespace", "brazier-system")
	brazier(t, "up", "--kubeconfig", filepath.Join(home, "kubeconfig"), "--operator-image", image)
	kubectl(t, "rollout", "status", "--namespace=brazier-system", "--timeout=60s", "deployment/brazier-operator")
	for i, part := range status(t).Parts {
		if part.PID != before.Parts[i].PID {
			t.Errorf("%s was restarted, though the cluster is somebody else's", part.Name)
		}
	}

	out, err := command(t.Context(), "brazier", "up", "--kubeconfig", filepath.Join(home, "kubeconfig")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--operator-image") {
		t.Errorf("without an image that the cluster can pull it has to say so, got %v: %s", err, out)
	}
}

// TestInstallation goes through the life of an installation: by our own commands, and by Helm's. Its steps stand on each other.
func TestInstallation(t *testing.T) {
	image := kubectl(t, "get", "deployment", "brazier-operator", "--namespace=brazier-system",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
	defer brazier(t, "up")
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"Uninstall", testUninstall},
		{"Install", func(t *testing.T) {
			brazier(t, "install", "--operator-image", image, "--namespaces", "default,reports", "--set", "workers=5")
			if got := kubectl(t, "get", "deployment", "brazier-operator", "-n", "brazier-system", "-o", "jsonpath={.status.readyReplicas}"); got != "2" {
				t.Errorf("%q replicas are ready, want 2", got)
			}
		}},
		{"InstallAgainIsRefused", func(t *testing.T) {
			out, err := command(t.Context(), "brazier", "install", "--operator-image", image).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "brazier upgrade") {
				t.Errorf("it has to lead to the upgrade: %v: %s", err, out)
			}
		}},
		{"DryRun", testDryRun},
		{"Upgrade", testUpgrade},
		{"LeaderKilled", testLeaderKilled},
		{"UninstallAgain", testUninstall},
		{"HelmItself", func(t *testing.T) { testHelm(t, image) }},
	} {
		if !t.Run(step.name, step.do) {
			t.Fatalf("the steps after %s stand on it", step.name)
		}
	}
}

// brazierObjects are the names of all objects in the cluster that are Brazier's by their label or name, but for definitions.
func brazierObjects(t *testing.T) []string {
	t.Helper()
	kinds := kubectl(t, "api-resources", "--verbs=list", "-o", "name")
	var list []string
	for kind := range strings.Lines(kinds) {
		kind = strings.TrimSpace(kind)
		// Metrics are measured, not kept; events tell of what was.
		if strings.Contains(kind, "metrics.k8s.io") || strings.HasPrefix(kind, "events") || strings.HasSuffix(kind, "sparkoperator.k8s.io") {
			continue
		}
		list = append(list, kind)
	}
	all := kubectl(t, "get", strings.Join(list, ","), "--all-namespaces", "-o",
		`jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.labels.app\.kubernetes\.io/name}{"\n"}{end}`)
	var found []string
	for line := range strings.Lines(all) {
		fields := strings.Fields(line)
		if fields[0] == "CustomResourceDefinition" {
			continue
		}
		_, name, _ := strings.Cut(fields[1], "/")
		// The embedded cluster's own parts have Brazier's name as well; they are not the installation's.
		installed := len(fields) > 2 && fields[2] == "brazier" || strings.HasPrefix(name, "brazier-operator") || strings.Contains(fields[1], "brazier-system/")
		if installed || fields[0] == "Namespace" && name == "brazier-system" {
			found = append(found, line)
		}
	}
	return found
}

func testUninstall(t *testing.T) {
	definitions := kubectl(t, "get", "crd", "-o", "name")
	kubectl(t, "apply", "-f", "testdata/suspended.yaml")
	brazier(t, "uninstall")
	if left := brazierObjects(t); len(left) > 0 {
		t.Errorf("it left:\n%s", strings.Join(left, ""))
	}
	if got := kubectl(t, "get", "crd", "-o", "name"); got != definitions {
		t.Errorf("definitions before:\n%safter:\n%s", definitions, got)
	}
	kubectl(t, "get", "sparkapplication", "suspended")
	kubectl(t, "delete", "sparkapplication", "suspended")
}

func testDryRun(t *testing.T) {
	out := brazier(t, "upgrade", "--set", "workers=7", "--dry-run")
	for _, want := range []string{"-    workers: 5", "+    workers: 7"} {
		if !strings.Contains(out, want) {
			t.Errorf("the difference has no %q:\n%s", want, out)
		}
	}
	if config := operatorConfig(t); !strings.Contains(config, "workers: 5") {
		t.Errorf("a dry run changed the configuration:\n%s", config)
	}
}

func operatorConfig(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "configmap", "brazier-operator", "-n", "brazier-system", "-o", `jsonpath={.data.config\.yaml}`)
}

func operatorPods(t *testing.T) []string {
	t.Helper()
	return strings.Fields(kubectl(t, "get", "pods", "-n", "brazier-system", "-l", "app.kubernetes.io/component=operator", "-o", "jsonpath={.items[*].metadata.name}"))
}

func testUpgrade(t *testing.T) {
	before := operatorPods(t)
	brazier(t, "upgrade", "--set", "workers=7")
	if config := operatorConfig(t); !strings.Contains(config, "workers: 7") {
		t.Errorf("the configuration is the old one:\n%s", config)
	}
	// Old replicas are counted until they have ended.
	eventually(t, lifeLimit, "two new replicas", func() error {
		pods := operatorPods(t)
		if len(pods) != 2 || slices.ContainsFunc(pods, func(pod string) bool { return slices.Contains(before, pod) }) {
			return fmt.Errorf("before: %v, now: %v", before, pods)
		}
		return nil
	})
	kubectl(t, "get", "serviceaccount", "spark", "-n", "reports")
}

// leader is the pod that holds the lease.
func leader(t *testing.T) string {
	t.Helper()
	holder := kubectl(t, "get", "lease", "brazier-operator", "-n", "brazier-system", "-o", "jsonpath={.spec.holderIdentity}")
	pod, _, _ := strings.Cut(holder, "_")
	return pod
}

func testLeaderKilled(t *testing.T) {
	first := ""
	eventually(t, lifeLimit, "a leader", func() error {
		if first = leader(t); !slices.Contains(operatorPods(t), first) {
			return fmt.Errorf("the lease is held by %q", first)
		}
		return nil
	})
	other := slices.DeleteFunc(operatorPods(t), func(pod string) bool { return pod == first })
	kubectl(t, "delete", "pod", first, "-n", "brazier-system", "--grace-period=0", "--force")
	eventually(t, lifeLimit, "the other replica to lead", func() error {
		if now := leader(t); now == first || !slices.Contains(operatorPods(t), now) {
			return fmt.Errorf("the lease is held by %q; the other is %v", now, other)
		}
		return nil
	})
}

// testHelm installs the chart's folder by Helm's own program, has our command go on from there, and leaves the end to Helm.
func testHelm(t *testing.T, image string) {
	registry, named, _ := strings.Cut(image, "/")
	repository, tag, _ := strings.Cut(named, ":")
	must(t, command(t.Context(), "helm", "install", "brazier", "../../charts/brazier", "--namespace", "brazier-system", "--create-namespace", "--wait",
		"--set", "image.registry="+registry+",image.repository="+repository+",image.tag="+tag+",replicas=1"))
	out, err := command(t.Context(), "brazier", "upgrade", "--set", "workers=3").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "change  ConfigMap brazier-system/brazier-operator") {
		t.Errorf("our command has to go on from Helm's release: %v\n%s", err, out)
	}
	must(t, command(t.Context(), "helm", "uninstall", "brazier", "--namespace", "brazier-system", "--wait"))
	kubectl(t, "delete", "namespace", "brazier-system")
}
