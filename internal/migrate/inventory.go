// Package migrate hands a cluster over from the operator of kubeflow/spark-operator to Brazier, and back. What is there is
// read into an Inventory; Check, which is pure, says of it what is kept, what changes, what cannot be kept and what stands in
// the way; Apply and Undo carry the handover out in steps that can be broken off anywhere and begun again. How an application
// of the other operator goes on is the application controller's work, and how Brazier is installed that of internal/install.
package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// chartName is the name of the other operator's chart; releases may be called anything.
const chartName = "spark-operator"

// Labels of the other chart's objects.
const (
	labelChart     = "helm.sh/chart"
	labelComponent = "app.kubernetes.io/component"
	labelInstance  = "app.kubernetes.io/instance"
	labelName      = "app.kubernetes.io/name"
)

// page is how many objects are asked for at once.
const page = 500

// Inventory is what there is of both operators, and what they lead.
type Inventory struct {
	// Controllers and WebhookServers are the other operator's Deployments.
	Controllers, WebhookServers []appsv1.Deployment
	// Mutating and Validating are its webhook configurations.
	Mutating   []admissionv1.MutatingWebhookConfiguration
	Validating []admissionv1.ValidatingWebhookConfiguration
	// Releases are the Helm releases of its chart, the latest revision of each.
	Releases []Release
	// Accounts are the service accounts that its chart made for drivers.
	Accounts []corev1.ServiceAccount
	// HelmReleases are those of Flux that a Deployment says it is managed by; missing ones are left out.
	HelmReleases []unstructured.Unstructured

	// Applications, Schedules and Connects are as the API server has them, with fields that Brazier may not know.
	Applications, Schedules, Connects []unstructured.Unstructured
	// Drivers are the pods of drivers.
	Drivers []corev1.Pod

	// Operator is Brazier's own Deployment, nil where there is none.
	Operator *appsv1.Deployment
}

// kinds of the API that both operators serve.
func kind(version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: v1beta2.GroupName, Version: version, Kind: kind}
}

// Read reads the inventory of the cluster. operator is where Brazier's Deployment is, or would be.
func Read(ctx context.Context, c client.Client, operator client.ObjectKey) (Inventory, error) {
	var inv Inventory
	for _, read := range []func(context.Context, client.Client, *Inventory) error{
		readDeployments, readWebhooks, readReleases, readAccounts, readFlux, readLed,
	} {
		if err := read(ctx, c, &inv); err != nil {
			return Inventory{}, err
		}
	}
	deployment := new(appsv1.Deployment)
	err := c.Get(ctx, operator, deployment)
	switch {
	case err == nil:
		inv.Operator = deployment
	case !apierrors.IsNotFound(err):
		return Inventory{}, fmt.Errorf("look for Brazier's Deployment %s: %w", operator, err)
	}
	return inv, nil
}

// ofChart reports whether the other operator's chart, or another way of installing it, made object.
func ofChart(object metav1.Object) bool {
	labels := object.GetLabels()
	return strings.HasPrefix(labels[labelChart], chartName+"-") || labels[labelName] == chartName
}

func readDeployments(ctx context.Context, c client.Client, inv *Inventory) error {
	var all appsv1.DeploymentList
	if err := c.List(ctx, &all); err != nil {
		return fmt.Errorf("list Deployments: %w", err)
	}
	for _, deployment := range all.Items {
		switch {
		case !ofChart(&deployment):
		case deployment.Labels[labelComponent] == "webhook":
			inv.WebhookServers = append(inv.WebhookServers, deployment)
		default:
			inv.Controllers = append(inv.Controllers, deployment)
		}
	}
	return nil
}

func readWebhooks(ctx context.Context, c client.Client, inv *Inventory) error {
	var mutating admissionv1.MutatingWebhookConfigurationList
	if err := c.List(ctx, &mutating); err != nil {
		return fmt.Errorf("list MutatingWebhookConfigurations: %w", err)
	}
	for _, configuration := range mutating.Items {
		if slices.ContainsFunc(configuration.Webhooks, func(w admissionv1.MutatingWebhook) bool { return isTheirs(w.Name) }) {
			inv.Mutating = append(inv.Mutating, configuration)
		}
	}
	var validating admissionv1.ValidatingWebhookConfigurationList
	if err := c.List(ctx, &validating); err != nil {
		return fmt.Errorf("list ValidatingWebhookConfigurations: %w", err)
	}
	for _, configuration := range validating.Items {
		if slices.ContainsFunc(configuration.Webhooks, func(w admissionv1.ValidatingWebhook) bool { return isTheirs(w.Name) }) {
			inv.Validating = append(inv.Validating, configuration)
		}
	}
	return nil
}

// isTheirs reports whether the other operator serves the webhook of that name.
func isTheirs(webhook string) bool { return strings.HasSuffix(webhook, "."+v1beta2.GroupName) }

func readAccounts(ctx context.Context, c client.Client, inv *Inventory) error {
	var all corev1.ServiceAccountList
	if err := c.List(ctx, &all); err != nil {
		return fmt.Errorf("list ServiceAccounts: %w", err)
	}
	for _, account := range all.Items {
		component := account.Labels[labelComponent]
		if ofChart(&account) && component != "controller" && component != "webhook" {
			inv.Accounts = append(inv.Accounts, account)
		}
	}
	return nil
}

// readFlux reads the releases of Flux that the controllers say they are managed by.
func readFlux(ctx context.Context, c client.Client, inv *Inventory) error {
	for _, deployment := range inv.Controllers {
		key, managed := fluxOf(&deployment)
		if !managed {
			continue
		}
		release := unstructured.Unstructured{}
		release.SetGroupVersionKind(schema.GroupVersionKind{Group: "helm.toolkit.fluxcd.io", Version: "v2", Kind: "HelmRelease"})
		err := c.Get(ctx, key, &release)
		switch {
		case err == nil:
			inv.HelmReleases = append(inv.HelmReleases, release)
		case !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err):
			return fmt.Errorf("read HelmRelease %s: %w", key, err)
		}
	}
	return nil
}

// readLed reads what is led: applications, schedules, Connect servers, and drivers.
func readLed(ctx context.Context, c client.Client, inv *Inventory) error {
	for _, led := range []struct {
		kind schema.GroupVersionKind
		into *[]unstructured.Unstructured
	}{
		{kind("v1beta2", "SparkApplication"), &inv.Applications},
		{kind("v1beta2", "ScheduledSparkApplication"), &inv.Schedules},
		{kind("v1alpha1", "SparkConnect"), &inv.Connects},
	} {
		list := new(unstructured.UnstructuredList)
		list.SetGroupVersionKind(led.kind)
		err := c.List(ctx, list, client.Limit(page))
		for ; err == nil; err = c.List(ctx, list, client.Limit(page), client.Continue(list.GetContinue())) {
			*led.into = append(*led.into, list.Items...)
			if list.GetContinue() == "" {
				break
			}
		}
		if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) { // an older release does not have all kinds
			return fmt.Errorf("list %ss: %w", led.kind.Kind, err)
		}
	}
	var pods corev1.PodList
	err := c.List(ctx, &pods, client.MatchingLabels{
		v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver,
	})
	if err != nil {
		return fmt.Errorf("list drivers: %w", err)
	}
	inv.Drivers = pods.Items
	return nil
}
