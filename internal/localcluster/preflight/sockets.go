package preflight

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Socket states of /proc/net/tcp: include/net/tcp_states.h. A UDP socket that is not connected is in the second.
const (
	stateListen = "0A"
	stateClose  = "07"
)

// listening returns all sockets of this network namespace that take what others send, with the processes that have them.
func listening() ([]Socket, error) {
	owners := owners()
	var sockets []Socket
	for _, table := range []struct{ file, network, state string }{
		{"tcp", "tcp", stateListen},
		{"tcp6", "tcp", stateListen},
		{"udp", "udp", stateClose},
		{"udp6", "udp", stateClose},
	} {
		data, err := os.ReadFile("/proc/net/" + table.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("list sockets: %w", err)
		}
		found, err := parseSockets(string(data), table.network, table.state)
		if err != nil {
			return nil, fmt.Errorf("/proc/net/%s: %w", table.file, err)
		}
		for _, socket := range found {
			sockets = append(sockets, Socket{
				Network: table.network, Address: socket.address.String(), Process: Process{PID: owners[socket.inode]},
			})
		}
	}
	return sockets, nil
}

type socket struct {
	address netip.AddrPort
	inode   string
}

// parseSockets reads a table of sockets (proc_net_tcp in the kernel's documentation): local address, remote address,
// state and, as the tenth field, inode.
func parseSockets(table, network, state string) ([]socket, error) {
	var sockets []socket
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[0] == "sl" || fields[3] != state {
			continue
		}
		address, err := parseAddress(fields[1])
		if err != nil {
			return nil, fmt.Errorf("%s socket %q: %w", network, fields[1], err)
		}
		sockets = append(sockets, socket{address: address, inode: fields[9]})
	}
	return sockets, nil
}

// parseAddress reads an address of hexadecimal words of 32 bits, each in the machine's own byte order, and a port.
func parseAddress(text string) (netip.AddrPort, error) {
	ip, port, ok := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, errors.New("not an address and a port")
	}
	raw, err := hex.DecodeString(ip)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, errors.New("not an address")
	}
	for word := raw; len(word) > 0; word = word[4:] {
		binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, errors.New("not an address")
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}

// owners maps the inodes of sockets to the processes that have them open, as far as this user may see.
func owners() map[string]int {
	found := map[string]int{}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*") // The pattern is well-formed.
	for _, descriptor := range descriptors {
		target, err := os.Readlink(descriptor)
		if err != nil {
			continue // closed meanwhile
		}
		inode, ok := strings.CutPrefix(target, "socket:[")
		if !ok {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(descriptor, "/")[2])
		if err == nil {
			found[strings.TrimSuffix(inode, "]")] = pid
		}
	}
	return found
}
