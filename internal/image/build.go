package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/images/spark"
	"brazier.sh/brazier/internal/image/layer"
	"brazier.sh/brazier/internal/terminal"
)

// edition is part of every layer's key: it changes when the code that makes layers does, so that a newer Brazier
// does not take a layer that an older one made otherwise.
const edition = "3"

// Options say what to build, and how.
type Options struct {
	// Recipe is a team's recipe. One that names a version of Spark and nothing else is Spark itself.
	Recipe Recipe
	// Dir is the folder that the recipe's files are relative to.
	Dir string
	// Lock is what the recipe was found to consist of. Empty takes what the package registries give today.
	Lock Lock
	// Cache is where downloads and layers are kept. Empty takes CacheDir.
	Cache string
	// Fresh makes every layer anew, as when Debian's packages may have changed.
	Fresh bool
	// NoArchive leaves the archive of loaded classes out: a smaller image, whose containers start slower.
	NoArchive bool
	// Streams tell the user what is being done.
	Streams terminal.Streams
}

// CacheDir returns where a user's downloads and layers are kept.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w; set XDG_CACHE_HOME", err)
	}
	return filepath.Join(dir, "brazier", "image"), nil
}

// Build returns the image of a recipe. Layers that were made before are taken from the cache.
func Build(ctx context.Context, opts Options) (v1.Image, error) {
	b, err := newBuilder(opts)
	if err != nil {
		return nil, err
	}
	foundation, err := b.foundation(ctx)
	if err != nil {
		return nil, err
	}
	layers := slices.Clone(foundation)
	if !b.NoArchive {
		archive, err := b.archive(ctx, foundation)
		if err != nil {
			return nil, err
		}
		layers = append(layers, archive)
	}
	additions, err := b.additions(ctx, foundation)
	if err != nil {
		return nil, err
	}
	return assemble(b.platform, b.team, append(layers, additions...))
}

// builder makes the layers of one image.
type builder struct {
	Options

	platform  platform
	team      Recipe
	store     *layer.Store
	downloads downloads

	preparing sync.Once
	prepared  error
}

func newBuilder(opts Options) (*builder, error) {
	if err := opts.Recipe.validate(); err != nil {
		return nil, err
	}
	platform, err := loadPlatform(opts.Recipe.Spark)
	if err != nil {
		return nil, err
	}
	if opts.Cache == "" {
		if opts.Cache, err = CacheDir(); err != nil {
			return nil, err
		}
	}
	store, err := layer.OpenStore(opts.Cache)
	if err != nil {
		return nil, err
	}
	return &builder{
		Options: opts, platform: platform.on(opts.Recipe), team: opts.Recipe,
		store: store, downloads: downloads{dir: filepath.Join(opts.Cache, "downloads")},
	}, nil
}

// foundation returns the layers that do not run anything of the image: Debian, Spark and Brazier's scripts.
func (b *builder) foundation(ctx context.Context) ([]v1.Layer, error) {
	input, err := contents(spark.Scripts)
	if err != nil {
		return nil, err
	}
	scripts, err := b.layer(ctx, layer.Key(edition, "scripts", input), stageScripts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	base := make(chan made, 1) // Debian is made while Spark is downloaded
	go func() {
		debian, err := b.layer(ctx, b.baseKey(), b.stageBase)
		base <- made{debian, err}
	}()
	distribution, err := b.spark(ctx)
	if err != nil {
		cancel()
		<-base // its folder is removed before this returns; that it was cancelled is no news
		return nil, err
	}
	debian, err := b.wait(base)
	if err != nil {
		return nil, err
	}
	return []v1.Layer{debian, distribution, scripts}, nil
}

// wait waits for the base, and says so if it takes long enough to be worth a word.
func (b *builder) wait(base <-chan made) (v1.Layer, error) {
	select {
	case debian := <-base:
		return debian.layer, debian.err
	case <-time.After(watchEvery):
	}
	step := b.Streams.Step("making a Debian base (%s, Java %d)", b.platform.Suite, b.platform.Java)
	debian := <-base
	if debian.err != nil {
		step.Fail(debian.err)
		return nil, debian.err
	}
	step.Done("")
	return debian.layer, nil
}

// made is a layer that was made beside other work.
type made struct {
	layer v1.Layer
	err   error
}

// prepare installs the programs that a build needs, once, as soon as there is something to build.
func (b *builder) prepare(ctx context.Context) error {
	b.preparing.Do(func() { b.prepared = b.installTools(ctx) })
	return b.prepared
}

func (b *builder) installTools(ctx context.Context) error {
	missing := missingTools(ctx)
	if len(missing) == 0 {
		return needRoot()
	}
	step := b.Streams.Step("installing %s", strings.Join(missing, ", "))
	if err := install(ctx, missing); err != nil {
		step.Fail(err)
		return err
	}
	step.Done("")
	return nil
}

func (b *builder) baseKey() string {
	return layer.Key(edition, "base", b.platform.Suite, strings.Join(debsOf(b.platform), ","))
}

func (b *builder) stageBase(ctx context.Context, dir string) (layer.Tree, error) {
	root := filepath.Join(dir, "root")
	if err := makeBase(ctx, b.platform, root); err != nil {
		return layer.Tree{}, err
	}
	return layer.Tree{Root: root, Keep: inBase}, nil
}

// spark returns the layer of Spark itself and of the jars that make it speak S3.
func (b *builder) spark(ctx context.Context) (v1.Layer, error) {
	key := layer.Key(edition, "spark", b.platform.Spark, b.platform.lock.String())
	return b.layer(ctx, key, func(ctx context.Context, dir string) (layer.Tree, error) {
		if err := b.fetchSpark(ctx, dir); err != nil {
			return layer.Tree{}, err
		}
		if err := b.fetchJars(ctx, b.platform.Recipe, b.platform.lock.of("jar"), dir); err != nil {
			return layer.Tree{}, err
		}
		root := filepath.Join(dir, "root")
		if err := os.Mkdir(root, 0o755); err != nil {
			return layer.Tree{}, fmt.Errorf("lay out Spark: %w", err)
		}
		return stageSpark(ctx, b.platform, b.downloads, root)
	})
}

// layer returns the layer of this key, and has it staged in a folder of its own if it was not made before. Of two
// builds that want the same layer one makes it and the other waits.
func (b *builder) layer(
	ctx context.Context, key string, stage func(ctx context.Context, dir string) (layer.Tree, error),
) (_ v1.Layer, err error) {
	unlock, err := b.store.Lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if !b.Fresh {
		if found, err := b.store.Find(key); found != nil || err != nil {
			return found, err
		}
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	dir, err := b.store.TempDir("stage")
	if err != nil {
		return nil, fmt.Errorf("make layer: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree, err := stage(ctx, dir)
	if err != nil {
		return nil, err
	}
	return b.store.Put(ctx, key, tree)
}
