package network

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// The portmap plugin (containernetworking/plugins, meta/portmap) keeps a chain CNI-DN-… for each pod with a host port,
// jumps to it from CNI-HOSTPORT-DNAT with the network's name in a comment, and leaves the latter chain, its helpers and
// the jumps to them behind when the last pod is gone.
const (
	portMapJumps = "CNI-HOSTPORT-DNAT"
	ourNetwork   = `name: \"brazier\"`
)

// portMapChains are the plugin's own, with the chains that jump to them.
var portMapChains = map[string][]string{
	portMapJumps:           {"PREROUTING", "OUTPUT"},
	"CNI-HOSTPORT-MASQ":    {"POSTROUTING"},
	"CNI-HOSTPORT-SETMARK": nil,
}

// removePortMaps removes the host ports of our pods and, if no other network uses them, the chains that the plugin keeps.
func removePortMaps(ctx context.Context) error {
	command := exec.CommandContext(ctx, "iptables-save", "-t", "nat")
	saved, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read iptables rules: %w", err)
	}
	script := portMapRemoval(saved)
	if script == "" {
		return nil
	}
	restore := exec.CommandContext(ctx, "iptables-restore", "--noflush")
	restore.Stdin = strings.NewReader(script)
	if err := output(restore); err != nil {
		return fmt.Errorf("remove host ports: %w", err)
	}
	return nil
}

// portMapRemoval returns the iptables-restore script that removes what saved, the output of iptables-save, has of ours.
func portMapRemoval(saved []byte) string {
	rules, chains := parseSaved(saved)
	var drop, remove []string
	shared := false
	for _, rule := range rules {
		switch {
		case !strings.HasPrefix(rule, portMapJumps+" "):
		case strings.Contains(rule, ourNetwork):
			drop = append(drop, "-D "+rule)
			remove = append(remove, target(rule))
		default:
			shared = true
		}
	}
	if !shared {
		jumps, own := pluginChains(rules, chains)
		drop, remove = append(drop, jumps...), append(remove, own...)
	}
	if len(remove) == 0 {
		return ""
	}
	return removalScript(drop, remove)
}

func parseSaved(saved []byte) (rules, chains []string) {
	lines := bufio.NewScanner(bytes.NewReader(saved))
	for lines.Scan() {
		rule, isRule := strings.CutPrefix(lines.Text(), "-A ")
		chain, isChain := strings.CutPrefix(lines.Text(), ":")
		switch {
		case isRule && strings.TrimSpace(rule) != "":
			rules = append(rules, rule)
		case isChain && strings.TrimSpace(chain) != "":
			chains = append(chains, strings.Fields(chain)[0])
		}
	}
	return rules, chains
}

// pluginChains returns those of the plugin's own chains that are there, and the deletion of the jumps to them.
func pluginChains(rules, chains []string) (jumps, own []string) {
	for _, chain := range chains {
		parents, ok := portMapChains[chain]
		if !ok {
			continue
		}
		own = append(own, chain)
		for _, rule := range rules {
			if slices.Contains(parents, strings.Fields(rule)[0]) && target(rule) == chain {
				jumps = append(jumps, "-D "+rule)
			}
		}
	}
	return jumps, own
}

func removalScript(drop, chains []string) string {
	script := []string{"*nat"}
	script = append(script, drop...)
	for _, chain := range chains {
		script = append(script, "-F "+chain)
	}
	for _, chain := range chains {
		script = append(script, "-X "+chain)
	}
	return strings.Join(append(script, "COMMIT", ""), "\n")
}

// target returns the chain that a rule jumps to.
func target(rule string) string {
	words := strings.Fields(rule)
	if i := slices.Index(words, "-j"); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}
