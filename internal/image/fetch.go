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
			return pipDownload(ctx, "pyspark=="+b.platform.Spark, lock[0], out, temp)
		})
}

// fetchPlatformJars downloads the jars that make Spark speak S3.
func (b *builder) fetchPlatformJars(ctx context.Context, dir string) error {
	lock := b.platform.lock.of("jar")
	return b.fetch(ctx, b.Streams.Step("downloading S3 libraries"), lock, "jar", dir,
		func(ctx context.Context, out, temp string) error {
			if err := fetchJars(ctx, b.platform.Jars, b.platform.Exclude, out, temp, filepath.Join(temp, "maven")); err != nil {
				return err
			}
			return dropUnlocked(out, lock)
		})
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
