package supervise

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"brazier.sh/brazier/internal/localcluster/part"
)

// Digest stands for all that a part's process depends on: its description, its program and the files that it reads.
// A process with another digest than the wanted one has to be restarted.
func Digest(p part.Part) (string, error) {
	description, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("digest of %s: %w", p.Name, err)
	}
	hash := sha256.New()
	hash.Write(description)
	program, err := Identity(p.Argv[0])
	if err != nil {
		return "", fmt.Errorf("program of %s: %w", p.Name, err)
	}
	hash.Write([]byte(program))
	for _, path := range p.Reads {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("file that %s needs: %w", p.Name, err)
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Identity stands for one build of a program. Reading all of a large program takes too long; a new build has another
// time or size.
func Identity(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano()), nil
}
