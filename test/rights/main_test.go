// Package rights tests, against a real API server, what each of those who meet in a namespace may do with the rights that
// are installed: the operator, drivers, and people with more rights or fewer. The API server is a strict one: it asks for
// what OpenShift asks of owner references.
package rights_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/operator"
)

const (
	// installed is everything that installing makes, as its own test has it.
	installed = "../../internal/install/testdata/rendered/guarded.yaml"
	policy    = "../../charts/brazier/templates/admission-policy.yaml"

	operatorNamespace, operatorAccount = "brazier-system", "brazier-operator"
	driverAccount                      = "spark"

	// patience ends a test that hangs; nothing is measured by it.
	patience = time.Minute
)

// plane is the API server of these tests; nil with -short.
var plane *rest.Config

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	os.Exit(withControlPlane(m.Run))
}

func withControlPlane(run func() int) int {
	if testing.Short() {
		return run()
	}
	started, err := controlplane.Start(context.Background(), controlplane.Options{
		APIServerFlags: []string{"--enable-admission-plugins=OwnerReferencesPermissionEnforcement"},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer started.Stop()
	plane = started.Config()
	plane.QPS = -1
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := setUp(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop, err := operate()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		return 1
	}
	return code
}

// setUp installs what holds for the whole cluster: definitions, rights and policies.
func setUp(ctx context.Context) error {
	if _, err := envtest.InstallCRDs(plane, envtest.CRDInstallOptions{Paths: []string{"../../api/crds"}, MaxTime: patience}); err != nil {
		return err
	}
	c, err := client.New(plane, client.Options{})
	if err != nil {
		return err
	}
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}); err != nil {
		return err
	}
	rights, err := readRights()
	if err != nil {
		return err
	}
	policies, err := readPolicies()
	if err != nil {
		return err
	}
	for _, object := range append(rights, policies...) {
		if namespace := object.GetNamespace(); namespace != "" && namespace != operatorNamespace {
			continue // the drivers' of some namespace
		}
		if err := c.Create(ctx, object); err != nil {
			return fmt.Errorf("create %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// readRights returns the accounts, roles and bindings among what is installed.
func readRights() ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(installed)
	if err != nil {
		return nil, err
	}
	all, err := decode(bytes.NewReader(text))
	var rights []*unstructured.Unstructured
	for _, object := range all {
		if object.GetKind() == "ServiceAccount" || object.GroupVersionKind().Group == rbacv1.GroupName {
			rights = append(rights, object)
		}
	}
	return rights, err
}

// readPolicies renders the chart's policies with Go's own templates, all of them turned on.
func readPolicies() ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(policy)
	if err != nil {
		return nil, err
	}
	parsed, err := template.New("policy").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var rendered bytes.Buffer
	err = parsed.Execute(&rendered, map[string]any{"Values": map[string]any{
		"admissionPolicy": map[string]any{"enabled": true, "drivers": true},
		"config":          map[string]any{"objectStoreSecret": "store"},
	}})
	if err != nil {
		return nil, err
	}
	return decode(&rendered)
}

func decode(text io.Reader) ([]*unstructured.Unstructured, error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(text, 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// world is a namespace that drivers may run in.
type world struct {
	t         *testing.T
	namespace string
	admin     client.Client
}

// newWorld makes a namespace with the drivers' rights that are installed, and labels.
func newWorld(t *testing.T, labels map[string]string) *world {
	t.Helper()
	if plane == nil {
		t.Skip("this test needs an API server")
	}
	t.Parallel()
	return makeWorld(t, labels)
}

// makeWorld makes a namespace for a test that runs already.
func makeWorld(t *testing.T, labels map[string]string) *world {
	t.Helper()
	w := &world{t: t, admin: newClient(t, plane)}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "rights-", Labels: labels}}
	w.create(w.admin, namespace)
	w.namespace = namespace.Name
	rights, err := readRights()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range rights {
		if from := object.GetNamespace(); from != "" && from != operatorNamespace {
			object.SetNamespace(w.namespace)
			if subjects, found, err := unstructured.NestedSlice(object.Object, "subjects"); err == nil && found {
				subjects[0].(map[string]any)["namespace"] = w.namespace
				object.Object["subjects"] = subjects
			}
			w.create(w.admin, object)
		}
	}
	return w
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1beta2.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as returns the connection of a user whom the administrator plays.
func as(user string) *rest.Config {
	config := rest.CopyConfig(plane)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		namespace, _, _ := strings.Cut(account, ":")
		config.Impersonate.Groups = append(config.Impersonate.Groups, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	}
	return config
}

func accountName(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// user returns the name of a user whom no other test knows.
func (w *world) user(name string) string { return name + "@" + w.namespace }

// label sets the namespace's labels.
func (w *world) label(labels map[string]string) {
	w.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.admin.Patch(w.t.Context(), namespace, client.RawPatch(types.MergePatchType, text)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create(c client.Client, object client.Object) {
	w.t.Helper()
	if err := c.Create(w.t.Context(), object); err != nil {
		w.t.Fatalf("create %T %s: %v", object, object.GetName(), err)
	}
}

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

// application is the least there is, with a specification that options change.
func (w *world) application(name string, options ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{ObjectMeta: w.meta(name)}
	app.Spec.Type, app.Spec.SparkVersion = v1beta2.SparkApplicationTypePython, "4.3.0"
	app.Spec.MainApplicationFile = "local:///opt/job.py"
	for _, option := range options {
		option(app)
	}
	return app
}

// grant gives a user a role in the world's namespace and waits until the API server knows.
func (w *world) grant(user string, ref rbacv1.RoleRef, verb, group, resource string) {
	w.t.Helper()
	w.create(w.admin, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, GenerateName: "grant-"},
		RoleRef:    ref, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	w.eventually(user+" may "+verb+" "+resource, func(context.Context) (bool, error) { return w.may(user, verb, group, resource, ""), nil })
}

func (w *world) eventually(what string, is wait.ConditionWithContextFunc) {
	w.t.Helper()
	if err := wait.PollUntilContextTimeout(w.t.Context(), 20*time.Millisecond, patience, true, is); err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

// operate runs the operator with the rights that are installed, for namespaces that are labelled so.
func operate() (stop func() error, err error) {
	config, err := operator.ParseConfig([]byte(`
image: "spark:{{SPARK_VERSION}}"
metricsAddress: "0"
healthAddress: "0"
namespaceSelector: {matchLabels: {operated: "yes"}}
`))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- operator.Run(ctx, as(accountName(operatorNamespace, operatorAccount)), config, io.Discard)
	}()
	return func() error {
		cancel()
		return <-ended
	}, nil
}

func operated() map[string]string { return map[string]string{"operated": "yes"} }
