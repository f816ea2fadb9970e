package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// UninstallOptions say how Brazier is removed.
type UninstallOptions struct {
	// Unattended says that applications which have not ended, and Connect servers, may go on without anybody who looks after them.
	Unattended bool
	// DryRun shows what would be removed, and removes nothing.
	DryRun bool
	// Timeout is how long the operator's pods may take to end.
	Timeout time.Duration
}

// Uninstall removes the operator with its rights, and those of drivers. The definitions stay, since every application and every
// Connect server would go with them, and so do namespaces that they run in.
func (i *Installer) Uninstall(ctx context.Context, opts UninstallOptions) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	if last == nil {
		return i.notInstalled()
	}
	left, err := i.attended(ctx, last)
	if err != nil {
		return err
	}
	if !opts.Unattended {
		if err := left.refusal(); err != nil {
			return err
		}
	}
	changes, err := i.planUninstall(ctx, last)
	if err != nil {
		return err
	}
	fmt.Fprintf(i.streams.Err, "Removing Brazier %s from the namespace %s:\n", last.Chart.AppVersion(), i.namespace)
	i.list(changes)
	if opts.DryRun {
		fmt.Fprintln(i.streams.Err, "Nothing was changed.")
		return nil
	}
	if err := i.uninstall(ctx, opts.Timeout); err != nil {
		return err
	}
	fmt.Fprintf(i.streams.Err, "Brazier %s is gone. The definitions of its kinds, applications, Connect servers and the namespaces they run in are still there; "+
		"\"brazier install\" takes them up again.\n", last.Chart.AppVersion())
	return nil
}

func (i *Installer) planUninstall(ctx context.Context, last *release.Release) ([]Change, error) {
	changes, err := i.removals(ctx, last, func(*unstructured.Unstructured) bool { return true })
	if err != nil {
		return nil, err
	}
	system, err := i.systemNamespaceToRemove(ctx)
	if err != nil || system == nil {
		return changes, err
	}
	return append(changes, Change{Action: Delete, Before: system}), nil
}

func (i *Installer) uninstall(ctx context.Context, timeout time.Duration) error {
	progress := i.streams.Step("removing the operator")
	err := i.removeRelease()
	if err == nil {
		err = i.awaitNoPods(ctx, timeout)
	}
	if err == nil {
		err = i.removeSystemNamespace(ctx)
	}
	if err != nil {
		progress.Fail(errors.New("failed"))
		return fmt.Errorf("remove Brazier: %w; \"brazier uninstall\" again goes on from here", err)
	}
	progress.Done("")
	return nil
}

// removeRelease removes the chart's objects, the Deployment before the rights that its pods work with.
func (i *Installer) removeRelease() error {
	uninstall := action.NewUninstall(i.helm)
	uninstall.IgnoreNotFound = true
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	_, err := uninstall.Run(releaseName)
	return err
}

// awaitNoPods waits until the last replica has ended, and removes the lease, which nobody else does.
func (i *Installer) awaitNoPods(ctx context.Context, timeout time.Duration) error {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	var pods corev1.PodList
	err := wait.PollUntilContextTimeout(ctx, pollInterval, timeout, true, func(ctx context.Context) (bool, error) {
		err := i.client.List(ctx, &pods, client.InNamespace(i.namespace), selector())
		return err == nil && len(pods.Items) == 0, transient(err)
	})
	if err != nil {
		return fmt.Errorf("wait for the operator's pods to end: %w", err)
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: i.namespace, Name: operatorName}}
	if err := i.client.Delete(ctx, lease); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the operator's lease: %w", err)
	}
	return nil
}

// removeSystemNamespace removes the operator's namespace if it is Brazier's alone, and waits until it is gone, so that
// installing again finds nothing that is just going.
func (i *Installer) removeSystemNamespace(ctx context.Context) error {
	namespace, err := i.systemNamespaceToRemove(ctx)
	if err != nil || namespace == nil {
		return err
	}
	if err := i.client.Delete(ctx, namespace); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s: %w", describe(namespace), err)
	}
	err = wait.PollUntilContextTimeout(ctx, pollInterval, DefaultTimeout, true, func(ctx context.Context) (bool, error) {
		live, err := i.live(ctx, namespace)
		return err == nil && live == nil, transient(err)
	})
	if err != nil {
		return fmt.Errorf("wait for the end of %s: %w", describe(namespace), err)
	}
	return nil
}
