package install

import (
	"context"
	"fmt"
	"slices"
	"strings"

	release "helm.sh/helm/v4/pkg/release/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// attended names what somebody has to look after.
type attended struct{ applications, connects []string }

// refusal is why Brazier is not to be removed, nil if nothing speaks against it.
func (a attended) refusal() error {
	var there, missed []string
	if n := len(a.applications); n > 0 {
		there = append(there, fmt.Sprintf("%s not ended: %s", counted(n, "application has", "applications have"), some(a.applications)))
		missed = append(missed, "see applications end, retry them or tidy up after them")
	}
	if n := len(a.connects); n > 0 {
		there = append(there, fmt.Sprintf("%s kept running: %s", counted(n, "Connect server is", "Connect servers are"), some(a.connects)))
		missed = append(missed, "start Connect servers again that end")
	}
	if len(there) == 0 {
		return nil
	}
	ways := "Delete them"
	if len(a.applications) > 0 {
		ways = "Wait for applications to end, delete them"
		if len(a.connects) > 0 {
			ways = "Wait for applications to end, delete what is left"
		}
	}
	return fmt.Errorf("%s; without an operator nobody would %s. %s, or leave them to themselves with --leave-running",
		strings.Join(there, ", and "), strings.Join(missed, ", or "), ways)
}

// attended looks for applications that have not ended and for Connect servers.
func (i *Installer) attended(ctx context.Context, from *release.Release) (attended, error) {
	var found attended
	for _, kind := range []struct {
		of   schema.GroupVersionKind
		runs func(*unstructured.Unstructured) (bool, error)
		into *[]string
	}{
		{v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind), applicationRuns, &found.applications},
		{v1alpha1.GroupVersion.WithKind(v1alpha1.SparkConnectKind), connectRuns, &found.connects},
	} {
		objects, err := i.listed(ctx, from, kind.of)
		if err != nil {
			return attended{}, fmt.Errorf("look for %ss that run: %w", kind.of.Kind, err)
		}
		for _, object := range objects {
			runs, err := kind.runs(&object)
			if err != nil {
				return attended{}, fmt.Errorf("read the state of %s: %w", describe(&object), err)
			}
			if runs {
				*kind.into = append(*kind.into, object.GetNamespace()+"/"+object.GetName())
			}
		}
		slices.Sort(*kind.into)
	}
	return found, nil
}

func applicationRuns(app *unstructured.Unstructured) (bool, error) {
	state, _, err := unstructured.NestedString(app.Object, "status", "applicationState", "state")
	s := v1beta2.ApplicationStateType(state)
	return !s.Ended() && s != v1beta2.ApplicationStateNew && s != v1beta2.ApplicationStateSuspended, err
}

// connectRuns reports whether there may be a server. One that does not take connections at the moment counts: it is about to
// be started again, and only the operator does that.
func connectRuns(connect *unstructured.Unstructured) (bool, error) {
	state, _, err := unstructured.NestedString(connect.Object, "status", "state")
	s := v1alpha1.SparkConnectState(state)
	return s != v1alpha1.SparkConnectStateNew && s != v1alpha1.SparkConnectStateFailed, err
}

// listed returns the objects of kind in all namespaces or, for one who may not read them all, in those that the release has to
// do with.
func (i *Installer) listed(ctx context.Context, from *release.Release, kind schema.GroupVersionKind) ([]unstructured.Unstructured, error) {
	list := new(unstructured.UnstructuredList)
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := i.client.List(ctx, list)
	if !apierrors.IsForbidden(err) {
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return nil, nil // Where there is no definition nobody can have made one.
		}
		return list.Items, err
	}
	objects, err := parse(from.Manifest)
	if err != nil {
		return nil, err
	}
	var found []unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() != "RoleBinding" || object.GetName() != "spark-driver" {
			continue
		}
		if err := i.client.List(ctx, list, client.InNamespace(object.GetNamespace())); err != nil {
			return nil, err
		}
		found = append(found, list.Items...)
	}
	return found, nil
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}

// some names the first few.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
