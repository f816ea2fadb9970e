package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"brazier.sh/brazier/internal/terminal"
)

// fetchSpark downloads Spark's Python package, unless it was downloaded before.
func (b *builder) fetchSpark(ctx context.Context, dir string) error {
	lock := b.platform.lock.of("pip")
	if len(lock) != 1 {
		return fmt.Errorf("lock of Spark %s: names %d Python packages and has to name Spark alone", b.platform.Spark, len(lock))
	}
	return b.fetch(ctx, b.Streams.Step("downloading Spark %s", b.platform.Spark), lock, "pip", dir,
		func(ctx context.Context, out, temp string) error {
			requirements, err := pinned(lock)
			if err != nil {
				return err
			}
			return pipSource(ctx, requirements[0], out, temp)
		})
}

// fetchJars downloads the jars of a recipe that is locked.
func (b *builder) fetchJars(ctx context.Context, recipe Recipe, lock Lock, dir string) error {
	return b.fetch(ctx, b.Streams.Step("downloading %d jars", len(lock)), lock, "jar", dir,
		func(ctx context.Context, out, temp string) error {
			if err := copyDependencies(ctx, recipe.Jars, recipe.Exclude, out, temp, filepath.Join(temp, "maven")); err != nil {
				return err
			}
			return dropUnlocked(out, lock)
		})
}

// fetchWheels downloads a team's Python packages and what they depend on, and pip to install them with. It returns the
// folder that they are in.
func (b *builder) fetchWheels(ctx context.Context, dir string) (string, error) {
	lock := b.Lock.of("pip")
	if len(b.Lock) == 0 {
		var err error
		if lock, err = b.resolveWheels(ctx, filepath.Join(dir, "resolve")); err != nil {
			return "", err
		}
	}
	err := b.fetch(ctx, b.Streams.Step("downloading %d Python packages", len(lock)), lock, "pip", dir,
		func(ctx context.Context, out, temp string) error {
			requirements, err := pinned(lock)
			if err != nil {
				return err
			}
			return pipWheels(ctx, requirements, suites()[b.platform.Suite].python, out, temp)
		})
	if err != nil {
		return "", err
	}
	wheels := filepath.Join(dir, "wheels")
	if err := os.Mkdir(wheels, 0o700); err != nil {
		return "", fmt.Errorf("lay out wheels: %w", err)
	}
	return wheels, b.downloads.place(lock, wheels)
}

// fetch has the files of a lock downloaded, and shows how far it is by what lies below dir.
func (b *builder) fetch(
	ctx context.Context, step *terminal.Step, lock Lock, kind, dir string,
	download func(ctx context.Context, out, temp string) error,
) error {
	if b.downloads.have(lock) {
		step.Done("already here")
		return nil
	}
	out, temp := filepath.Join(dir, kind+"-files"), filepath.Join(dir, kind+"-temp")
	for _, folder := range []string{out, temp} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fmt.Errorf("download: %w", err)
		}
	}
	err := watch(ctx, step, dir, lock.size(), func() error { return download(ctx, out, temp) })
	if err == nil {
		err = b.downloads.keep(out, lock, kind)
	}
	if err != nil {
		step.Fail(err)
		return err
	}
	step.Done("%d MB", lock.size()/1e6)
	return nil
}
