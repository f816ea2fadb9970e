package migrate

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// Check says what becomes of everything in the inventory. It is pure.
func Check(inv Inventory) Report {
	report := Report{Summary: summarise(inv)}
	report.Findings = slices.Concat(
		checkOperators(inv), checkWebhooks(inv), checkAccounts(inv), checkApplications(inv), checkSchedules(inv), checkConnects(inv),
	)
	var findings []Finding
	report.Values, findings = translateAll(inv)
	report.Findings = append(report.Findings, findings...)
	report.sort()
	return report
}

func summarise(inv Inventory) Summary {
	summary := Summary{Applications: map[string]int{}, Schedules: len(inv.Schedules), Connects: len(inv.Connects)}
	drivers := driversByApplication(inv)
	for i := range inv.Applications {
		app := &inv.Applications[i]
		state := stateOf(app)
		if state == v1beta2.ApplicationStateNew {
			state = "NEW"
		}
		summary.Applications[string(state)]++
		if !stateOf(app).Ended() && slices.ContainsFunc(drivers[client.ObjectKeyFromObject(app)], runs) {
			summary.Running++
		}
	}
	return summary
}

// name says which object is meant.
func name(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return fmt.Sprintf("%s %s/%s", kind, namespace, name)
}

// checkOperators looks at who leads the applications, and who else might set it going again.
func checkOperators(inv Inventory) []Finding {
	var findings []Finding
	if len(inv.Controllers) == 0 {
		findings = append(findings, Finding{
			Severity: Blocks, Object: "Deployment",
			Means: "no controller of the chart " + chartName + " is in this cluster, so that there is nobody to take over from",
			Do:    "look whether --context names the right cluster; where there never was one, \"brazier install\" is all there is to do",
		})
	}
	for i := range inv.Controllers {
		findings = append(findings, checkController(inv, &inv.Controllers[i])...)
	}
	if inv.Operator != nil && replicas(inv.Operator) > 0 && slices.ContainsFunc(inv.Controllers, func(d appsv1.Deployment) bool { return replicas(&d) > 0 }) {
		findings = append(findings, Finding{
			Severity: Blocks, Object: name("Deployment", inv.Operator.Namespace, inv.Operator.Name),
			Means: "both operators run, and act on the same applications",
			Do:    "scale one to 0: Brazier's, and \"brazier migrate apply\" starts it when the other has gone",
		})
	}
	return findings
}

func checkController(inv Inventory, deployment *appsv1.Deployment) []Finding {
	object := name("Deployment", deployment.Namespace, deployment.Name)
	findings := []Finding{{
		Severity: Changes, Object: object, Means: "it is scaled to 0, and its replicas are remembered for \"brazier migrate undo\"",
	}}
	if strings.HasPrefix(deployment.Labels[labelChart], chartName+"-1.") || deployment.Labels[labelComponent] == "" {
		findings = append(findings, Finding{
			Severity: Blocks, Object: object, Field: "metadata.labels",
			Means: "it is of the chart's version 1, or of none that is known: what it leaves was never looked at",
			Do:    "upgrade to version 2 of its chart first",
		})
	}
	if key, managed := fluxOf(deployment); managed {
		suspended := slices.ContainsFunc(inv.HelmReleases, func(release unstructured.Unstructured) bool {
			is, _, err := unstructured.NestedBool(release.Object, "spec", "suspend")
			return err == nil && is && client.ObjectKeyFromObject(&release) == key
		})
		if !suspended {
			findings = append(findings, Finding{
				Severity: Blocks, Object: object, Means: fmt.Sprintf("Flux's HelmRelease %s would start it again, and two operators would act at once", key),
				Do: fmt.Sprintf("flux suspend helmrelease -n %s %s", key.Namespace, key.Name),
			})
		}
	}
	if app := argoOf(deployment); app != "" {
		findings = append(findings, Finding{
			Severity: Blocks, Object: object, Means: fmt.Sprintf("Argo CD's application %s may start it again, and two operators would act at once", app),
			Do: "turn off its automated sync (that cannot be seen from here), and then go on with --force",
		})
	}
	return findings
}

func replicas(deployment *appsv1.Deployment) int32 {
	if deployment.Spec.Replicas == nil {
		return 1
	}
	return *deployment.Spec.Replicas
}

// fluxOf returns the HelmRelease of Flux that keeps an object as it is, if any.
func fluxOf(deployment *appsv1.Deployment) (client.ObjectKey, bool) {
	key := client.ObjectKey{
		Namespace: deployment.Labels["helm.toolkit.fluxcd.io/namespace"], Name: deployment.Labels["helm.toolkit.fluxcd.io/name"],
	}
	return key, key.Name != ""
}

// argoOf returns the Application of Argo CD that keeps an object as it is, or "".
func argoOf(deployment *appsv1.Deployment) string {
	if tracking := deployment.Annotations["argocd.argoproj.io/tracking-id"]; tracking != "" {
		app, _, _ := strings.Cut(tracking, ":")
		return app
	}
	return deployment.Labels["argocd.argoproj.io/instance"]
}

func checkWebhooks(inv Inventory) []Finding {
	var findings []Finding
	add := func(kind, configuration string, webhooks []string) {
		object := name(kind, "", configuration)
		if slices.ContainsFunc(webhooks, func(webhook string) bool { return !isTheirs(webhook) }) {
			findings = append(findings, Finding{
				Severity: Blocks, Object: object, Field: "webhooks",
				Means: "it has webhooks of somebody else as well, which would go with it",
				Do:    "move those into a configuration of their own",
			})
			return
		}
		findings = append(findings, Finding{
			Severity: Changes, Object: object,
			Means: "it is removed, and saved for \"brazier migrate undo\": Brazier writes pods as they are meant and needs no webhook",
		})
	}
	for _, configuration := range inv.Mutating {
		var webhooks []string
		for _, webhook := range configuration.Webhooks {
			webhooks = append(webhooks, webhook.Name)
		}
		add(mutatingKind, configuration.Name, webhooks)
	}
	for _, configuration := range inv.Validating {
		var webhooks []string
		for _, webhook := range configuration.Webhooks {
			webhooks = append(webhooks, webhook.Name)
		}
		add(validatingKind, configuration.Name, webhooks)
	}
	return findings
}

// checkAccounts names the accounts that go when the other release is uninstalled, and who works with them.
func checkAccounts(inv Inventory) []Finding {
	var findings []Finding
	for _, account := range inv.Accounts {
		users := 0
		for i := range inv.Drivers {
			if driver := &inv.Drivers[i]; driver.Namespace == account.Namespace && driver.Spec.ServiceAccountName == account.Name && runs(driver) {
				users++
			}
		}
		findings = append(findings, Finding{
			Severity: Changes, Object: name("ServiceAccount", account.Namespace, account.Name),
			Means: fmt.Sprintf("it belongs to the release %s and goes with it; %d drivers run as it now, and would lose their rights", account.Labels[labelInstance], users),
			Do:    "do not uninstall that release while they run; before, have applications name another account, for example the one that Brazier makes",
		})
	}
	return findings
}

// runs reports whether pod, a driver's, may still be at work.
func runs(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return false
	}
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == v1beta2.DriverContainerName {
			return status.State.Terminated == nil
		}
	}
	return true
}

// driversByApplication are the drivers of each application.
func driversByApplication(inv Inventory) map[client.ObjectKey][]*corev1.Pod {
	drivers := map[client.ObjectKey][]*corev1.Pod{}
	for i := range inv.Drivers {
		pod := &inv.Drivers[i]
		key := client.ObjectKey{Namespace: pod.Namespace, Name: pod.Labels[v1beta2.LabelAppName]}
		drivers[key] = append(drivers[key], pod)
	}
	return drivers
}
