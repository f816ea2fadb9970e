package install

import "helm.sh/helm/v4/pkg/release/common"

// Interrupt leaves the release as a process does that is killed in the middle of an upgrade.
func Interrupt(i *Installer) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	next := *last
	info := *last.Info
	info.Status = common.StatusPendingUpgrade
	next.Info, next.Version = &info, last.Version+1
	return i.helm.Releases.Create(&next)
}
