// Package image holds the commands that make Spark's container images: build, push, lock. Each is its options, its
// flags and a call; how an image is made is in package internal/image.
package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

// NewCommand returns the command `image` and those below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	command := &cobra.Command{
		Use:   "image",
		Short: "Make Spark's container images, without Docker",
	}
	command.AddCommand(newBuildCommand(streams), newPushCommand(streams), newLockCommand(streams))
	return command
}

// source is what an image is made from: a version of Spark, or a team's recipe.
type source struct {
	spark  string
	recipe string
	cache  string
	fresh  bool
}

func (s *source) flags(command *cobra.Command) {
	command.Flags().StringVar(&s.spark, "spark", "", "`version` of Spark: 4.3.0, or 4.3 for its newest (default "+image.DefaultSpark+")")
	command.Flags().StringVar(&s.recipe, "recipe", "", "`file` that says what a team's image has beyond Spark")
	command.Flags().StringVar(&s.cache, "cache", "", "`folder` of downloads and layers (default: brazier/image in the user's cache)")
	command.Flags().BoolVar(&s.fresh, "fresh", false, "make every layer anew, for instance to take up Debian's security updates")
}

// options reads the recipe and, if it has one, its lock.
func (s *source) options(streams terminal.Streams) (image.Options, error) {
	opts := image.Options{Recipe: image.Recipe{Spark: s.spark}, Cache: s.cache, Fresh: s.fresh, Streams: streams}
	if s.recipe == "" {
		if s.spark == "" {
			opts.Recipe.Spark = image.DefaultSpark
		}
		return opts, nil
	}
	if s.spark != "" {
		return image.Options{}, exit.With(exit.Usage, errors.New("--spark and --recipe exclude each other; write the version into the recipe's field spark"))
	}
	text, err := os.ReadFile(s.recipe)
	if err != nil {
		return image.Options{}, fmt.Errorf("read recipe: %w", err)
	}
	if opts.Recipe, err = image.ParseRecipe(text); err != nil {
		return image.Options{}, fmt.Errorf("%s: %w", s.recipe, err)
	}
	opts.Dir = filepath.Dir(s.recipe)
	opts.Lock, err = readLock(lockOf(s.recipe))
	return opts, err
}

// lockOf returns where a recipe's lock lies: beside it.
func lockOf(recipe string) string {
	return strings.TrimSuffix(recipe, filepath.Ext(recipe)) + ".lock"
}

func readLock(file string) (image.Lock, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	lock, err := image.ParseLock(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return lock, nil
}

// onlySpark accepts the one kind of image that there is.
func onlySpark(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] != "spark" {
		return exit.With(exit.Usage, fmt.Errorf("%q is not an image that Brazier makes; it makes spark", strings.Join(args, " ")))
	}
	return nil
}
