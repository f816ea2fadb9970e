package cli

//go:generate go run ./reference/generate ../../docs/commands.md
