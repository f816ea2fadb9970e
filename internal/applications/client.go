// Package applications finds SparkApplications and what belongs to them for the commands that people use every day, and
// says of them, in words, what people want to know. What follows an application's life in a terminal is
// internal/follow; what decides about applications is the operator.
package applications

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// pageSize is how many objects a list asks for at once, so that a namespace of ten thousand is no single answer.
const pageSize = 500

// createTimeout bounds a request that Ctrl-C cannot end.
const createTimeout = 30 * time.Second

// Client reads and changes the applications of one namespace.
type Client struct {
	// Config is the cluster.
	Config *rest.Config
	// Namespace is the namespace; empty means all of them, for lists.
	Namespace string
	// Flags are what chose the cluster, for hints.
	Flags *kube.Flags
	// Cluster is a client of Kubernetes' own kinds.
	Cluster kubernetes.Interface

	apps rest.Interface
}

// Open returns a client of the namespace that flags choose.
func Open(flags *kube.Flags) (*Client, error) {
	config, err := flags.Config()
	if err != nil {
		return nil, err
	}
	return New(config, flags)
}

// New returns a client of the cluster of config, in the namespace that flags choose.
func New(config *rest.Config, flags *kube.Flags) (*Client, error) {
	namespace, err := flags.CurrentNamespace()
	if err != nil {
		return nil, err
	}
	config.WarningHandler = rest.NoWarnings{} // They are for those who write manifests.
	apps, err := kube.Applications(config)
	if err != nil {
		return nil, err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Client{Config: config, Namespace: namespace, Flags: flags, Cluster: cluster, apps: apps}, nil
}

// Get returns an application. Of a name that none has, the error names those that are near.
func (c *Client) Get(ctx context.Context, name string) (*v1beta2.SparkApplication, error) {
	app := new(v1beta2.SparkApplication)
	err := c.apps.Get().Namespace(c.Namespace).Resource(kube.ApplicationsResource).Name(name).Do(ctx).Into(app)
	switch {
	case apierrors.IsNotFound(err):
		return nil, c.noSuch(ctx, "application", name, err)
	case err != nil:
		return nil, fmt.Errorf("read application %s/%s: %w", c.Namespace, name, err)
	}
	return app, nil
}

// ErrNoSuch is part of the error for a name that no object has.
var ErrNoSuch = errors.New("there is none of that name")

// noSuch is the error for a name that no object of a kind has; cause is the server's.
func (c *Client) noSuch(ctx context.Context, kind, name string, cause error) error {
	names, err := c.namesOf(ctx, kind)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster at %s does not know SparkApplications; \"%s\" puts Brazier on it: %w", c.Config.Host, c.Flags.In("").Command("install"), cause)
	case err != nil:
		return noSuch{fmt.Sprintf("there is no %s %q in namespace %s, and those that there are cannot be listed: %v", kind, name, c.Namespace, err)}
	case len(names) == 0:
		return noSuch{fmt.Sprintf("there is no %s %q in namespace %s, nor any other; --namespace looks elsewhere", kind, name, c.Namespace)}
	}
	if near := Near(name, names); len(near) > 0 {
		return noSuch{fmt.Sprintf("there is no %s %q in namespace %s; did you mean %s?", kind, name, c.Namespace, orList(near))}
	}
	list := c.Flags.Command("ps")
	if kind == "schedule" {
		list = c.Flags.Command("schedule ls")
	}
	return noSuch{fmt.Sprintf("there is no %s %q in namespace %s; \"%s\" lists those that there are", kind, name, c.Namespace, list)}
}

type noSuch struct{ text string }

func (n noSuch) Error() string { return n.text }

func (n noSuch) Is(target error) bool { return target == ErrNoSuch }

func orList(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func (c *Client) namesOf(ctx context.Context, kind string) ([]string, error) {
	var names []string
	if kind == "schedule" {
		schedules, err := c.Schedules(ctx)
		for _, schedule := range schedules {
			names = append(names, schedule.Name)
		}
		return names, err
	}
	apps, err := c.List(ctx, "")
	for _, app := range apps {
		names = append(names, app.Name)
	}
	return names, err
}

// List returns the applications that a label selector chooses, the newest first. The error of a cluster without Brazier
// is as the server has it: IsNotFound.
func (c *Client) List(ctx context.Context, selector string) ([]*v1beta2.SparkApplication, error) {
	var apps []*v1beta2.SparkApplication
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for {
		var page v1beta2.SparkApplicationList
		err := c.apps.Get().Namespace(c.Namespace).Resource(kube.ApplicationsResource).
			VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&page)
		if err != nil {
			return nil, fmt.Errorf("list applications: %w", err)
		}
		for i := range page.Items {
			apps = append(apps, &page.Items[i])
		}
		if options.Continue = page.Continue; options.Continue == "" {
			SortNewest(apps)
			return apps, nil
		}
	}
}

// Known explains the error of a list on a cluster that has no Brazier.
func (c *Client) Known(err error) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the cluster at %s does not know SparkApplications; \"%s\" puts Brazier on it: %w", c.Config.Host, c.Flags.In("").Command("install"), err)
	}
	return err
}

// SortNewest sorts applications by their creation, the newest first, and by name where that is the same.
func SortNewest(apps []*v1beta2.SparkApplication) {
	slices.SortFunc(apps, func(a, b *v1beta2.SparkApplication) int {
		if n := b.CreationTimestamp.Compare(a.CreationTimestamp.Time); n != 0 {
			return n
		}
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
}

// Pods returns the pods of an application that belong to it and not to another of its name before: the oldest first.
func (c *Client) Pods(ctx context.Context, app *v1beta2.SparkApplication) ([]*corev1.Pod, error) {
	selector := metav1.FormatLabelSelector(metav1.SetAsLabelSelector(map[string]string{v1beta2.LabelAppName: app.Name}))
	list, err := c.Cluster.CoreV1().Pods(app.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the pods of %s/%s: %w", app.Namespace, app.Name, err)
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		if pod := &list.Items[i]; !pod.CreationTimestamp.Time.Before(app.CreationTimestamp.Time) {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return pods, nil
}

// Create creates an application. A request that has been sent is waited for, also after Ctrl-C: otherwise nobody would
// know whether there is an application. The flag nameFlag is the one by which the user names applications.
func (c *Client) Create(ctx context.Context, app *v1beta2.SparkApplication, nameFlag string) (*v1beta2.SparkApplication, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	created := new(v1beta2.SparkApplication)
	err := c.apps.Post().Namespace(app.Namespace).Resource(kube.ApplicationsResource).
		Param("fieldValidation", "Strict").Body(app).Do(ctx).Into(created)
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, fmt.Errorf("%s: there is an application %q in the namespace %q already; choose another name, leave %s out to have one made, "+
			"or delete that one with \"%s\"", nameFlag, app.Name, app.Namespace, nameFlag, c.Flags.In(app.Namespace).Command("cancel", "--delete", app.Name))
	case apierrors.IsNotFound(err) && !strings.Contains(err.Error(), "namespaces"):
		return nil, fmt.Errorf("the cluster at %s does not know SparkApplications; \"brazier up --kubeconfig FILE\" puts Brazier on it: %w", c.Config.Host, err)
	case err != nil:
		return nil, fmt.Errorf("create the application: %w", err)
	}
	return created, nil
}

// Suspend ends what runs of an application and holds it back, or takes that back. The application stays.
func (c *Client) Suspend(ctx context.Context, app *v1beta2.SparkApplication, suspend bool) (*v1beta2.SparkApplication, error) {
	after := new(v1beta2.SparkApplication)
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"suspend":%t}}`, app.UID, suspend)
	err := c.apps.Patch(types.MergePatchType).Namespace(app.Namespace).Resource(kube.ApplicationsResource).Name(app.Name).
		Body(patch).Do(ctx).Into(after)
	if err != nil {
		return nil, fmt.Errorf("set spec.suspend of %s/%s: %w", app.Namespace, app.Name, err)
	}
	return after, nil
}

// Delete deletes an application, with everything that belongs to it.
func (c *Client) Delete(ctx context.Context, app *v1beta2.SparkApplication) error {
	options := &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(app.UID))}
	err := c.apps.Delete().Namespace(app.Namespace).Resource(kube.ApplicationsResource).Name(app.Name).Body(options).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s/%s: %w", app.Namespace, app.Name, err)
	}
	return nil
}
