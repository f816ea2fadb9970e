// Package follow keeps a person informed of a SparkApplication until it ends: its states, driver, executors and stages,
// and its driver's log. It reads the cluster and writes to a terminal; it creates, changes and decides nothing.
//
// What is known lives in a plain model. Watchers fill it (watch.go, rest.go, log.go), one loop owns it, and what is
// shown follows from it alone (narrate.go, frame.go), so that every picture can be tested without a cluster.
package follow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

const (
	tick       = 200 * time.Millisecond
	pollEvery  = time.Second
	logGrace   = 10 * time.Second
	tailLines  = 20
	pollMaxGap = 4 * time.Second
)

// ErrDeleted is returned when the application was deleted before it ended.
var ErrDeleted = errors.New("the application was deleted while it was followed")

// Options say what to follow and where to show it.
type Options struct {
	// Config is the cluster.
	Config *rest.Config
	// Namespace and Name are the application's.
	Namespace, Name string
	// Streams get the progress on Err and the driver's log on Out.
	Streams terminal.Streams
	// Logs asks for the driver's log. Without it the last lines are shown of a driver that fails.
	Logs bool
	// Why is the command line that explains a failure; empty for the usual one.
	Why string
}

// Outcome is how far an application has come: its end, or what was seen last when following ended before that.
type Outcome struct {
	// State is the application's state.
	State v1beta2.ApplicationStateType
	// ExitCode is that of the driver's container; 1 where the application failed without one.
	ExitCode int
	// Message is what the application's status says of its failure.
	Message string
	// Attempts is how often the application was run.
	Attempts int
}

// Application follows an application to its end. It returns ctx's error when ctx ends first, and ErrDeleted when the
// application goes away; the outcome then holds what was seen last.
func Application(ctx context.Context, options Options) (Outcome, error) {
	f, err := newFollower(options)
	if err != nil {
		return Outcome{}, err
	}
	return f.run(ctx)
}

// follower is one run of Application. Its loop owns the model and the screen; all others send it updates.
type follower struct {
	Options
	applications rest.Interface
	records      rest.Interface
	cluster      kubernetes.Interface

	updates chan func(*model)
	// others are the goroutines beside the loop.
	others sync.WaitGroup
	// logged is closed when the logs of all drivers so far have been shown.
	logged chan struct{}

	model    model
	narrator narrator
	screen   *screen
	begun    time.Time

	polling  bool
	nextPoll time.Time
	pollGap  time.Duration
}

func newFollower(options Options) (*follower, error) {
	config := rest.CopyConfig(options.Config)
	config.WarningHandler = rest.NoWarnings{} // They would land in the middle of the block.
	applications, err := kube.Applications(config)
	if err != nil {
		return nil, err
	}
	records, err := kube.Records(config)
	if err != nil {
		return nil, err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	logged := make(chan struct{})
	close(logged)
	return &follower{
		Options: options, applications: applications, records: records, cluster: cluster,
		updates: make(chan func(*model), 64), logged: logged,
		screen: newScreen(options.Streams), begun: time.Now(), pollGap: pollEvery,
	}, nil
}

func (f *follower) run(parent context.Context) (Outcome, error) {
	// What the libraries would log of a connection that breaks off is told by the narrator.
	ctx, cancel := context.WithCancel(klog.NewContext(parent, logr.Discard()))
	defer f.others.Wait()
	defer cancel()
	f.others.Go(func() { f.watchApplication(ctx) })
	f.others.Go(func() { f.watchPods(ctx) })

	ended := f.loop(ctx, f.model.over)
	if ended && f.model.app.state.Ended() {
		f.complete(ctx)
	}
	if ended {
		f.awaitLogs(ctx)
	}
	f.show()
	f.screen.draw(nil)
	if ended {
		f.explain(ctx)
	}
	return f.model.outcome(), f.err(parent)
}

func (f *follower) err(ctx context.Context) error {
	switch {
	case f.model.contact.refused != nil:
		return fmt.Errorf("follow %s/%s: %w", f.Namespace, f.Name, f.model.contact.refused)
	case f.model.app.state.Ended():
		return nil
	case f.model.app.gone && !f.model.app.seen:
		return fmt.Errorf("follow %s/%s: there is no such SparkApplication", f.Namespace, f.Name)
	case f.model.app.gone:
		return fmt.Errorf("follow %s/%s: %w", f.Namespace, f.Name, ErrDeleted)
	default:
		return context.Cause(ctx)
	}
}

// loop applies updates and shows what they change, until done; it reports false when ctx ended first.
func (f *follower) loop(ctx context.Context, done func() bool) bool {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case update := <-f.updates:
			f.apply(ctx, update)
			for range len(f.updates) { // A burst, such as of log lines, is shown at once.
				f.apply(ctx, <-f.updates)
			}
		case <-ticker.C:
		}
		f.show()
		f.poll(ctx)
	}
	return true
}

// apply applies an update. A driver that is seen to have started gets its log shown, after those before it.
func (f *follower) apply(ctx context.Context, update func(*model)) {
	before := f.model.driver
	update(&f.model)
	now := f.model.driver
	if !f.Logs || !now.started || before.started && before.uid == now.uid {
		return
	}
	earlier, done := f.logged, make(chan struct{})
	f.logged = done
	f.others.Go(func() {
		defer close(done)
		<-earlier
		f.streamLog(ctx, now)
	})
}

func (f *follower) show() {
	now := time.Now()
	elapsed := now.Sub(f.begun)
	f.screen.tell(f.narrator.tell(&f.model, now), elapsed)
	f.screen.draw(frame(&f.model, elapsed, now))
}

// poll looks at the driver in the background, if it is time. A driver that does not answer is asked less often: it may
// have no web interface, or be out of the API server's reach.
func (f *follower) poll(ctx context.Context) {
	if !f.model.running() || !f.model.driver.started || f.polling || time.Now().Before(f.nextPoll) {
		return
	}
	f.polling = true
	uid := f.model.driver.uid
	api := driverAPI{client: f.cluster.CoreV1().RESTClient(), namespace: f.Namespace, pod: f.model.driver.pod, port: f.model.uiPort()}
	f.others.Go(func() {
		seen, err := api.poll(ctx)
		f.send(ctx, func(m *model) {
			f.polling = false
			f.pollGap = min(2*f.pollGap, pollMaxGap)
			if err == nil {
				f.pollGap = pollEvery
			}
			f.nextPoll = time.Now().Add(f.pollGap)
			if err == nil && uid == m.driver.uid {
				m.seeSpark(seen, time.Now())
			}
		})
	})
}

// complete fetches what the watches may have missed of an application that has ended: how its driver did, and, for
// those who do not see its log, its last lines.
func (f *follower) complete(ctx context.Context) {
	name := f.model.driverName(f.Name)
	if f.model.driver.exit == nil {
		if pod, err := f.cluster.CoreV1().Pods(f.Namespace).Get(ctx, name, metav1.GetOptions{}); err == nil {
			f.apply(ctx, func(m *model) { m.seeDriver(pod) })
		}
	}
	f.show()
	if f.Logs || f.model.driver.uid == "" || f.model.outcome().ExitCode == 0 {
		return
	}
	lines, err := f.tail(ctx, f.model.driver, tailLines)
	if err != nil {
		f.screen.tell([]line{{subject: "log", text: "cannot be shown: " + err.Error()}}, time.Since(f.begun))
		return
	}
	if len(lines) > 0 {
		f.screen.tell([]line{{subject: "log", text: "the driver's last lines:"}}, time.Since(f.begun))
		f.screen.quote(lines)
	}
}

// awaitLogs shows what is left of the drivers' logs, within bounds: a kubelet that is gone never ends them.
func (f *follower) awaitLogs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	f.loop(ctx, func() bool {
		select {
		case <-f.logged:
			return len(f.updates) == 0
		default:
			return false
		}
	})
}

// send hands an update to the loop, unless that has ended.
func (f *follower) send(ctx context.Context, update func(*model)) {
	select {
	case f.updates <- update:
	case <-ctx.Done():
	}
}
