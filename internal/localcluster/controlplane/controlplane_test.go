package controlplane_test

import (
	"context"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/internal/localcluster/controlplane"
)

func start(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	begun := time.Now()
	c, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	t.Logf("ready in %v", time.Since(begun))
	return c
}

func TestControlPlane(t *testing.T) {
	c := start(t)
	client := kubernetes.NewForConfigOrDie(c.Config())
	t.Run("TokensOfServiceAccountsAreTrusted", func(t *testing.T) { testToken(t, c, client) })
	t.Run("DependentsAreCollected", func(t *testing.T) { testGarbage(t, client) })
	t.Run("StrangersAreRefused", func(t *testing.T) { testStranger(t, c) })
	t.Run("TheAPIServerGoesAndComesBack", func(t *testing.T) { testOutage(t, c, client) })
}

func testToken(t *testing.T, c *controlplane.ControlPlane, client kubernetes.Interface) {
	request, err := client.CoreV1().ServiceAccounts("default").
		CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(c.Config())
	config.BearerToken = request.Status.Token
	_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("a service account without a role lists pods: got %v, want it known, and forbidden", err)
	}
}

func testGarbage(t *testing.T, client kubernetes.Interface) {
	maps := client.CoreV1().ConfigMaps("default")
	owner, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name:            "owned",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := maps.Get(ctx, "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		t.Errorf("what a deleted object owned is still there: %v", err)
	}
}

func testStranger(t *testing.T, c *controlplane.ControlPlane) {
	client := kubernetes.NewForConfigOrDie(rest.AnonymousClientConfig(c.Config()))
	_, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("a caller without credentials: got %v, want unauthorized", err)
	}
}

func testOutage(t *testing.T, c *controlplane.ControlPlane, client kubernetes.Interface) {
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := c.KillAPIServer(); err == nil {
		t.Error("it was killed twice")
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err == nil {
		t.Error("it answers though it was killed")
	}
	if err := c.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("what was stored before: %v", err)
	}
}
