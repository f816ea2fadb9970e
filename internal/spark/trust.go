package spark

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"software.sslmate.com/src/go-pkcs12"
)

// Where driver and executors find the certificates that the platform trusts, for Java and for everything else.
const (
	trustVolumeName = "brazier-trust"
	trustDir        = "/opt/brazier/trust"
	trustStoreFile  = "truststore.p12"
	trustPEMFile    = "ca.crt"
)

// trust makes the ConfigMap with the platform's certificates, or none if the images' own will do.
//
// Java has no truststore that adds to another: the one given here replaces that of the image, so the bundle has to
// hold every authority that applications meet, public ones included (docs/adr/0005-private-ca.md). The store has
// neither a password nor encryption, as there is nothing secret in it; this also makes it the same each time, which an
// immutable ConfigMap that may be written twice has to be.
func (p *planner) trust() ([]*corev1.ConfigMap, error) {
	if len(p.platform.TrustBundle) == 0 {
		return nil, nil
	}
	store, err := trustStore(p.platform.TrustBundle)
	if err != nil {
		return nil, fmt.Errorf("operator configuration: trustBundle: %w", err)
	}
	return []*corev1.ConfigMap{p.configMap(p.names.trust,
		map[string]string{trustPEMFile: string(p.platform.TrustBundle)},
		map[string][]byte{trustStoreFile: store})}, nil
}

// trustStore turns certificates in PEM into a PKCS #12 truststore that Java reads from version 8u301, 11.0.12 and 12 on.
func trustStore(bundle []byte) ([]byte, error) {
	var entries []pkcs12.TrustStoreEntry
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a %s; only certificates belong there", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read certificate %d: %w", len(entries)+1, err)
		}
		entries = append(entries, pkcs12.TrustStoreEntry{Cert: cert, FriendlyName: fmt.Sprintf("brazier-%d", len(entries)+1)})
	}
	if len(entries) == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	store, err := pkcs12.Passwordless.EncodeTrustStoreEntries(entries, "")
	if err != nil {
		return nil, fmt.Errorf("write the truststore: %w", err)
	}
	return store, nil
}

func (p *planner) trustVolume(pod *corev1.PodSpec, spark *corev1.Container) {
	if len(p.platform.TrustBundle) == 0 {
		return
	}
	addVolume(pod, corev1.Volume{Name: trustVolumeName, VolumeSource: configMapSource(p.names.trust)})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: trustVolumeName, MountPath: trustDir, ReadOnly: true})
}

// trustEnv points OpenSSL, and with it Python, at the certificates, where the application does not do so itself.
func (p *planner) trustEnv(spark *corev1.Container) {
	if len(p.platform.TrustBundle) == 0 {
		return
	}
	for _, name := range []string{"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"} {
		if !hasEnv(spark, name) {
			setEnv(spark, name, trustDir+"/"+trustPEMFile)
		}
	}
}

// trustOptions tell Java where the truststore is, unless own has one, with a type and a password that would not fit ours.
func (p *planner) trustOptions(own string) []string {
	const option = "-Djavax.net.ssl.trustStore"
	if len(p.platform.TrustBundle) == 0 || strings.Contains(own, option) {
		return nil
	}
	return []string{option + "=" + trustDir + "/" + trustStoreFile, option + "Type=PKCS12"}
}
