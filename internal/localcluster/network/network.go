// Package network makes the node's own network on the machine, and removes it with everything that pods, the CNI plugins
// and kube-proxy have left in it. Pods are attached to it by the CNI plugins, Services are kube-proxy's.
package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"

	"brazier.sh/brazier/internal/localcluster/layout"
)

const (
	forwarding     = "/proc/sys/net/ipv4/ip_forward"
	bridgeCallsAll = "/proc/sys/net/bridge/bridge-nf-call-iptables"
)

// rules let pods reach the world behind the machine's address, and keep the world from reaching the cluster: Linux would
// otherwise answer at the bridge's address whatever interface a packet comes in by.
const rules = `table ip brazier
delete table ip brazier
table ip brazier {
	chain prerouting {
		type filter hook prerouting priority raw; policy accept;
		iifname != { "lo", "` + layout.Bridge + `" } ip daddr { ` + layout.PodCIDR + `, ` + layout.ServiceCIDR + ` } drop
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr ` + layout.PodCIDR + ` oifname != "` + layout.Bridge + `" masquerade
	}
}
`

// Ensure makes the bridge with the node's address, the rules and the kernel's settings, and leaves alone what is there.
// It keeps in the folder run what Remove has to restore.
func Ensure(ctx context.Context, run string) error {
	if err := ensureBridge(); err != nil {
		return fmt.Errorf("bridge %s: %w", layout.Bridge, err)
	}
	if err := nft(ctx, rules); err != nil {
		return fmt.Errorf("set rules for pods' traffic: %w", err)
	}
	if err := ensureForwarding(run); err != nil {
		return fmt.Errorf("let the machine forward pods' traffic: %w", err)
	}
	return nil
}

func ensureBridge() error {
	link, err := netlink.LinkByName(layout.Bridge)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		err = netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: layout.Bridge}})
		if err == nil {
			link, err = netlink.LinkByName(layout.Bridge)
		}
	}
	if err != nil {
		return err
	}
	node, err := netlink.ParseAddr(layout.NodeAddress + "/24")
	if err != nil {
		return err
	}
	if err := netlink.AddrReplace(link, node); err != nil {
		return fmt.Errorf("set address %s: %w", node, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	return showBridged()
}

// showBridged lets the rules see packets that only cross the bridge, where the kernel can: for this bridge only, not for
// others of the machine.
func showBridged() error {
	if !SeesBridged() {
		return nil
	}
	return os.WriteFile(filepath.Join("/sys/class/net", layout.Bridge, "bridge", "nf_call_iptables"), []byte("1"), 0)
}

// SeesBridged reports whether the kernel can show nftables the packets that cross a bridge, and loads its module for that
// if it has one.
func SeesBridged() bool {
	if _, err := os.Stat(bridgeCallsAll); err == nil {
		return true
	}
	if err := exec.Command("modprobe", "br_netfilter").Run(); err != nil {
		return false
	}
	_, err := os.Stat(bridgeCallsAll)
	return err == nil
}

func savedForwarding(run string) string { return filepath.Join(run, "ip_forward") }

func ensureForwarding(run string) error {
	now, err := os.ReadFile(forwarding)
	if err != nil || strings.TrimSpace(string(now)) == "1" {
		return err
	}
	if err := os.WriteFile(savedForwarding(run), now, 0o600); err != nil {
		return err
	}
	return os.WriteFile(forwarding, []byte("1"), 0)
}

// Remove removes the bridge and all rules, and restores the kernel's settings.
func Remove(ctx context.Context, run string) error {
	return errors.Join(
		removeTables(ctx),
		removePortMaps(ctx),
		removeEmptyNAT(ctx),
		removeLinks(),
		restoreForwarding(run),
	)
}

// removeTables removes our own table and those of kube-proxy, which leaves them when it ends.
func removeTables(ctx context.Context) error {
	var script strings.Builder
	for _, table := range []string{"ip brazier", "ip kube-proxy", "ip6 kube-proxy"} {
		// To declare a table first makes its deletion succeed whether it was there or not.
		fmt.Fprintf(&script, "table %s\ndelete table %[1]s\n", table)
	}
	if err := nft(ctx, script.String()); err != nil {
		return fmt.Errorf("remove nftables rules: %w", err)
	}
	return nil
}

// removeLinks removes the bridge and whatever is attached to it still.
func removeLinks() error {
	bridge, err := netlink.LinkByName(layout.Bridge)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find bridge: %w", err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network interfaces: %w", err)
	}
	for _, link := range links {
		if link.Attrs().MasterIndex == bridge.Attrs().Index {
			err = errors.Join(err, netlink.LinkDel(link))
		}
	}
	if err := errors.Join(err, netlink.LinkDel(bridge)); err != nil {
		return fmt.Errorf("remove bridge %s: %w", layout.Bridge, err)
	}
	return nil
}

func restoreForwarding(run string) error {
	before, err := os.ReadFile(savedForwarding(run))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.WriteFile(forwarding, before, 0)
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", forwarding, err)
	}
	return os.Remove(savedForwarding(run))
}

// nft runs a script as one transaction: all of it takes effect, or nothing.
func nft(ctx context.Context, script string) error {
	command := exec.CommandContext(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(script)
	return output(command)
}

func output(command *exec.Cmd) error {
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, bytes.TrimSpace(out))
	}
	return nil
}
