//go:build bench

package submission

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/internal/terminal"
)

// submitter is Spark's own spark-submit in a chroot of the Spark image.
type submitter struct {
	root image.Root
	env  []string
	args []string
}

// TestPeer submits the same application, one after the other, with Spark's spark-submit and through Brazier.
func TestPeer(t *testing.T) {
	submissions := number("SUBMISSIONS", 8)
	c := newCluster(t)
	peer := c.submitter(t)
	c.operate(t)
	seen := c.watchDrivers(t, watched)

	var theirs, ours, cpu []time.Duration
	var memory int64
	for i := range submissions {
		begun := time.Now()
		usage := peer.submit(t, fmt.Sprintf("peer-%d", i))
		theirs = append(theirs, time.Since(begun))
		cpu = append(cpu, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()))
		memory = max(memory, usage.Maxrss<<10)

		ours = append(ours, c.sample(t, seen, application(watched, fmt.Sprintf("ours-%d", i))))
	}
	terminal.System().Table([]string{fmt.Sprintf("one submission, median of %d", submissions), "wall", "CPU", "memory"}, [][]string{
		{"spark-submit " + image.DefaultSpark + ", cluster mode, not waiting", ms(quantile(theirs, 0.5)), ms(quantile(cpu, 0.5)), fmt.Sprintf("%d MB", memory>>20)},
		{"Brazier, created until the driver pod is seen", ms(quantile(ours, 0.5)), "see the burst", "see the burst"},
	})
	if quantile(ours, 0.5) >= quantile(theirs, 0.5) {
		t.Error("Brazier is slower than starting a JVM")
	}
}

// submitter unpacks the image and lets spark-submit into the cluster by a token.
func (c *cluster) submitter(t *testing.T) submitter {
	t.Helper()
	built, err := image.Build(t.Context(), image.Options{
		Recipe: image.Recipe{Spark: image.DefaultSpark}, NoArchive: true, Streams: terminal.System(),
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "root")
	root, err := image.Unpack(t.Context(), built, dir)
	if err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(c.config)
	if err := rest.LoadTLSFiles(config); err != nil {
		t.Fatal(err)
	}
	authority := base64.StdEncoding.EncodeToString(config.CAData)
	prepare := root.Command(t.Context(), "0:0", file.Config.Env, "sh", "-c", "echo "+authority+" | base64 -d >/opt/ca.crt")
	if out, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return submitter{root: root, env: file.Config.Env, args: []string{
		"/opt/spark/bin/spark-submit", "--master", "k8s://" + config.Host, "--deploy-mode", "cluster",
		"--conf", "spark.kubernetes.namespace=" + bare,
		"--conf", "spark.kubernetes.container.image=spark:" + image.DefaultSpark,
		"--conf", "spark.kubernetes.submission.waitAppCompletion=false",
		"--conf", "spark.kubernetes.authenticate.submission.caCertFile=/opt/ca.crt",
		"--conf", "spark.kubernetes.authenticate.submission.oauthToken=" + c.token(t),
	}}
}

// token is one with which an application may be submitted.
func (c *cluster) token(t *testing.T) string {
	t.Helper()
	c.create(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: bare, Name: "submitter"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: bare, Name: spark.DefaultServiceAccount}},
	})
	clientset, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := clientset.CoreV1().ServiceAccounts(bare).CreateToken(t.Context(), spark.DefaultServiceAccount,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// submit runs spark-submit to its end and returns what it and its children used.
func (s submitter) submit(t *testing.T, name string) *syscall.Rusage {
	t.Helper()
	args := append(slices.Clone(s.args), "--name", name, "local:///opt/spark/examples/src/main/python/pi.py")
	var out bytes.Buffer
	command := s.root.Command(t.Context(), "185:0", s.env, args...)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		t.Fatalf("spark-submit: %v\n%s", err, out.String())
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system does not tell what a process used")
	}
	return usage
}
