package supervise

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxLog is the size at which a log is set aside; two such files are kept of each part.
const maxLog = 16 << 20

// rotate copies a log that has grown too large to path.1 and empties it. The part goes on writing to the same file,
// which it has opened for appending; what it writes in the instant between the two steps is lost.
func rotate(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() < maxLog {
		return nil
	}
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	from, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(path+".1", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	if err := os.Truncate(path, 0); err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	return nil
}
