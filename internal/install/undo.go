package install

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
)

// undo takes the cluster back to where it was before the plan, and returns cause with what has become of it.
func (i *Installer) undo(ctx context.Context, p *plan, cause error) error {
	if p.current == nil && p.takesOver() {
		return fmt.Errorf("%w\nthe operator that was installed without Helm has been changed, and nobody knows what it was like; "+
			"mend the cause and run \"brazier upgrade\"", cause)
	}
	if p.current == nil {
		return i.undoInstallation(context.WithoutCancel(ctx), p, cause)
	}
	last, err := i.last()
	switch {
	case err != nil:
		return errors.Join(cause, err)
	case last != nil && last.Version == p.current.Version:
		return fmt.Errorf("%w\nnothing was changed", cause)
	case p.current.Info.Status == common.StatusFailed:
		return fmt.Errorf("%w\nwhat was there before had failed too, so there is nothing to go back to; mend the cause and run \"brazier upgrade\" again", cause)
	default:
		return i.rollBack(p, cause)
	}
}

// takesOver reports whether there is an operator already that Helm knows nothing of.
func (p *plan) takesOver() bool {
	return slices.ContainsFunc(p.changes, func(c Change) bool { return c.Before != nil && c.Before.GetKind() == "Deployment" })
}

func (i *Installer) undoInstallation(ctx context.Context, p *plan, cause error) error {
	progress := i.streams.Step("removing what was installed")
	err := i.removeRelease()
	if err == nil && p.system != nil && p.changes[0].Action == Create {
		err = i.removeSystemNamespace(ctx)
	}
	if err != nil {
		progress.Fail(errors.New("failed"))
		return fmt.Errorf("%w\nit could not be removed again: %w; \"brazier uninstall\" does so", cause, err)
	}
	progress.Done("")
	return fmt.Errorf("%w\nwhat was installed has been removed again, but for the definitions of the kinds and namespaces of applications; mend the cause and run \"brazier install\" again", cause)
}

func (i *Installer) rollBack(p *plan, cause error) error {
	progress := i.streams.Step("going back to revision %d", p.current.Version)
	rollback := action.NewRollback(i.helm)
	rollback.Version, rollback.MaxHistory = p.current.Version, maxHistory
	rollback.ServerSideApply, rollback.ForceConflicts = "true", true
	rollback.WaitStrategy = kube.HookOnlyStrategy
	if err := rollback.Run(releaseName); err != nil {
		progress.Fail(errors.New("failed"))
		return fmt.Errorf("%w\ngoing back failed as well: %w; try \"helm rollback %s %d --namespace %s\", or \"brazier upgrade\" with the values of before",
			cause, err, releaseName, p.current.Version, i.namespace)
	}
	progress.Done("")
	return fmt.Errorf("%w\nthe objects of before (revision %d, Brazier %s) have been restored; mend the cause and run \"brazier upgrade\" again",
		cause, p.current.Version, p.from)
}
