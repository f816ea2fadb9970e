package provisioner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestProvision(t *testing.T) {
	folders := newLocal(t)
	for _, attempt := range []string{"first", "again, after a crash"} {
		got, state, err := folders.Provision(t.Context(), claim())
		if err != nil {
			t.Fatalf("%s: %v", attempt, err)
		}
		if state != controller.ProvisioningFinished {
			t.Errorf("%s: state is %s, want %s", attempt, state, controller.ProvisioningFinished)
		}
		if diff := cmp.Diff(wantVolume(folders.path), got); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", attempt, diff)
		}
	}
	info, err := os.Stat(filepath.Join(folders.path, "team-data-pvc-1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != folderMode {
		t.Errorf("the folder's mode is %#o, want %#o whatever the umask", got, folderMode)
	}
}

func TestProvisionRefuses(t *testing.T) {
	tests := map[string]struct {
		reason  string
		prepare func(t *testing.T, folders *local)
		change  func(*controller.ProvisionOptions)
		want    string
	}{
		"Immediate": {
			reason: "Without a node there is no disk to make the folder on.",
			change: func(o *controller.ProvisionOptions) { o.SelectedNodeName = "" },
			want:   "volumeBindingMode has to be WaitForFirstConsumer",
		},
		"Selector": {
			reason: "A selector picks among volumes that are there.",
			change: func(o *controller.ProvisionOptions) { o.PVC.Spec.Selector = &metav1.LabelSelector{} },
			want:   "claim team/data: spec.selector",
		},
		"MountOptions": {
			reason: "Options that would silently be ignored are refused.",
			change: func(o *controller.ProvisionOptions) { o.StorageClass.MountOptions = []string{"noatime"} },
			want:   "mountOptions",
		},
		"Escape": {
			reason: "The API server lets no such name through, and neither does this.",
			change: func(o *controller.ProvisionOptions) { o.PVC.Name = "../../etc" },
			want:   "does not make a file name",
		},
		"Link": {
			reason: "A link in the folder's place must not be followed.",
			prepare: func(t *testing.T, folders *local) {
				if err := os.Symlink(t.TempDir(), filepath.Join(folders.path, "team-data-pvc-1")); err != nil {
					t.Fatal(err)
				}
			},
			change: func(*controller.ProvisionOptions) {},
			want:   "is not a folder",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			folders, options := newLocal(t), claim()
			if tt.prepare != nil {
				tt.prepare(t, folders)
			}
			tt.change(&options)
			_, _, err := folders.Provision(t.Context(), options)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.want)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	folders, outside := newLocal(t), t.TempDir()
	victim := filepath.Join(outside, "keep")
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	made, _, err := folders.Provision(t.Context(), claim())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(made.Spec.Local.Path, "way-out")); err != nil {
		t.Fatal(err)
	}
	for _, attempt := range []string{"first", "again, after a crash"} {
		if err := folders.Delete(t.Context(), made); err != nil {
			t.Errorf("%s: %v", attempt, err)
		}
	}
	if _, err := os.Lstat(made.Spec.Local.Path); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := os.Stat(victim); err != nil {
		t.Errorf("what a link in the folder leads to must stay: %v", err)
	}
}

func TestDeleteRefuses(t *testing.T) {
	folders := newLocal(t)
	sibling := folders.path + "-other"
	if err := os.Mkdir(sibling, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"Root":      folders.path,
		"Parent":    filepath.Dir(folders.path),
		"Elsewhere": "/etc",
		"Sibling":   sibling,
		"DotDot":    folders.path + "/../" + filepath.Base(sibling),
		"Below":     filepath.Join(folders.path, "a", "b"),
		"Relative":  "team-data-pvc-1",
		"Empty":     "",
	} {
		t.Run(name, func(t *testing.T) {
			volume := wantVolume(folders.path)
			volume.Spec.Local.Path = path
			if err := folders.Delete(t.Context(), volume); err == nil {
				t.Errorf("%q was deleted; only folders directly in %s may be", path, folders.path)
			}
		})
	}
	if _, err := os.Stat(sibling); err != nil {
		t.Error(err)
	}
	hostPath := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-2"}}
	if err := folders.Delete(t.Context(), hostPath); err == nil {
		t.Error("a volume that is not local was deleted")
	}
}

func TestFolderName(t *testing.T) {
	const volume = "pvc-b52c1d5e-6f3f-4d0c-9a52-2f6f4b1d7f11"
	name, err := folderName(strings.Repeat("n", 63), strings.Repeat("c", 253), volume)
	if err != nil {
		t.Fatal(err)
	}
	if len(name) != maxName || !strings.HasSuffix(name, "-"+volume) {
		t.Errorf("%q has %d bytes; want the longest name that a file can have, with the volume's whole", name, len(name))
	}
	if name, err := folderName("team", "data", strings.Repeat("v", 300)); err == nil {
		t.Errorf("got %q, want an error: the volume's own name does not fit", name)
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		reason  string
		args    []string
		want    options
		wantErr string
	}{
		"Both": {
			reason: "A root is cleaned, since volumes' paths are compared with it.",
			args:   []string{"--kubeconfig", "/k", "--root", "/var/lib/volumes/"},
			want:   options{kubeconfig: "/k", root: "/var/lib/volumes"},
		},
		"NoKubeconfig": {reason: "There is no default cluster.", args: []string{"--root", "/v"}, wantErr: "--kubeconfig is empty"},
		"Relative":     {reason: "The kubelet has another working folder.", args: []string{"--kubeconfig", "/k", "--root", "v"}, wantErr: `--root: "v"`},
		"Argument":     {reason: "A forgotten dash must not go unseen.", args: []string{"root"}, wantErr: `"root" is not a flag`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tt.args)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func newLocal(t *testing.T) *local {
	t.Helper()
	folders, err := open(filepath.Join(t.TempDir(), "volumes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folders.Close(); err != nil {
			t.Error(err)
		}
	})
	return folders
}

// claim is what the library hands over for the claim team/data on the node brazier.
func claim() controller.ProvisionOptions {
	reclaim := corev1.PersistentVolumeReclaimDelete
	return controller.ProvisionOptions{
		StorageClass: &storagev1.StorageClass{
			ObjectMeta:    metav1.ObjectMeta{Name: "local"},
			Provisioner:   Name,
			ReclaimPolicy: &reclaim,
		},
		PVName:           "pvc-1",
		SelectedNodeName: "brazier",
		PVC: &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "data"},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
				},
			},
		},
	}
}

// wantVolume is the volume of claim where the volumes lie in root.
func wantVolume(root string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-1"},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: filepath.Join(root, "team-data-pvc-1")},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: []string{"brazier"},
					}},
				}},
			}},
		},
	}
}
