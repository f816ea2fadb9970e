package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/layout"
)

// nodeTimeout is how long the node may take once its parts are healthy.
const nodeTimeout = time.Minute

func (c *Cluster) client() (client.Client, error) {
	config, err := c.Config()
	if err != nil {
		return nil, err
	}
	made, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	return made, nil
}

func (u *up) awaitNode(ctx context.Context) (string, error) {
	c, err := u.client()
	if err != nil {
		return "", err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the boot's id: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	for {
		var node corev1.Node
		err := c.Get(ctx, client.ObjectKey{Name: layout.NodeName}, &node)
		if err == nil {
			if err = nodeReady(&node, strings.TrimSpace(string(boot))); err == nil {
				return "Kubernetes " + node.Status.NodeInfo.KubeletVersion, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("after %v: %w; the end of the kubelet's log:\n%s",
				nodeTimeout, err, tail(u.Layout.Log("kubelet")))
		case <-time.After(pollInterval):
		}
	}
}

// nodeReady returns why the node is not ready. What it said before the machine's last start does not count.
func nodeReady(node *corev1.Node, boot string) error {
	if node.Status.NodeInfo.BootID != boot {
		return errors.New("the kubelet has not said anything since the machine was started")
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type != corev1.NodeReady {
			continue
		}
		if condition.Status == corev1.ConditionTrue {
			return nil
		}
		return fmt.Errorf("the node is not ready: %s", condition.Message)
	}
	return errors.New("the node has not said whether it is ready")
}
