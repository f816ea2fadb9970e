package operator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// askAgain is how often an API server is asked that does not answer, and answerTime how long it may take.
	askAgain, answerTime = time.Second, 5 * time.Second
	// disabled is the address that turns a server off.
	disabled = "0"
)

// awaitAPIServer returns when the API server answers, or ctx ends. It says that the process is alive meanwhile: one that
// ended because nobody answers, or was ended for not being healthy, kubelet would start again later and later, and it would
// still be waiting for that when the API server is back.
func awaitAPIServer(ctx context.Context, config *rest.Config, healthAddress string) error {
	config = rest.CopyConfig(config)
	config.Timeout = answerTime
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	answer := answers(ctx, client)
	if answer == nil {
		return nil
	}
	ctrl.Log.Info("the API server does not answer; waiting for it", "error", answer.Error())
	stop, err := serveAlive(healthAddress)
	if err != nil {
		return fmt.Errorf("serve /healthz: %w", err)
	}
	err = wait.PollUntilContextCancel(ctx, askAgain, false, func(ctx context.Context) (bool, error) {
		return answers(ctx, client) == nil, nil
	})
	return errors.Join(err, stop())
}

// answers returns why the API server does not answer, or does not know all that it serves yet. Whatever else it says, such
// as that this is nothing for the operator to ask, it is there.
func answers(ctx context.Context, client discovery.DiscoveryInterface) error {
	err := client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok && status.Status().Code < http.StatusInternalServerError {
		return nil
	}
	return err
}

// serveAlive says at /healthz that the process is alive, until it is stopped. It is not ready.
func serveAlive(address string) (stop func() error, err error) {
	if address == disabled {
		return func() error { return nil }, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: answerTime}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return func() error {
		err := server.Close()
		if serving := <-ended; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
		return err
	}, nil
}
