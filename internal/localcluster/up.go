package localcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brazier.sh/brazier/internal/image/binary"
	"brazier.sh/brazier/internal/localcluster/addons"
	"brazier.sh/brazier/internal/localcluster/cgroup"
	"brazier.sh/brazier/internal/localcluster/kubeconfig"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/network"
	"brazier.sh/brazier/internal/localcluster/packages"
	"brazier.sh/brazier/internal/localcluster/part"
	"brazier.sh/brazier/internal/localcluster/pki"
	"brazier.sh/brazier/internal/localcluster/preflight"
	"brazier.sh/brazier/internal/localcluster/registry"
	"brazier.sh/brazier/internal/localcluster/supervise"
	"brazier.sh/brazier/internal/terminal"
)

// UpOptions are what Up can be told.
type UpOptions struct {
	// NoInstall forbids to install missing packages of the system.
	NoInstall bool
	// Then are done once the node is ready, in this order.
	Then []Action
}

// Action is something that is done, and told about, on the way up.
type Action struct {
	// Name says what is done, for the user: "installing Brazier".
	Name string
	// Do does it. It may return a note for the user.
	Do func(ctx context.Context) (note string, err error)
}

// Up starts the cluster, or mends it, and returns when it works. Every action leaves alone what is as it should be, so
// that Up can be repeated at any time.
func (c *Cluster) Up(ctx context.Context, opts UpOptions, streams terminal.Streams) error {
	u := &up{Cluster: c, opts: opts, streams: streams}
	actions := []Action{
		{"looking at the machine", u.look},
		{"finding the node's programs", u.findPrograms},
		{"making keys and certificates", u.makeCertificates},
		{"setting up the node's network", u.setUpNetwork},
		{"starting the supervisor", u.startSupervisor},
		{"", u.startControlPlane},
		{"setting up storage classes, metrics and rights", u.applyAddons},
		{"", u.startOthers},
		{"storing the pause image", u.storePauseImage},
		{"waiting for the node to be ready", u.awaitNode},
		{"handing out the object store's keys", u.handOutKeys},
	}
	for _, action := range append(actions, opts.Then...) {
		if err := perform(ctx, action, streams); err != nil {
			return err
		}
	}
	return nil
}

// perform does one action. One without a name tells about itself.
func perform(ctx context.Context, action Action, streams terminal.Streams) error {
	if action.Name == "" {
		_, err := action.Do(ctx)
		return err
	}
	step := streams.Step("%s", action.Name)
	note, err := action.Do(ctx)
	if err != nil {
		step.Fail(errors.New("failed"))
		return fmt.Errorf("%s: %w", action.Name, err)
	}
	step.Done("%s", note)
	return nil
}

// up is one way up, and what was learnt on it.
type up struct {
	*Cluster
	opts    UpOptions
	streams terminal.Streams

	machine  preflight.Machine
	programs packages.Programs
	pause    string
	parts    []part.Part
}

// minimumFree is enough for the images of a few Spark versions and a job's data.
const minimumFree = 5 << 30

func (u *up) look(context.Context) (string, error) {
	bin, err := layout.FindBin()
	if err != nil {
		return "", err
	}
	u.Layout.Bin = bin
	u.machine, err = preflight.Probe(u.Layout.Home, u.owns)
	if err != nil {
		return "", err
	}
	need := preflight.Need{
		Networks:      []string{layout.PodCIDR, layout.ServiceCIDR},
		Bridge:        layout.Bridge,
		BridgeAddress: layout.NodeAddress + "/24",
		FreeBytes:     minimumFree,
	}
	for _, p := range part.All(u.config()) {
		need.Addresses = append(need.Addresses, p.Listens...)
	}
	return "", preflight.Check(u.machine, need)
}

func (u *up) findPrograms(ctx context.Context) (string, error) {
	note := ""
	if missing := packages.Missing(); len(missing) > 0 {
		if u.opts.NoInstall {
			return "", fmt.Errorf("the node needs these packages, and --no-install forbids to install them: %v; run \"apt-get install %s\"",
				missing, join(missing))
		}
		fmt.Fprintf(u.streams.Err, "  installing with apt-get: %s\n", join(missing))
		if err := packages.Install(ctx, missing); err != nil {
			return "", err
		}
		note = "installed " + join(missing)
	}
	var err error
	u.programs, err = packages.Locate(ctx)
	return note, err
}

func (u *up) makeCertificates(context.Context) (string, error) {
	tag, err := u.pauseSource().Tag()
	if err != nil {
		return "", err
	}
	u.pause = layout.Registry + "/brazier/pause:" + tag
	config := u.config()
	store := pki.New(u.Layout.PKI(), time.Now())
	if err := store.Ensure(part.Authorities(config)); err != nil {
		return "", err
	}
	if err := store.EnsureKey(part.ServiceAccountKey()); err != nil {
		return "", err
	}
	if err := u.ensureObjectStoreKeys(); err != nil {
		return "", err
	}
	return "", kubeconfig.WriteAdmin(u.Layout, config.APIServerURL())
}

func (u *up) setUpNetwork(ctx context.Context) (string, error) {
	if err := u.makeRun(); err != nil {
		return "", err
	}
	if err := cgroup.Ensure(part.CgroupRoot); err != nil {
		return "", err
	}
	return layout.NodeAddress, network.Ensure(ctx, u.Layout.Run)
}

// startControlPlane tells the supervisor what to run: everything, of which it starts each part as soon as those that the
// part needs are healthy. Others wait here in vain for rights that only the next action gives.
func (u *up) startControlPlane(ctx context.Context) (string, error) {
	u.parts = part.All(u.config())
	if err := u.supervisor().Apply(ctx, u.parts); err != nil {
		return "", err
	}
	return "", u.awaitParts(ctx, u.parts[:len(part.ControlPlane(u.config()))])
}

func (u *up) startOthers(ctx context.Context) (string, error) {
	return "", u.awaitParts(ctx, u.parts[len(part.ControlPlane(u.config())):])
}

// awaitParts tells the user about each part as it becomes healthy.
func (u *up) awaitParts(ctx context.Context, parts []part.Part) error {
	for _, p := range parts {
		start := func(ctx context.Context) (string, error) { return "", u.awaitPart(ctx, p.Name) }
		if err := perform(ctx, Action{"starting " + p.Name, start}, u.streams); err != nil {
			return err
		}
	}
	return nil
}

// partTimeout is how long a part may take, also on a slow disk. A part that cannot start fails again and again; after
// this many restarts it is given up on, since the supervisor's delays have grown long by then.
const (
	partTimeout  = 2 * time.Minute
	partRestarts = 5
	pollInterval = 50 * time.Millisecond
)

func (u *up) awaitPart(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, partTimeout, fmt.Errorf("not healthy after %v", partTimeout))
	defer cancel()
	before := -1
	for {
		state, err := u.partState(ctx, name)
		if err != nil {
			return err
		}
		if state.Phase == supervise.Healthy {
			return nil
		}
		if before < 0 {
			before = state.Restarts
		}
		if state.Restarts-before >= partRestarts {
			return u.partError(name, fmt.Errorf("it ended %d times", partRestarts), state)
		}
		select {
		case <-ctx.Done():
			return u.partError(name, context.Cause(ctx), state)
		case <-time.After(pollInterval):
		}
	}
}

func (u *up) partState(ctx context.Context, name string) (supervise.State, error) {
	report, err := u.supervisor().Report(ctx)
	if err != nil {
		return supervise.State{}, err
	}
	for _, state := range report.Parts {
		if state.Name == name {
			return state, nil
		}
	}
	return supervise.State{}, fmt.Errorf("the supervisor does not know %s; is another \"brazier up\" or \"down\" at work?", name)
}

// partError shows the end of the part's log, which says why.
func (u *up) partError(name string, cause error, state supervise.State) error {
	return fmt.Errorf("%w: %s; the end of its log (all of it: brazier logs --system %s):\n%s",
		cause, state.Problem, name, tail(u.Layout.Log(name)))
}

func (u *up) storePauseImage(ctx context.Context) (string, error) {
	return "", registry.Ensure(ctx, u.Layout, u.pause, u.pauseSource().Image)
}

// pauseSource is the image of the container that holds a pod's network.
func (u *up) pauseSource() binary.Source { return binary.Source{Executable: u.Layout.Pause()} }

func (u *up) applyAddons(ctx context.Context) (string, error) {
	client, err := u.client()
	if err != nil {
		return "", err
	}
	ca, err := readFile(u.Layout.CA())
	if err != nil {
		return "", err
	}
	return "", addons.Apply(ctx, client, ca)
}
