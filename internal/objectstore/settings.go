package objectstore

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// SecretName is the Secret that names a namespace's object store, its bucket and its keys. Applications read the same
// one, so that what a command uploads is what a driver finds.
const SecretName = "brazier-object-store"

// The keys of the Secret. Those that the AWS SDKs read from the environment have their names, so that the Secret serves
// as envFrom too.
const (
	keyBucket    = "BRAZIER_BUCKET"
	keyEndpoint  = "AWS_ENDPOINT_URL_S3"
	keyRegion    = "AWS_REGION"
	keyAccessID  = "AWS_ACCESS_KEY_ID"
	keyAccessKey = "AWS_SECRET_ACCESS_KEY"
	keyCA        = "ca.crt"
)

// Settings say where an object store is and how to enter it.
type Settings struct {
	// Bucket is the bucket's name, or the file:// URL of a folder that stands in for one.
	Bucket string
	// Endpoint is the store's URL; empty means that of the region at AWS.
	Endpoint string
	// Region is the region that requests are signed for.
	Region string
	// AccessKeyID and SecretAccessKey are the pair of keys.
	AccessKeyID, SecretAccessKey string
	// CA holds the PEM certificates that the endpoint's is verified against; empty means the machine's own.
	CA []byte
}

// FromSecret reads settings from a Secret of the shape of SecretName's.
func FromSecret(secret *corev1.Secret) (Settings, error) {
	settings := Settings{
		Bucket:          string(secret.Data[keyBucket]),
		Endpoint:        string(secret.Data[keyEndpoint]),
		Region:          string(secret.Data[keyRegion]),
		AccessKeyID:     string(secret.Data[keyAccessID]),
		SecretAccessKey: string(secret.Data[keyAccessKey]),
		CA:              secret.Data[keyCA],
	}
	required := []string{keyBucket}
	if !settings.folder() {
		required = append(required, keyRegion, keyAccessID, keyAccessKey)
	}
	for _, key := range required {
		if len(secret.Data[key]) == 0 {
			return Settings{}, fmt.Errorf("secret %s/%s: the key %s is empty or missing", secret.Namespace, secret.Name, key)
		}
	}
	return settings, nil
}

// OfNamespace opens the bucket of the Secret SecretName in namespace.
func OfNamespace(ctx context.Context, cluster kubernetes.Interface, namespace string) (*Bucket, error) {
	secret, err := cluster.CoreV1().Secrets(namespace).Get(ctx, SecretName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("namespace %q has no Secret %s, so there is nowhere to upload to; "+
			"create it with the keys %s, or name files that are already in reach of the cluster (s3a://…, local://…): %w",
			namespace, SecretName, strings.Join([]string{keyBucket, keyEndpoint, keyRegion, keyAccessID, keyAccessKey, keyCA}, ", "), err)
	}
	if err != nil {
		return nil, fmt.Errorf("read where the object store is: %w", err)
	}
	settings, err := FromSecret(secret)
	if err != nil {
		return nil, err
	}
	return Open(ctx, settings)
}

func (s Settings) folder() bool { return strings.HasPrefix(s.Bucket, fileScheme) }
