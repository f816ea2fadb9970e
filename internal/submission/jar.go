package submission

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
)

// manifestLimit bounds what is read of a jar's manifest; signatures make it long, not this long.
const manifestLimit = 4 << 20

// MainClass returns the class that a jar on this machine names as its main one, as spark-submit reads it; empty if the
// jar names none. The main section of a manifest has the form of a mail's header: JAR File Specification, "Notes on
// Manifest and Signature Files".
func MainClass(jar string) (string, error) {
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", jar, err)
	}
	defer func() { _ = archive.Close() }() // It is only read.
	file, err := archive.Open("META-INF/MANIFEST.MF")
	if err != nil {
		return "", nil // A jar needs no manifest.
	}
	defer func() { _ = file.Close() }()
	header, err := textproto.NewReader(bufio.NewReader(io.LimitReader(file, manifestLimit))).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the manifest of %s: %w", jar, err)
	}
	// Folded lines are joined with a space in mails and with nothing in manifests; a class's name has none.
	return strings.ReplaceAll(header.Get("Main-Class"), " ", ""), nil
}
