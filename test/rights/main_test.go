// Package rights tests, against a real API server, what each of those who meet in a namespace may do with the rights that
// are installed: the operator, drivers, and people with more rights or fewer. The API server is a strict one: it asks for
// what OpenShift asks of owner references.
package rights_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/test/apiserver"
)

const (
	// installed is everything that installing makes, as its own test has it.
	installed = "../../internal/install/testdata/rendered/guarded.yaml"
	templates = "../../charts/brazier/templates"

	operatorNamespace, operatorAccount = "brazier-system", "brazier-operator"
	driverAccount                      = "spark"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		ctx, cancel := context.WithTimeout(context.Background(), apiserver.Patience)
		defer cancel()
		if err := setUp(ctx); err != nil {
			return err
		}
		return operate()
	}, "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"))
}

// setUp installs what holds for the whole cluster: rights and policies.
func setUp(ctx context.Context) error {
	c, err := client.New(server.Config(), client.Options{})
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
	files := []string{filepath.Join(templates, "admission-policy.yaml"), filepath.Join(templates, "queue-policies.yaml")}
	parsed, err := template.ParseFiles(files...)
	if err != nil {
		return nil, err
	}
	var policies []*unstructured.Unstructured
	for _, file := range files {
		var rendered bytes.Buffer
		err := parsed.ExecuteTemplate(&rendered, filepath.Base(file), map[string]any{
			"Release": map[string]any{"Namespace": operatorNamespace},
			"Values": map[string]any{
				"admissionPolicy": map[string]any{"enabled": true, "drivers": true},
				"queues":          map[string]any{"policies": map[string]any{"enabled": true}},
				"config":          map[string]any{"objectStoreSecret": "store"},
			},
		})
		if err != nil {
			return nil, err
		}
		found, err := decode(&rendered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		policies = append(policies, found...)
	}
	return policies, nil
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
	*apiserver.World
}

// newWorld makes a namespace with the drivers' rights that are installed, and labels.
func newWorld(t *testing.T, labels map[string]string) *world {
	t.Helper()
	t.Parallel()
	return makeWorld(t, labels)
}

// makeWorld makes a namespace for a test that runs already.
func makeWorld(t *testing.T, labels map[string]string) *world {
	t.Helper()
	w := &world{World: server.World(t, "rights-", labels)}
	rights, err := readRights()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range rights {
		if from := object.GetNamespace(); from != "" && from != operatorNamespace {
			object.SetNamespace(w.Namespace)
			if subjects, found, err := unstructured.NestedSlice(object.Object, "subjects"); err == nil && found {
				subjects[0].(map[string]any)["namespace"] = w.Namespace
				object.Object["subjects"] = subjects
			}
			w.Create(object)
		}
	}
	return w
}

// as returns the connection of a user whom the administrator plays.
func as(user string) *rest.Config {
	config := server.Config()
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
func (w *world) user(name string) string { return name + "@" + w.Namespace }

// label sets the namespace's labels.
func (w *world) label(labels map[string]string) {
	w.T.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		w.T.Fatal(err)
	}
	if err := w.Client.Patch(w.T.Context(), namespace, client.RawPatch(types.MergePatchType, text)); err != nil {
		w.T.Fatal(err)
	}
}

// createAs creates object as somebody who is not the administrator.
func (w *world) createAs(c client.Client, object client.Object) {
	w.T.Helper()
	if err := c.Create(w.T.Context(), object); err != nil {
		w.T.Fatalf("create %T %s: %v", object, object.GetName(), err)
	}
}

// application is the least there is, with a specification that options change.
func (w *world) application(name string, options ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta(name)}
	app.Spec.Type, app.Spec.SparkVersion = v1beta2.SparkApplicationTypePython, "4.3.0"
	app.Spec.MainApplicationFile = "local:///opt/job.py"
	for _, option := range options {
		option(app)
	}
	return app
}

// grant gives a user a role in the world's namespace and waits until the API server knows.
func (w *world) grant(user string, ref rbacv1.RoleRef, verb, group, resource string) {
	w.T.Helper()
	w.Create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, GenerateName: "grant-"},
		RoleRef:    ref, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	w.Eventually(user+" may "+verb+" "+resource, func(context.Context) (bool, error) { return w.may(user, verb, group, resource, ""), nil })
}

// operate runs the operator with the rights that are installed, for namespaces that are labelled so, until the tests have
// been run.
func operate() error {
	config, err := operator.ParseConfig([]byte(`
image: "spark:{{SPARK_VERSION}}"
metricsAddress: "0"
healthAddress: "0"
namespaceSelector: {matchLabels: {operated: "yes"}}
`))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- operator.Run(ctx, as(accountName(operatorNamespace, operatorAccount)), config, io.Discard)
	}()
	server.AtEnd(func() error {
		cancel()
		if err := <-ended; err != nil {
			return fmt.Errorf("operator: %w", err)
		}
		return nil
	})
	return nil
}

func operated() map[string]string { return map[string]string{"operated": "yes"} }
