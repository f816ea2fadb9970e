package migrate

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Undo hands the cluster back to the other operator.
func (m *Migration) Undo(ctx context.Context) error {
	inv, err := Read(ctx, m.Client, m.Operator)
	if err != nil {
		return err
	}
	saved, found, err := m.readRecord(ctx)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("ConfigMap %s/%s is not there: nothing was migrated, or it was undone; \"helm upgrade\" of the other release brings back what is missing of it", m.Operator.Namespace, recordName)
	}
	if len(inv.Controllers) == 0 {
		return errors.New("the other operator's Deployment is gone: its release was uninstalled; install it again with \"helm install\", and scale Brazier to 0 before")
	}
	return m.carryOut(ctx, m.undoSteps(inv, saved))
}

// undoSteps are those of the handover backwards. The record goes last.
func (m *Migration) undoSteps(inv Inventory, saved record) []step {
	steps := []step{{"stop Brazier, Deployment " + m.Operator.String(), func(ctx context.Context) error { return m.stop(ctx, m.Operator) }}}
	for i := range inv.WebhookServers {
		key := client.ObjectKeyFromObject(&inv.WebhookServers[i])
		steps = append(steps, step{"start the other operator's webhook, Deployment " + key.String(), func(ctx context.Context) error {
			if err := m.start(ctx, key); err != nil {
				return err
			}
			return m.available(ctx, key) // its configuration refuses every pod that it is not asked about
		}})
	}
	steps = append(steps, step{"restore its webhook configurations", m.anew(func(ctx context.Context, inv Inventory) error {
		return m.restoreWebhooks(ctx, saved, inv)
	})})
	for i := range inv.Controllers {
		key := client.ObjectKeyFromObject(&inv.Controllers[i])
		steps = append(steps, step{"start the other operator, Deployment " + key.String(), func(ctx context.Context) error { return m.start(ctx, key) }})
	}
	return append(steps, step{"forget the migration", func(ctx context.Context) error {
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: m.Operator.Namespace, Name: recordName}}
		if err := client.IgnoreNotFound(m.Client.Delete(ctx, config)); err != nil {
			return fmt.Errorf("delete the record: %w", err)
		}
		return nil
	}})
}
