package leftovers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// results is where the CNI library keeps what each plugin answered, one file for each container and network, whichever
// program uses it (libcni, CacheDir).
const results = "/var/lib/cni/results"

// RemoveNetworkNamespaces removes the network namespaces of killed pods in the CNI network called name. The veth pairs
// in them go with them.
func RemoveNetworkNamespaces(name string) error {
	files, err := filepath.Glob(filepath.Join(results, name+"-*"))
	if err != nil {
		return fmt.Errorf("list pods' networks: %w", err)
	}
	for _, file := range files {
		if err := removeNamespacesOf(file); err != nil {
			return fmt.Errorf("remove a pod's network: %w", err)
		}
		// containerd gives every pod a loopback interface too, by a network of its own whose name tells nothing of whose.
		id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), name+"-"), "-eth0")
		for _, kept := range []string{file, filepath.Join(results, "cni-loopback-"+id+"-lo")} {
			if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("forget a pod's network: %w", err)
			}
		}
	}
	return nil
}

func removeNamespacesOf(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	namespaces, err := namespacesIn(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, namespace := range namespaces {
		if err := unix.Unmount(namespace, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unmount %s: %w", namespace, err)
		}
		if err := os.Remove(namespace); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// namespacesIn returns the paths of the namespaces that a kept result names, of those that containerd makes.
func namespacesIn(result []byte) ([]string, error) {
	var kept struct {
		Result struct {
			Interfaces []struct {
				Sandbox string `json:"sandbox"`
			} `json:"interfaces"`
		} `json:"result"`
	}
	if err := json.Unmarshal(result, &kept); err != nil {
		return nil, err
	}
	var namespaces []string
	for _, link := range kept.Result.Interfaces {
		if strings.HasPrefix(filepath.Base(link.Sandbox), "cni-") {
			namespaces = append(namespaces, link.Sandbox)
		}
	}
	return namespaces, nil
}
