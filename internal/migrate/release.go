package migrate

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// releaseType is the type of the Secrets in which Helm keeps a release, one for each revision.
const releaseType = "helm.sh/release.v1"

// maxRelease bounds what a release may be unpacked to: a Secret holds a megabyte, which is a hundred of text at most.
const maxRelease = 128 << 20

// Release is a Helm release of the other operator's chart.
type Release struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Revision  int    `json:"version"`
	Chart     struct {
		Metadata struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"metadata"`
		// Values are the chart's own.
		Values map[string]any `json:"values"`
	} `json:"chart"`
	// Config are the values that were given.
	Config map[string]any `json:"config"`
}

func readReleases(ctx context.Context, c client.Client, inv *Inventory) error {
	latest, err := latestReleases(ctx, c, namespacesOf(*inv))
	if err != nil {
		return err
	}
	for _, key := range slices.SortedFunc(maps.Keys(latest), func(a, b client.ObjectKey) int { return cmp.Compare(a.String(), b.String()) }) {
		secret := latest[key]
		release, err := decodeRelease(secret.Data["release"])
		if err != nil {
			return fmt.Errorf("read the Helm release in Secret %s/%s: %w", secret.Namespace, secret.Name, err)
		}
		if release.Chart.Metadata.Name == chartName {
			inv.Releases = append(inv.Releases, release)
		}
	}
	return nil
}

// latestReleases returns the Secret of the latest revision of each release in the namespaces.
func latestReleases(ctx context.Context, c client.Client, namespaces []string) (map[client.ObjectKey]corev1.Secret, error) {
	latest := map[client.ObjectKey]corev1.Secret{}
	revision := func(secret corev1.Secret) int {
		number, err := strconv.Atoi(secret.Labels["version"])
		if err != nil {
			return 0
		}
		return number
	}
	for _, namespace := range namespaces {
		var secrets corev1.SecretList
		err := c.List(ctx, &secrets, client.InNamespace(namespace), client.MatchingFields{"type": releaseType})
		if err != nil {
			return nil, fmt.Errorf("list the Helm releases of namespace %s: %w", namespace, err)
		}
		for _, secret := range secrets.Items {
			key := client.ObjectKey{Namespace: namespace, Name: secret.Labels["name"]}
			if there, ok := latest[key]; !ok || revision(there) < revision(secret) {
				latest[key] = secret
			}
		}
	}
	return latest, nil
}

// namespacesOf are the namespaces in which the other operator runs: the Secrets of all others are none of our business.
func namespacesOf(inv Inventory) []string {
	namespaces := map[string]bool{}
	for _, deployment := range slices.Concat(inv.Controllers, inv.WebhookServers) {
		namespaces[deployment.Namespace] = true
	}
	return slices.Sorted(maps.Keys(namespaces))
}

// decodeRelease unpacks what Helm packs: JSON, compressed, in base64. The Secret's own base64 is not part of it.
func decodeRelease(data []byte) (Release, error) {
	packed, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil {
		return Release{}, fmt.Errorf("decode: %w", err)
	}
	if zipped := []byte{0x1f, 0x8b}; bytes.HasPrefix(packed, zipped) {
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return Release{}, fmt.Errorf("decompress: %w", err)
		}
		if packed, err = io.ReadAll(io.LimitReader(reader, maxRelease)); err != nil {
			return Release{}, fmt.Errorf("decompress: %w", err)
		}
	}
	var release Release
	if err := json.Unmarshal(packed, &release); err != nil {
		return Release{}, fmt.Errorf("parse: %w", err)
	}
	return release, nil
}
