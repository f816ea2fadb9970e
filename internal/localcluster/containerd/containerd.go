// Package containerd writes the configuration of the cluster's own containerd, for the versions that machines have. It
// is pure; package part says where the files go.
package containerd

import (
	"fmt"
	"strconv"
	"strings"
)

// Config is what the configuration depends on.
type Config struct {
	// Major is the major version of containerd: 1 (from 1.6) or 2.
	Major int
	// Root holds images and snapshots, State running containers, RuncRoot what runc knows of them.
	Root, State, RuncRoot string
	// Socket is where containerd listens.
	Socket string
	// CNIBin and CNIConfig are the folders of the network plugins and of their configuration.
	CNIBin, CNIConfig string
	// Registries is the folder that says how to reach each registry.
	Registries string
	// PauseImage is the image of the container that holds a pod's network.
	PauseImage string
	// KeepOOMScore says that OOM scores cannot be lowered: the machine's root lacks CAP_SYS_RESOURCE.
	KeepOOMScore bool
}

// TOML returns containerd's configuration file.
func (c Config) TOML() string {
	template := templateV3
	if c.Major < 2 {
		template = templateV2
	}
	return strings.NewReplacer(
		"{root}", strconv.Quote(c.Root),
		"{opt}", strconv.Quote(c.Root+"/opt"),
		"{state}", strconv.Quote(c.State),
		"{runc}", strconv.Quote(c.RuncRoot),
		"{socket}", strconv.Quote(c.Socket),
		"{cniBin}", strconv.Quote(c.CNIBin),
		"{cniConfig}", strconv.Quote(c.CNIConfig),
		"{registries}", strconv.Quote(c.Registries),
		"{pause}", strconv.Quote(c.PauseImage),
		"{keepOOMScore}", strconv.FormatBool(c.KeepOOMScore),
	).Replace(template)
}

// templateV2 is for containerd 1.6 and 1.7.
const templateV2 = `version = 2
root = {root}
state = {state}
required_plugins = ["io.containerd.grpc.v1.cri"]
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = {socket}

[plugins."io.containerd.internal.v1.opt"]
  path = {opt}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {pause}
  restrict_oom_score_adj = {keepOOMScore}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {cniBin}
    conf_dir = {cniConfig}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {registries}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = {runc}
`

// templateV3 is for containerd 2.
const templateV3 = `version = 3
root = {root}
state = {state}
required_plugins = ["io.containerd.grpc.v1.cri"]

[grpc]
  address = {socket}

[plugins."io.containerd.internal.v1.opt"]
  path = {opt}

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"

  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = {pause}

  [plugins."io.containerd.cri.v1.images".registry]
    config_path = {registries}

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {keepOOMScore}

  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [{cniBin}]
    conf_dir = {cniConfig}

  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = {runc}
`

// Host is a registry that is verified with an authority of its own and wants a client certificate.
type Host struct {
	// Server is the registry's URL.
	Server string
	// CA, Cert and Key are files.
	CA, Cert, Key string
}

// TOML returns the registry's hosts.toml.
func (h Host) TOML() string {
	return fmt.Sprintf(`server = %[1]q

[host.%[1]q]
  capabilities = ["pull", "resolve"]
  ca = %[2]q
  client = [[%[3]q, %[4]q]]
`, h.Server, h.CA, h.Cert, h.Key)
}
