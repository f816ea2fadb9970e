package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"brazier.sh/brazier/internal/localcluster/part"
)

// KillAPIServer ends the API server in the way that leaves it no time. What it has stored stays.
func (c *ControlPlane) KillAPIServer() error {
	if c.server == nil {
		return errors.New("the API server does not run")
	}
	if err := c.server.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the API server: %w", err)
	}
	<-c.server.done
	c.server = nil
	return nil
}

// StartAPIServer starts the API server that was killed, at the same address, and returns when it is ready.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	parts := part.ControlPlane(c.config)
	return c.run(ctx, parts[slices.IndexFunc(parts, isAPIServer)])
}

func isAPIServer(p part.Part) bool { return p.Name == part.APIServer }
