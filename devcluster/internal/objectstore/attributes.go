package objectstore

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// userAttributes reports whether files in dir can have extended attributes of the user namespace. Only writing one
// shows it: tmpfs before Linux 6.6, overlays of it and some network file systems refuse.
func userAttributes(dir string) (_ bool, err error) {
	probe, err := os.CreateTemp(dir, ".attributes-")
	if err != nil {
		return false, fmt.Errorf("probe %s for extended attributes: %w", dir, err)
	}
	defer func() { err = errors.Join(err, probe.Close(), os.Remove(probe.Name())) }()
	err = unix.Fsetxattr(int(probe.Fd()), "user.brazier", []byte("1"), 0)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EPERM):
		return false, nil
	default:
		return false, fmt.Errorf("probe %s for extended attributes: %w", dir, err)
	}
}
