// Package ui reaches the web interface of an application that runs: a port of this machine is forwarded to its driver,
// through the driver's restarts. It reads the cluster and changes nothing.
package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/forward"
	"brazier.sh/brazier/internal/terminal"
)

// Reacher reaches the web interface of one application.
type Reacher struct {
	Client *applications.Client
	Name   string
	// Streams get the address on Out and all else on Err.
	Streams terminal.Streams
	// Open is given the address once it works.
	Open func(address string)

	// begun says that the interface was reached before, so that a driver that restarts is waited for.
	begun bool
}

// ErrEnded says that the application ended while its interface was forwarded.
var ErrEnded = errors.New("the application has ended, and its web interface with it")

// Forward prints an address of this machine and forwards what connects to it to the driver, until ctx ends or the
// application does.
func (r *Reacher) Forward(ctx context.Context, port int) error {
	return forward.Forwarder{
		Config: r.Client.Config, Cluster: r.Client.Cluster, Namespace: r.Client.Namespace, Err: r.Streams.Err,
		Await: r.await, Begun: r.introduce, Noun: "driver",
		Again: "connected again, to the driver that runs now", Gone: "the driver has gone; waiting for the next",
	}.Run(ctx, port)
}

func (r *Reacher) introduce(port int) {
	r.begun = true
	address := "http://" + net.JoinHostPort(forward.Local, strconv.Itoa(port))
	fmt.Fprintln(r.Streams.Out, address)
	fmt.Fprintln(r.Streams.Err, "Ctrl-C ends this connection, not the application.")
	if r.Open != nil {
		r.Open(address)
	}
}

// await returns the driver that runs. At first there has to be one; later the next is waited for.
func (r *Reacher) await(ctx context.Context) (forward.Target, error) {
	app, err := r.Client.Get(ctx, r.Name)
	if err != nil {
		return forward.Target{}, err
	}
	if !r.begun {
		if err := Live(app, r.Client.Flags.Command); err != nil {
			return forward.Target{}, err
		}
	} else if app, err = r.next(ctx); err != nil {
		return forward.Target{}, err
	}
	return r.target(ctx, app)
}

// next waits for the application to run again.
func (r *Reacher) next(ctx context.Context) (*v1beta2.SparkApplication, error) {
	var running *v1beta2.SparkApplication
	err := r.Client.WatchOne(ctx, r.Name, func(app *v1beta2.SparkApplication) (bool, error) {
		if app == nil || over(app) {
			return false, ErrEnded
		}
		running = app
		return app.Status.AppState.State == v1beta2.ApplicationStateRunning, nil
	})
	return running, err
}

// over reports whether the application will not run by itself any more.
func over(app *v1beta2.SparkApplication) bool {
	state := app.Status.AppState.State
	return state.Ended() || state == v1beta2.ApplicationStateSuspended || !app.DeletionTimestamp.IsZero()
}

func (r *Reacher) target(ctx context.Context, app *v1beta2.SparkApplication) (forward.Target, error) {
	name := app.Status.DriverInfo.PodName
	pod, err := r.Client.Cluster.CoreV1().Pods(app.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		// Whoever may forward ports need not be allowed to read pods; the specification tells the port as well, but for what
		// the platform has set.
		pod = nil
	}
	run := app.Status.Run
	return forward.Target{
		Pod: name, Port: int32(applications.UIPort(app, pod)),
		Replaced: func(ctx context.Context) error { return r.replaced(ctx, run) },
	}, nil
}

// replaced waits until the run's driver is not the one that runs any more.
func (r *Reacher) replaced(ctx context.Context, run int64) error {
	return r.Client.WatchOne(ctx, r.Name, func(app *v1beta2.SparkApplication) (bool, error) {
		return app == nil || app.Status.Run != run || app.Status.AppState.State != v1beta2.ApplicationStateRunning, nil
	})
}

// Live says why an application has no web interface to reach at the moment; nil where it has one.
func Live(app *v1beta2.SparkApplication, command func(string, ...string) string) error {
	name := app.Namespace + "/" + app.Name
	switch state := app.Status.AppState.State; {
	case !applications.ServesUI(app):
		return fmt.Errorf("%s has no web interface: its spark.ui.enabled is false", name)
	case state.Ended():
		return fmt.Errorf("%s has ended (%s), and its web interface with it; see what it said with \"%s\"", name, state, command("logs", app.Name))
	case state == v1beta2.ApplicationStateSuspended || state == v1beta2.ApplicationStateSuspending:
		return fmt.Errorf("%s is cancelled (%s), so it has no web interface; run it again with \"%s\"", name, state, command("resume", app.Name))
	case state != v1beta2.ApplicationStateRunning:
		return fmt.Errorf("%s does not run yet (%s), so it has no web interface; wait with \"%s\"", name, applications.State(app), command("get", app.Name, "--wait=running"))
	}
	return nil
}
