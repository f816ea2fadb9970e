package install

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// helmFieldManager is the name of Helm's own program in server-side apply. Under the same name it and Brazier can change
// what the other has installed.
const helmFieldManager = "helm"

func configureHelm(config *rest.Config, namespace string) (*action.Configuration, error) {
	kube.ManagedFieldsManager = helmFieldManager
	helm := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := helm.Init(connection{config: config, namespace: namespace}, namespace, "secret"); err != nil {
		return nil, fmt.Errorf("set up Helm: %w", err)
	}
	return helm, nil
}

// connection tells Helm how the cluster is reached.
type connection struct {
	config    *rest.Config
	namespace string
}

// ToRESTConfig implements action.RESTClientGetter.
func (c connection) ToRESTConfig() (*rest.Config, error) { return c.config, nil }

// ToDiscoveryClient implements action.RESTClientGetter.
func (c connection) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	made, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client: %w", err)
	}
	return memory.NewMemCacheClient(made), nil
}

// ToRESTMapper implements action.RESTClientGetter.
func (c connection) ToRESTMapper() (meta.RESTMapper, error) {
	made, err := c.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	return restmapper.NewDeferredDiscoveryRESTMapper(made), nil
}

// ToRawKubeConfigLoader tells Helm the namespace of objects that name none.
func (c connection) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: c.namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), overrides)
}

// last returns the latest revision of the release, nil where there is none.
func (i *Installer) last() (*release.Release, error) {
	found, err := i.helm.Releases.Last(releaseName)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is installed in the namespace %s: %w", i.namespace, err)
	}
	last, ok := found.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("the release %s in the namespace %s is of a version of Helm that this program does not know", releaseName, i.namespace)
	}
	return last, nil
}

// deployed returns the latest revision that was installed well, nil where there is none.
func (i *Installer) deployed() (*release.Release, error) {
	found, err := i.helm.Releases.Deployed(releaseName)
	if errors.Is(err, driver.ErrNoDeployedReleases) || errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is installed in the namespace %s: %w", i.namespace, err)
	}
	deployed, ok := found.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("the release %s in the namespace %s is of a version of Helm that this program does not know", releaseName, i.namespace)
	}
	return deployed, nil
}

// installed reports whether a release is in the cluster, well or half-way to its next revision.
func installed(last *release.Release) bool {
	if last == nil {
		return false
	}
	status := last.Info.Status
	return status == common.StatusDeployed || status == common.StatusPendingUpgrade || status == common.StatusPendingRollback ||
		last.Version > 1 && status == common.StatusFailed
}

// goOnFrom takes a revision for failed that was cut off half-way, so that the next can go on from it. It is known to be dead
// only once its time is over.
func (i *Installer) goOnFrom(last *release.Release, opts Options) error {
	if last == nil || !last.Info.Status.IsPending() && last.Info.Status != common.StatusUninstalling {
		return nil
	}
	patience := max(opts.Timeout, DefaultTimeout)
	if age := time.Since(last.Info.LastDeployed); age < patience && !opts.Alone {
		return fmt.Errorf("somebody else has been at Brazier in the namespace %s for %s (%s); if that was cut off, try again in %s",
			i.namespace, age.Round(time.Second), last.Info.Status, (patience - age).Round(time.Second))
	}
	last.SetStatus(common.StatusFailed, "cut off")
	if err := i.helm.Releases.Update(last); err != nil {
		return fmt.Errorf("take over from an attempt that was cut off: %w", err)
	}
	return nil
}

// runHelm has Helm install or upgrade. It does not wait: what the operator waits for is told by waitForOperator, before
// anything is undone.
func (i *Installer) runHelm(plan *plan) error {
	if plan.current == nil {
		install := action.NewInstall(i.helm)
		install.ReleaseName, install.Namespace = releaseName, i.namespace
		install.TakeOwnership, install.ForceConflicts = true, true
		install.Replace = true // What an attempt before this one has left.
		install.WaitStrategy = kube.HookOnlyStrategy
		_, err := install.Run(i.chart, plan.values)
		return err
	}
	upgrade := action.NewUpgrade(i.helm)
	upgrade.Namespace, upgrade.MaxHistory = i.namespace, maxHistory
	upgrade.TakeOwnership, upgrade.ForceConflicts = true, true
	upgrade.ServerSideApply = "true"
	upgrade.ResetValues = true // The plan's values are all of them.
	upgrade.WaitStrategy = kube.HookOnlyStrategy
	_, err := upgrade.Run(releaseName, i.chart, plan.values)
	return err
}
