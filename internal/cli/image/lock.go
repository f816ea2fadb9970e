package image

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

type lockOptions struct {
	source

	streams terminal.Streams
}

func newLockCommand(streams terminal.Streams) *cobra.Command {
	opts := lockOptions{streams: streams}
	command := &cobra.Command{
		Use:   "lock",
		Short: "Note the checksum of every file that a recipe consists of, so that each build takes the same",
		Long: `Note the checksum of every file that a recipe consists of, so that each build takes the same.

With --recipe the lock is written beside the recipe, and builds of it from then on take these files and no others.
With --spark it is that of a version of Spark itself, which is printed: Brazier's own are in images/spark.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	opts.source.flags(command)
	return command
}

func (o lockOptions) run(ctx context.Context) error {
	opts, err := o.source.options(o.streams)
	if err != nil {
		return err
	}
	if o.recipe == "" {
		lock, err := image.ResolvePlatform(ctx, opts)
		if err != nil {
			return err
		}
		fmt.Fprint(o.streams.Out, lock)
		return nil
	}
	opts.Lock = nil
	lock, err := image.Resolve(ctx, opts)
	if err != nil {
		return err
	}
	file := lockOf(o.recipe)
	if err := os.WriteFile(file, []byte(lock.String()), 0o644); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	fmt.Fprintln(o.streams.Out, file)
	return nil
}
