package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"       // listens on the node's address only
	_ "github.com/coredns/coredns/plugin/cache"      // answers again without asking again
	_ "github.com/coredns/coredns/plugin/errors"     // says in the log what went wrong
	_ "github.com/coredns/coredns/plugin/forward"    // asks the host's own name servers for the rest of the world
	_ "github.com/coredns/coredns/plugin/health"     // liveness, for the supervisor
	_ "github.com/coredns/coredns/plugin/kubernetes" // Services and pods
	_ "github.com/coredns/coredns/plugin/ready"      // readiness, for the supervisor

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// coreDNS is upstream's command with the plugins that a single node needs, of the more than fifty that there are.
var coreDNS = dispatch.Part{
	Name:   "coredns",
	Module: "github.com/coredns/coredns",
	Run: func([]string) error {
		coremain.Run()
		return nil
	},
}
