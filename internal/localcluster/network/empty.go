package network

import (
	"context"
	"errors"
	"os/exec"
	"strings"
)

// removeEmptyNAT removes the tables that iptables makes for the portmap plugin, if nothing is in them any more but the
// base chains. iptables makes them again when it needs them.
func removeEmptyNAT(ctx context.Context) error {
	var failed error
	for _, family := range []string{"ip", "ip6"} {
		listed, err := exec.CommandContext(ctx, "nft", "list", "table", family, "nat").Output()
		if err == nil && empty(string(listed)) {
			failed = errors.Join(failed, nft(ctx, "delete table "+family+" nat\n"))
		}
	}
	return failed
}

// empty reports whether a table, as nft lists it, holds no rule, no set and no chain but base chains that let all pass.
func empty(table string) bool {
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line == "}", strings.HasPrefix(line, "#"),
			strings.HasPrefix(line, "table "), strings.HasPrefix(line, "chain "),
			strings.HasPrefix(line, "type nat hook ") && strings.HasSuffix(line, "policy accept;"):
		default:
			return false
		}
	}
	return true
}
