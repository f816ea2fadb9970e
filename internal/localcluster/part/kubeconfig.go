package part

import (
	"fmt"

	"brazier.sh/brazier/internal/localcluster/layout"
)

// kubeconfig is the file with which the part called name talks to the API server. It names the certificates' files, so
// that a part sees new ones without a new kubeconfig.
func kubeconfig(c Config, name string) File {
	return File{Path: c.Layout.PartKubeconfig(name), Content: fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: brazier
  cluster:
    server: %s
    certificate-authority: %s
users:
- name: %s
  user:
    client-certificate: %s
    client-key: %s
contexts:
- name: brazier
  context: {cluster: brazier, user: %[3]s}
current-context: brazier
`, c.APIServerURL(), c.Layout.CA(), name, c.Layout.Cert(name), c.Layout.Key(name))}
}

// AdminCertificate is the name of the administrator's certificate.
func AdminCertificate() string { return certAdmin }

// delegated are the flags by which a part lets the API server judge who calls it.
func delegated(l layout.Layout, name string) []string {
	return []string{
		"--kubeconfig=" + l.PartKubeconfig(name),
		"--authentication-kubeconfig=" + l.PartKubeconfig(name),
		"--authorization-kubeconfig=" + l.PartKubeconfig(name),
		"--tls-cert-file=" + l.Cert(name),
		"--tls-private-key-file=" + l.Key(name),
	}
}
