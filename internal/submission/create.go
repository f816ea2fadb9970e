package submission

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// createTimeout bounds a request that Ctrl-C cannot end.
const createTimeout = 30 * time.Second

// Create creates the application. The server checks it against the definition, unknown fields included. A request that
// has been sent is waited for, also after Ctrl-C: otherwise nobody would know whether there is an application. nameFlag is
// the flag by which the user names applications.
func Create(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication, nameFlag string) (*v1beta2.SparkApplication, error) {
	client, err := kube.Applications(config)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	created := new(v1beta2.SparkApplication)
	err = client.Post().Namespace(app.Namespace).Resource(kube.ApplicationsResource).
		Param("fieldValidation", "Strict").Body(app).Do(ctx).Into(created)
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, fmt.Errorf("%s: there is an application %q in the namespace %q already; choose another name, leave %s out to have one made, "+
			"or delete that one with \"kubectl --namespace %s delete sparkapplication %s\"", nameFlag, app.Name, app.Namespace, nameFlag, app.Namespace, app.Name)
	case apierrors.IsNotFound(err) && !strings.Contains(err.Error(), "namespaces"):
		return nil, fmt.Errorf("the cluster at %s does not know SparkApplications; \"brazier up --kubeconfig FILE\" puts Brazier on it: %w", config.Host, err)
	case err != nil:
		return nil, fmt.Errorf("create the application: %w", err)
	}
	return created, nil
}
