package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// source is one stanza of apt's sources.
type source struct {
	uris, suites, components []string
	signedBy                 string
}

// hostSources returns apt's sources for a Debian release, from where this machine has its own Debian packages: a
// mirror, a snapshot or a company's cache. It is empty where the machine has none, and mmdebstrap knows Debian's own.
func hostSources(etc, release string) (string, error) {
	host, err := codename(filepath.Join(etc, "os-release"))
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(etc, "apt/sources.list.d/*"))
	if err != nil {
		return "", fmt.Errorf("list apt's sources: %w", err)
	}
	var found []source
	for _, file := range append([]string{filepath.Join(etc, "apt/sources.list")}, files...) {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read apt's sources: %w", err)
		}
		switch filepath.Ext(file) {
		case ".list":
			found = append(found, parseList(string(text))...)
		case ".sources":
			found = append(found, parseStanzas(string(text))...)
		}
	}
	return render(found, host, release), nil
}

func codename(osRelease string) (string, error) {
	text, err := os.ReadFile(osRelease)
	if err != nil {
		return "", fmt.Errorf("read the name of this machine's release: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"`), nil
		}
	}
	return "", nil
}

// parseList reads the one-line style: deb [signed-by=file] uri suite component...
func parseList(text string) []source {
	var found []source
	oneLine := regexp.MustCompile(`^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$`)
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		match := oneLine.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil {
			continue
		}
		entry := source{uris: match[2:3], suites: match[3:4], components: strings.Fields(match[4])}
		for option := range strings.FieldsSeq(match[1]) {
			if key, ok := strings.CutPrefix(option, "signed-by="); ok {
				entry.signedBy = key
			}
		}
		found = append(found, entry)
	}
	return found
}

// parseStanzas reads the deb822 style: fields, whose values may go on in lines that begin with a space.
func parseStanzas(text string) []source {
	var found []source
	fields := map[string]string{}
	end := func() {
		if slices.Contains(strings.Fields(fields["types"]), "deb") && !strings.EqualFold(fields["enabled"], "no") {
			found = append(found, source{
				uris: strings.Fields(fields["uris"]), suites: strings.Fields(fields["suites"]),
				components: strings.Fields(fields["components"]), signedBy: fields["signed-by"],
			})
		}
		clear(fields)
	}
	var last string
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		name, value, isField := strings.Cut(line, ":")
		switch {
		case strings.TrimSpace(line) == "":
			end()
		case strings.HasPrefix(line, "#"):
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += "\n" + line
		case isField:
			last = strings.ToLower(name)
			fields[last] = strings.TrimSpace(value)
		}
	}
	end()
	return found
}

// render writes, for another release, the sources that serve the host's own release: its main component, its updates
// and its security updates.
func render(found []source, host, release string) string {
	var text strings.Builder
	for _, entry := range found {
		if host == "" || !slices.Contains(entry.components, "main") {
			continue
		}
		var wanted []string
		for _, suite := range entry.suites {
			if name, suffix, _ := strings.Cut(suite, "-"); name == host && slices.Contains([]string{"", "updates", "security"}, suffix) {
				wanted = append(wanted, release+strings.TrimPrefix(suite, host))
			}
		}
		if len(wanted) == 0 {
			continue
		}
		fmt.Fprintf(&text, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", strings.Join(entry.uris, " "), strings.Join(wanted, " "))
		if entry.signedBy != "" {
			fmt.Fprintf(&text, "Signed-By: %s\n", entry.signedBy)
		}
		text.WriteString("\n")
	}
	return text.String()
}

// aptOptions returns how this machine's apt reaches its sources: proxies, timeouts, what is checked. They are handed
// to the apt of an image's build, and do not become part of the image.
func aptOptions(ctx context.Context) ([]string, error) {
	if _, err := exec.LookPath("apt-config"); err != nil {
		return nil, nil //nolint:nilerr // a machine without apt has no options of it
	}
	text, err := run(exec.CommandContext(ctx, "apt-config", "dump", "--no-empty"))
	if err != nil {
		return nil, fmt.Errorf("read apt's options: %w", err)
	}
	return acquireOptions(text), nil
}

func acquireOptions(dump string) []string {
	var options []string
	wanted := regexp.MustCompile(`^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b.*;$`)
	for line := range strings.Lines(dump) {
		if line = strings.TrimSpace(line); wanted.MatchString(line) {
			options = append(options, strings.TrimSuffix(line, ";"))
		}
	}
	return options
}
