// Command generate writes docs/commands.md, the page of all commands, to the path that it is given.
package main

import (
	"fmt"
	"io"
	"os"

	"brazier.sh/brazier/internal/cli"
	"brazier.sh/brazier/internal/cli/reference"
	"brazier.sh/brazier/internal/terminal"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "generate: name the file to write")
		os.Exit(2)
	}
	root := cli.NewCommand(terminal.Streams{In: os.Stdin, Out: io.Discard, Err: os.Stderr})
	if err := os.WriteFile(os.Args[1], []byte(reference.Markdown(root)), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
