// Package kubeconfig writes the administrator's kubeconfig of the embedded cluster: a file that holds its certificates,
// so that it can be copied, readable by its owner only.
package kubeconfig

import (
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

// Context is the name of the context, the cluster and the user.
const Context = "brazier"

// WriteAdmin writes the kubeconfig for the API server at the URL server.
func WriteAdmin(l layout.Layout, server string) error {
	var (
		cluster = clientcmdapi.NewCluster()
		user    = clientcmdapi.NewAuthInfo()
		context = clientcmdapi.NewContext()
	)
	cluster.Server = server
	context.Cluster, context.AuthInfo = Context, Context
	for _, item := range []struct {
		data *[]byte
		path string
	}{
		{&cluster.CertificateAuthorityData, l.CA()},
		{&user.ClientCertificateData, l.Cert(part.AdminCertificate())},
		{&user.ClientKeyData, l.Key(part.AdminCertificate())},
	} {
		data, err := os.ReadFile(item.path)
		if err != nil {
			return fmt.Errorf("write kubeconfig: %w", err)
		}
		*item.data = data
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[Context], config.AuthInfos[Context], config.Contexts[Context] = cluster, user, context
	config.CurrentContext = Context
	if err := clientcmd.WriteToFile(*config, l.Kubeconfig()); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
