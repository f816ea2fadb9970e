package migrate

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	mutatingKind   = "MutatingWebhookConfiguration"
	validatingKind = "ValidatingWebhookConfiguration"
)

// needed reports whether the other operator's webhook still has work: an application that it submitted runs, and says
// something of executors that only the webhook puts into them.
func needed(inv Inventory) bool {
	drivers := driversByApplication(inv)
	for i := range inv.Applications {
		object := &inv.Applications[i]
		theirs := func(driver *corev1.Pod) bool { return runs(driver) && !ours(driver) }
		if !slices.ContainsFunc(drivers[client.ObjectKeyFromObject(object)], theirs) {
			continue
		}
		if app, _ := decode[v1beta2.SparkApplication](object); app != nil && len(byWebhook(app)) > 0 {
			return true
		}
	}
	return false
}

// ours reports whether Brazier has made pod.
func ours(pod *corev1.Pod) bool {
	_, is := pod.Labels[v1beta2.LabelRun]
	return is
}

// narrow leaves of a configuration the webhooks of pods, for those that Brazier has not made. It reports whether any is left.
func narrow(configuration *admissionv1.MutatingWebhookConfiguration) bool {
	configuration.Webhooks = slices.DeleteFunc(configuration.Webhooks, func(w admissionv1.MutatingWebhook) bool { return !ofPods(w) })
	for i := range configuration.Webhooks {
		sparing(&configuration.Webhooks[i])
	}
	return len(configuration.Webhooks) > 0
}

func ofPods(webhook admissionv1.MutatingWebhook) bool {
	return slices.ContainsFunc(webhook.Rules, func(rule admissionv1.RuleWithOperations) bool { return slices.Contains(rule.Resources, "pods") })
}

// sparing keeps a webhook from pods that Brazier has made, which have all they are to have already.
func sparing(webhook *admissionv1.MutatingWebhook) {
	spare := metav1.LabelSelectorRequirement{Key: v1beta2.LabelRun, Operator: metav1.LabelSelectorOpDoesNotExist}
	if webhook.ObjectSelector == nil {
		webhook.ObjectSelector = &metav1.LabelSelector{}
	}
	isIt := func(r metav1.LabelSelectorRequirement) bool {
		return r.Key == spare.Key && r.Operator == spare.Operator
	}
	if !slices.ContainsFunc(webhook.ObjectSelector.MatchExpressions, isIt) {
		webhook.ObjectSelector.MatchExpressions = append(webhook.ObjectSelector.MatchExpressions, spare)
	}
}

// removeWebhooks removes the other operator's webhook configurations, and stops who serves them. What runs still need is
// left for their pods alone.
func (m *Migration) removeWebhooks(ctx context.Context, inv Inventory) error {
	keep := needed(inv)
	for i := range inv.Validating {
		if err := m.remove(ctx, &inv.Validating[i]); err != nil {
			return err
		}
	}
	kept := false
	for i := range inv.Mutating {
		configuration := inv.Mutating[i].DeepCopy()
		if !keep || !narrow(configuration) {
			if err := m.remove(ctx, configuration); err != nil {
				return err
			}
			continue
		}
		kept = true
		if apiequality.Semantic.DeepEqual(configuration, &inv.Mutating[i]) {
			continue
		}
		if err := m.Client.Update(ctx, configuration); err != nil {
			return fmt.Errorf("narrow %s %s: %w", mutatingKind, configuration.Name, err)
		}
	}
	if kept {
		return nil
	}
	for i := range inv.WebhookServers {
		if err := m.stop(ctx, client.ObjectKeyFromObject(&inv.WebhookServers[i])); err != nil {
			return err
		}
	}
	return nil
}

func (m *Migration) remove(ctx context.Context, object client.Object) error {
	if err := client.IgnoreNotFound(m.Client.Delete(ctx, object)); err != nil {
		return fmt.Errorf("delete webhook configuration %s: %w", object.GetName(), err)
	}
	return nil
}

// restoreWebhooks puts the saved configurations back. Where drivers of Brazier's run, their executors are spared.
func (m *Migration) restoreWebhooks(ctx context.Context, saved record, inv Inventory) error {
	spare := slices.ContainsFunc(inv.Drivers, func(driver corev1.Pod) bool { return ours(&driver) && runs(&driver) })
	for _, name := range saved.names(mutatingKind) {
		wanted := new(admissionv1.MutatingWebhookConfiguration)
		if err := saved.restore(mutatingKind, name, wanted); err != nil {
			return err
		}
		for i := range wanted.Webhooks {
			if spare && ofPods(wanted.Webhooks[i]) {
				sparing(&wanted.Webhooks[i])
			}
		}
		if err := m.put(ctx, wanted, new(admissionv1.MutatingWebhookConfiguration)); err != nil {
			return err
		}
	}
	for _, name := range saved.names(validatingKind) {
		wanted := new(admissionv1.ValidatingWebhookConfiguration)
		if err := saved.restore(validatingKind, name, wanted); err != nil {
			return err
		}
		if err := m.put(ctx, wanted, new(admissionv1.ValidatingWebhookConfiguration)); err != nil {
			return err
		}
	}
	return nil
}

// put creates an object, or makes the one that is there, which is read into there, what it is to be.
func (m *Migration) put(ctx context.Context, wanted, there client.Object) error {
	err := m.Client.Get(ctx, client.ObjectKeyFromObject(wanted), there)
	switch {
	case apierrors.IsNotFound(err):
		err = m.Client.Create(ctx, wanted)
	case err == nil && !apiequality.Semantic.DeepEqual(bare(there), bare(wanted)):
		wanted.SetResourceVersion(there.GetResourceVersion())
		err = m.Client.Update(ctx, wanted)
	}
	if err != nil {
		return fmt.Errorf("restore webhook configuration %s: %w", wanted.GetName(), err)
	}
	return nil
}
