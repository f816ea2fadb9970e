// Package provisioner makes a folder of the node's disk for every claim of the default StorageClass, and removes it with
// the volume. It is a process of the node and not a pod, so that it needs no image, no privilege inside the cluster and
// no folder of the host mounted into a container. It does not limit a volume to the size that was asked for: a folder
// has no size of its own.
package provisioner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Name is what StorageClasses call this provisioner.
const Name = "brazier.sh/local"

// folderMode lets every user into a volume. The pod's user is not known when the folder is made, and a pod that runs as
// a user of its own without an fsGroup has to be able to write. Nobody else gets there: the root above is 0700, and a
// container sees the one folder that the kubelet mounts into it.
const folderMode fs.FileMode = 0o777

// A local provisions folders below root. All access goes through the os.Root, which no name and no symbolic link that a
// pod made can lead out of.
type local struct {
	path string
	root *os.Root
}

// open makes the folder at path if it is not there, and returns the provisioner of folders in it.
func open(path string) (*local, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of volumes: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the folder of volumes: %w", err)
	}
	return &local{path: path, root: root}, nil
}

func (l *local) Close() error { return l.root.Close() }

// Provision makes the claim's folder and returns the volume that stands for it. It may be called again for a claim whose
// folder is there already, after a crash.
func (l *local) Provision(_ context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	volume, err := l.provision(options)
	return volume, controller.ProvisioningFinished, err
}

func (l *local) provision(options controller.ProvisionOptions) (*corev1.PersistentVolume, error) {
	if err := supported(options); err != nil {
		return nil, err
	}
	folder, err := folderName(options.PVC.Namespace, options.PVC.Name, options.PVName)
	if err != nil {
		return nil, err
	}
	if err := l.makeFolder(folder); err != nil {
		return nil, fmt.Errorf("make the volume's folder: %w", err)
	}
	return volume(options, filepath.Join(l.path, folder)), nil
}

// makeFolder makes a folder with folderMode, whatever the umask.
func (l *local) makeFolder(name string) error {
	if err := l.root.Mkdir(name, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := l.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is there already and is not a folder", filepath.Join(l.path, name))
	}
	return l.root.Chmod(name, folderMode)
}

// Delete removes the volume's folder with all that is in it.
func (l *local) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.Local == nil {
		return fmt.Errorf("volume %s has no spec.local.path; remove what it stands for by hand, then the volume", volume.Name)
	}
	folder, err := l.folderOf(volume.Spec.Local.Path)
	if err != nil {
		return fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	if err := l.root.RemoveAll(folder); err != nil {
		return fmt.Errorf("remove the folder of volume %s: %w", volume.Name, err)
	}
	return nil
}

// folderOf returns the name in root of the folder at path. Whoever may edit volumes chooses the path, so only a folder
// directly in root will do.
func (l *local) folderOf(path string) (string, error) {
	folder, err := filepath.Rel(l.path, path)
	if err != nil || folder != filepath.Base(folder) || !filepath.IsLocal(folder) || folder == "." {
		return "", fmt.Errorf("spec.local.path: %q is not a folder in %s; remove it by hand, then the volume", path, l.path)
	}
	return folder, nil
}

// maxName is the longest file name that Linux file systems take.
const maxName = 255

// folderName is the name of a volume's folder: the claim's names for people who look for their data, and the volume's,
// which is unique, to tell claims apart that follow each other under one name. It may cut the former.
func folderName(namespace, claim, volume string) (string, error) {
	readable := namespace + "-" + claim
	if room := maxName - len("-") - len(volume); len(readable) > room {
		readable = readable[:max(room, 0)]
	}
	name := readable + "-" + volume
	if name != filepath.Base(name) || !filepath.IsLocal(name) || len(name) > maxName {
		return "", fmt.Errorf("claim %s/%s: volume %q does not make a file name", namespace, claim, volume)
	}
	return name, nil
}

// supported says what of a claim a folder cannot be.
func supported(options controller.ProvisionOptions) error {
	claim := options.PVC
	switch {
	case options.SelectedNodeName == "":
		return fmt.Errorf("StorageClass %s: volumeBindingMode has to be WaitForFirstConsumer, since a folder is on one node", options.StorageClass.Name)
	case claim.Spec.Selector != nil:
		return fmt.Errorf("claim %s/%s: spec.selector: a new folder has no labels to select by; remove it", claim.Namespace, claim.Name)
	case len(options.StorageClass.MountOptions) > 0:
		return fmt.Errorf("StorageClass %s: mountOptions: a folder is not mounted with options; remove them", options.StorageClass.Name)
	}
	return nil
}

// volume is the PersistentVolume that stands for the folder at path. It is a local volume rather than a hostPath one
// because the kubelet applies a pod's fsGroup to the former only, and says so when the folder has gone.
func volume(options controller.ProvisionOptions, path string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy, // the API server always sets one
			AccessModes:                   options.PVC.Spec.AccessModes,        // all hold on a single node
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: options.PVC.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: path},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: onNode(options.SelectedNodeName)},
		},
	}
}

// onNode selects the node by the label that the kubelet gives it, whose value is the node's name in this cluster.
func onNode(name string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{
			Key:      corev1.LabelHostname,
			Operator: corev1.NodeSelectorOpIn,
			Values:   []string{name},
		}},
	}}}
}
