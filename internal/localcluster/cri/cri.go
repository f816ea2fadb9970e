// Package cri stops the pods of the embedded cluster's containerd, through the interface that the kubelet uses, so that
// their networks, mounts and processes are taken down by those who made them.
package cri

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopPods stops and removes all pods behind the socket. Containers get the grace, in seconds, to end by themselves.
func StopPods(ctx context.Context, socket string, grace int64) (stopped int, err error) {
	// The socket is root's own; there is nothing to encrypt.
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, fmt.Errorf("connect to containerd: %w", err)
	}
	defer func() { _ = conn.Close() }()
	client := runtime.NewRuntimeServiceClient(conn)
	pods, err := client.ListPodSandbox(ctx, &runtime.ListPodSandboxRequest{})
	if err != nil {
		return 0, fmt.Errorf("list pods: %w", err)
	}
	if err := stopContainers(ctx, client, grace); err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, pod := range pods.Items {
		group.Go(func() error { return removePod(ctx, client, pod) })
	}
	return len(pods.Items), group.Wait()
}

// stopContainers gives all containers their grace at the same time.
func stopContainers(ctx context.Context, client runtime.RuntimeServiceClient, grace int64) error {
	containers, err := client.ListContainers(ctx, &runtime.ListContainersRequest{
		Filter: &runtime.ContainerFilter{State: &runtime.ContainerStateValue{State: runtime.ContainerState_CONTAINER_RUNNING}},
	})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, container := range containers.Containers {
		group.Go(func() error {
			_, err := client.StopContainer(ctx, &runtime.StopContainerRequest{ContainerId: container.Id, Timeout: grace})
			if err != nil {
				return fmt.Errorf("stop container %s: %w", container.Metadata.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

func removePod(ctx context.Context, client runtime.RuntimeServiceClient, pod *runtime.PodSandbox) error {
	_, err := client.StopPodSandbox(ctx, &runtime.StopPodSandboxRequest{PodSandboxId: pod.Id})
	if err == nil {
		_, err = client.RemovePodSandbox(ctx, &runtime.RemovePodSandboxRequest{PodSandboxId: pod.Id})
	}
	if err != nil {
		return fmt.Errorf("remove pod %s/%s: %w", pod.Metadata.GetNamespace(), pod.Metadata.GetName(), err)
	}
	return nil
}
