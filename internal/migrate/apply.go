package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/terminal"
)

// Installer installs Brazier with values of its chart, and waits until it is available. Done again it changes only what
// differs.
type Installer interface {
	Install(ctx context.Context, values map[string]any) error
}

// Migration hands a cluster over. Every step of it can be broken off anywhere and done again.
type Migration struct {
	// Client reads and writes without a cache.
	Client client.Client
	// Operator is Brazier's Deployment.
	Operator client.ObjectKey
	// Installer installs Brazier; nil where somebody else does.
	Installer Installer
	// Values are laid over what the other chart's values come to.
	Values map[string]any
	// Force goes on in spite of what blocks.
	Force bool
	// Patience is how long anything that is waited for may take.
	Patience time.Duration
	// Streams are where steps are shown.
	Streams terminal.Streams
}

// step is one step of a handover.
type step struct {
	name string
	do   func(context.Context) error
}

// Steps names the steps of Apply on what is there.
func (m *Migration) Steps(inv Inventory) []string { return names(m.steps(inv)) }

// UndoSteps names the steps of Undo.
func (m *Migration) UndoSteps(inv Inventory) []string { return names(m.undoSteps(inv, record{})) }

func names(steps []step) []string {
	var names []string
	for _, step := range steps {
		names = append(names, step.name)
	}
	return names
}

// Blocked says that something stands in the way.
type Blocked struct{ Findings []Finding }

// Error implements error.
func (b *Blocked) Error() string {
	text := "the migration is blocked:"
	for _, finding := range b.Findings {
		text += fmt.Sprintf("\n  %s: %s; %s", finding.Object, finding.Means, finding.Do)
	}
	return text
}

// Apply hands the cluster over to Brazier.
func (m *Migration) Apply(ctx context.Context) error {
	inv, err := Read(ctx, m.Client, m.Operator)
	if err != nil {
		return err
	}
	if blockers := Check(inv).Blockers(); len(blockers) > 0 && !m.Force {
		return &Blocked{Findings: blockers}
	}
	return m.carryOut(ctx, m.steps(inv))
}

// steps are those of the handover, in the order that matters: nobody acts before the other has gone, and nothing is changed
// that is not remembered.
func (m *Migration) steps(inv Inventory) []step {
	steps := []step{{"remember the webhook configurations, in ConfigMap " + m.Operator.Namespace + "/" + recordName, func(ctx context.Context) error {
		return m.remember(ctx, inv)
	}}}
	for i := range inv.Controllers {
		key := client.ObjectKeyFromObject(&inv.Controllers[i])
		steps = append(steps, step{"stop the other operator, Deployment " + key.String(), func(ctx context.Context) error { return m.stop(ctx, key) }})
	}
	webhooks := "remove the webhook configurations of the other operator"
	if needed(inv) {
		webhooks = "narrow the webhook of the other operator to the pods of runs that need it, and remove the rest"
	}
	steps = append(steps,
		// Read anew: the other operator has gone only now, and may have made drivers until then.
		step{webhooks, m.anew(m.removeWebhooks)},
		step{"make applications the owners of their drivers", m.anew(m.ownDrivers)},
	)
	switch {
	case m.Installer != nil:
		steps = append(steps, step{"install Brazier", func(ctx context.Context) error {
			values, _ := translateAll(inv)
			return m.Installer.Install(ctx, merge(values, m.Values))
		}})
	case inv.Operator != nil:
		steps = append(steps, step{"start Brazier, Deployment " + m.Operator.String(), m.startOperator})
	}
	return steps
}

// anew has do work on what is there when it is done.
func (m *Migration) anew(do func(context.Context, Inventory) error) func(context.Context) error {
	return func(ctx context.Context) error {
		inv, err := Read(ctx, m.Client, m.Operator)
		if err != nil {
			return err
		}
		return do(ctx, inv)
	}
}

func (m *Migration) carryOut(ctx context.Context, steps []step) error {
	for _, step := range steps {
		progress := m.Streams.Step("%s", step.name)
		if err := step.do(ctx); err != nil {
			progress.Fail(err)
			return fmt.Errorf("%s: %w", step.name, err)
		}
		progress.Done("")
	}
	return nil
}

// startOperator starts a Brazier that somebody else has installed, which waits at no replicas or runs already.
func (m *Migration) startOperator(ctx context.Context) error {
	inv, err := Read(ctx, m.Client, m.Operator)
	if err != nil {
		return err
	}
	if inv.Operator == nil {
		return errors.New("the Deployment of Brazier has gone; install it again")
	}
	if err := m.start(ctx, m.Operator); err != nil { // after an undo
		return err
	}
	if replicas(inv.Operator) == 0 && inv.Operator.Annotations[annotationReplicas] == "" {
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":1}}`))
		if err := m.Client.Patch(ctx, inv.Operator, patch); err != nil {
			return fmt.Errorf("scale Deployment %s to 1: %w", m.Operator, err)
		}
	}
	return m.available(ctx, m.Operator)
}

// ownDrivers makes applications the owners of drivers that have none, as they are where the other operator ran without its
// webhook: Brazier leaves it to Kubernetes to remove what belongs to an application that is deleted.
func (m *Migration) ownDrivers(ctx context.Context, inv Inventory) error {
	drivers := driversByApplication(inv)
	for i := range inv.Applications {
		app := &inv.Applications[i]
		made := app.GetCreationTimestamp()
		for _, driver := range drivers[client.ObjectKeyFromObject(app)] {
			if len(driver.OwnerReferences) > 0 || driver.CreationTimestamp.Before(&made) {
				continue // or a namesake's that was deleted
			}
			before := driver.DeepCopy()
			driver.OwnerReferences = []metav1.OwnerReference{
				*metav1.NewControllerRef(app, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind)),
			}
			err := m.Client.Patch(ctx, driver, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("give pod %s/%s its owner: %w", driver.Namespace, driver.Name, err)
			}
		}
	}
	return nil
}

// merge lays values over others, which it leaves as they are: maps are merged, all else is replaced.
func merge(base, over map[string]any) map[string]any {
	merged := map[string]any{}
	for key, value := range base {
		merged[key] = value
	}
	for key, value := range over {
		below, isMap := value.(map[string]any)
		under, wasMap := merged[key].(map[string]any)
		if isMap && wasMap {
			value = merge(under, below)
		}
		merged[key] = value
	}
	return merged
}

// TakenOver is an application that was submitted and has not ended, and whether Brazier looks after it.
type TakenOver struct {
	Namespace, Name, State, Driver string
	// Known says that Brazier has looked at it.
	Known bool
}

// Adopted returns what has become of the applications that were submitted and have not ended.
func Adopted(inv Inventory) []TakenOver {
	var found []TakenOver
	for i := range inv.Applications {
		app, _ := decode[v1beta2.SparkApplication](&inv.Applications[i])
		if app == nil || app.Status.AppState.State.Ended() || app.Status.SubmissionID == "" {
			continue // of one that was never submitted it is not to be seen who looks after it
		}
		found = append(found, TakenOver{
			Namespace: app.Namespace, Name: app.Name, State: string(app.Status.AppState.State), Driver: app.Status.DriverInfo.PodName,
			Known: app.Status.ObservedGeneration == app.Generation,
		})
	}
	return found
}
