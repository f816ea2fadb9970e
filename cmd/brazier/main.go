// Command brazier is the whole of Brazier: command-line client, operator and servers.
package main

import (
	"os"

	"brazier.sh/brazier/internal/cli"
	"brazier.sh/brazier/internal/terminal"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], terminal.System()))
}
