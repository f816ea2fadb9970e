package localcluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/layout"
)

// ObjectStoreSecret is the Secret by which applications reach the object store.
const ObjectStoreSecret = "brazier-object-store"

// ensureObjectStoreKeys makes the object store's one key pair, unless it is there.
func (c *Cluster) ensureObjectStoreKeys() error {
	path := c.Layout.ObjectStoreKeys()
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Twenty characters and forty are what S3's own have.
	content := fmt.Sprintf("AWS_ACCESS_KEY_ID=BRAZIER%s\nAWS_SECRET_ACCESS_KEY=%s\n",
		rand.Text()[:13], (rand.Text() + rand.Text())[:40])
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return fmt.Errorf("write the object store's keys: %w", err)
	}
	return os.Rename(path+".new", path)
}

// objectStoreKeys reads lines of NAME=value.
func (c *Cluster) objectStoreKeys() (map[string][]byte, error) {
	content, err := readFile(c.Layout.ObjectStoreKeys())
	if err != nil {
		return nil, err
	}
	keys := map[string][]byte{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			keys[name] = []byte(value)
		}
	}
	return keys, lines.Err()
}

// handOutKeys lets applications in namespace default use the object store.
func (u *up) handOutKeys(ctx context.Context) (string, error) {
	c, err := u.client()
	if err != nil {
		return "", err
	}
	data, err := u.objectStoreKeys()
	if err != nil {
		return "", err
	}
	if data["ca.crt"], err = readFile(u.Layout.CA()); err != nil {
		return "", err
	}
	data["AWS_ENDPOINT_URL_S3"] = []byte(layout.ObjectStore)
	data["AWS_REGION"] = []byte(layout.Region)
	data["BRAZIER_BUCKET"] = []byte(layout.Bucket)
	secret := corev1ac.Secret(ObjectStoreSecret, corev1.NamespaceDefault).
		WithType(corev1.SecretTypeOpaque).WithData(data)
	err = c.Apply(ctx, secret, client.FieldOwner("brazier-cluster"), client.ForceOwnership)
	if err != nil {
		return "", fmt.Errorf("apply Secret %s: %w", ObjectStoreSecret, err)
	}
	return "", nil
}
