package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/image/binary"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/registry"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
)

// onEmbedded puts Brazier onto the embedded cluster, whose registry and object store it tells the operator of.
type onEmbedded struct {
	cluster *localcluster.Cluster
	// sparkImage is the image of applications that name none. It is empty where Brazier makes it itself.
	sparkImage string
	streams    terminal.Streams
}

// ownSparkImage is the image that Brazier makes, but for the version of Spark.
const ownSparkImage = layout.Registry + "/spark:"

func (e onEmbedded) source() binary.Source {
	return binary.Source{Executable: e.cluster.Program, Certificates: binary.SystemCertificates}
}

// image is the operator's image: this very program.
func (e onEmbedded) image() (string, error) {
	tag, err := e.source().Tag()
	if err != nil {
		return "", fmt.Errorf("operator's image: %w", err)
	}
	return layout.Registry + "/brazier/operator:" + tag, nil
}

func (e onEmbedded) storeImage(ctx context.Context) (string, error) {
	ref, err := e.image()
	if err != nil {
		return "", err
	}
	return "", registry.Ensure(ctx, e.cluster.Layout, ref, e.source().Image)
}

func (e onEmbedded) install(ctx context.Context) (string, error) {
	values, err := e.values()
	if err != nil {
		return "", err
	}
	client, err := e.cluster.Config()
	if err != nil {
		return "", err
	}
	installer, err := install.New(client, install.DefaultNamespace, e.streams)
	if err != nil {
		return "", err
	}
	return "", installer.Ensure(ctx, install.Options{Values: values, Timeout: install.DefaultTimeout, Alone: true})
}

// values are the chart's. One replica is enough: a second could only run on the same node.
func (e onEmbedded) values() (map[string]any, error) {
	ref, err := e.image()
	if err != nil {
		return nil, err
	}
	config, err := e.config()
	if err != nil {
		return nil, err
	}
	values, err := install.ConfigValues(config)
	if err != nil {
		return nil, err
	}
	values["replicas"] = 1
	return install.MergeValues(values, install.ImageValues(ref)), nil
}

// storeSparkImage builds the image of the newest Spark, or takes it from the cache, and puts it into the registry.
func (e onEmbedded) storeSparkImage(ctx context.Context) (string, error) {
	if e.sparkImage != "" {
		return "", nil
	}
	built, err := image.Build(ctx, image.Options{Recipe: image.Recipe{Spark: image.DefaultSpark}, Streams: e.streams})
	if err != nil {
		return "", fmt.Errorf("build the Spark image: %w", err)
	}
	_, err = image.Push(ctx, built, ownSparkImage+image.DefaultSpark, registry.Access(e.cluster.Layout), e.streams)
	return "", err
}

// config tells the operator where images and data are.
func (e onEmbedded) config() (operator.Config, error) {
	trust, err := e.trustBundle()
	if err != nil {
		return operator.Config{}, err
	}
	return operator.Config{
		Image:             cmp.Or(e.sparkImage, ownSparkImage+"{{SPARK_VERSION}}"),
		ObjectStoreSecret: localcluster.ObjectStoreSecret,
		TrustBundle:       trust,
		ClusterDomain:     layout.Domain,
		SparkConf:         sparkConf(runtime.NumCPU()),
	}, nil
}

// fewCores is below how many cores a machine has no room for a few applications whose pods ask for a whole one each, as
// Spark has it where nobody says otherwise.
const fewCores = 8

// sparkConf are the properties of applications that do not say otherwise, on a machine with so many cores.
func sparkConf(cores int) map[string]string {
	conf := map[string]string{
		"spark.hadoop.fs.s3a.endpoint":          layout.ObjectStore,
		"spark.hadoop.fs.s3a.endpoint.region":   layout.Region,
		"spark.hadoop.fs.s3a.path.style.access": "true",
		// An image that is built again has the same tag, and asking the registry on this machine costs nothing.
		"spark.kubernetes.container.image.pullPolicy": "Always",
	}
	if cores < fewCores {
		// What is set aside; a pod uses more where there is more, and has as many tasks at once as its cores say.
		conf["spark.kubernetes.driver.request.cores"] = "250m"
		conf["spark.kubernetes.executor.request.cores"] = "500m"
	}
	return conf
}

// trustBundle is the cluster's authority with those that the machine trusts: applications trust the bundle instead of
// their image's authorities, and may download from the world too.
func (e onEmbedded) trustBundle() (string, error) {
	own, err := os.ReadFile(e.cluster.Layout.CA())
	if err != nil {
		return "", fmt.Errorf("read the cluster's authority: %w", err)
	}
	system, err := os.ReadFile(binary.SystemCertificates)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the machine's authorities: %w", err)
	}
	return string(own) + string(system), nil
}
