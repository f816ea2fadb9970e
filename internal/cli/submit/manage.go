package submit

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/sparksubmit"
)

// manage carries out --kill and --status: K8SSparkSubmitOperation, with applications in the place of drivers' pods.
func (o *options) manage(ctx context.Context, config *rest.Config, c *sparksubmit.Command) error {
	id, err := o.id(c.ID)
	if err != nil {
		return err
	}
	client, err := kube.Applications(config)
	if err != nil {
		return err
	}
	var list v1beta2.SparkApplicationList
	err = client.Get().Namespace(id.namespace).Resource(kube.ApplicationsResource).Do(ctx).Into(&list)
	if err != nil {
		return fmt.Errorf("list the applications of %q: %w", id.namespace, err)
	}
	var found []v1beta2.SparkApplication
	for _, app := range list.Items {
		if id.matches(&app) {
			found = append(found, app)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("--%s: no application in the namespace %q has a driver called %q; a submission ID is namespace:driver-pod, such as sales:report-x7k2p-driver, "+
			"or namespace:prefix*; \"kubectl --namespace %s get sparkapplications\" lists what there is", c.Action, id.namespace, id.pod, id.namespace)
	}
	if c.Action == sparksubmit.Kill {
		return o.kill(ctx, client, found)
	}
	o.status(found)
	return nil
}

// kill deletes applications, and with them their drivers, as --kill deletes pods.
func (o *options) kill(ctx context.Context, client rest.Interface, apps []v1beta2.SparkApplication) error {
	for i := range apps {
		app := &apps[i]
		err := client.Delete().Namespace(app.Namespace).Resource(kube.ApplicationsResource).Name(app.Name).
			Body(&metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &app.UID}}).Do(ctx).Error()
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s/%s: %w", app.Namespace, app.Name, err)
		}
		fmt.Fprintf(o.streams.Out, "%s/%s is deleted\n", app.Namespace, app.Name)
	}
	return nil
}

func (o *options) status(apps []v1beta2.SparkApplication) {
	rows := make([][]string, len(apps))
	for i := range apps {
		app := &apps[i]
		status := &app.Status
		rows[i] = []string{
			app.Namespace + ":" + driver(app), app.Name, cmp.Or(string(status.AppState.State), "NEW"), strconv.Itoa(int(status.ExecutionAttempts)),
			at(status.LastSubmissionAttemptTime), at(status.TerminationTime), status.AppState.ErrorMessage,
		}
	}
	o.streams.Table([]string{"SUBMISSION ID", "APPLICATION", "STATE", "ATTEMPTS", "SUBMITTED", "ENDED", "MESSAGE"}, rows)
}

func at(when metav1.Time) string {
	if when.IsZero() {
		return "-"
	}
	return when.UTC().Format(time.RFC3339)
}

// submissionID is what spark-submit calls a driver by: namespace:pod, or namespace:prefix*.
type submissionID struct {
	namespace, pod string
}

func (o *options) id(text string) (submissionID, error) {
	namespace, pod, ok := strings.Cut(text, ":")
	if ok {
		return submissionID{namespace, pod}, nil
	}
	current, err := o.cluster.CurrentNamespace()
	return submissionID{current, text}, err
}

// matches reports whether an application is meant: by its driver's pod, or by its own name.
func (id submissionID) matches(app *v1beta2.SparkApplication) bool {
	prefix, glob := strings.CutSuffix(id.pod, "*")
	if glob {
		return strings.HasPrefix(driver(app), prefix)
	}
	return id.pod == driver(app) || id.pod == app.Name
}

// driver is the name of an application's driver pod, before and after there is one.
func driver(app *v1beta2.SparkApplication) string {
	return cmp.Or(app.Status.DriverInfo.PodName, app.Spec.Driver.PodName, app.Name+"-driver")
}
