package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// pair is a certificate with its private key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (a Authority) template() *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: a.CommonName},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
}

func (l Leaf) template() *x509.Certificate {
	cert := &x509.Certificate{
		Subject:               pkix.Name{CommonName: l.CommonName, Organization: l.Organizations},
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	cert.DNSNames, cert.IPAddresses = split(l.Hosts)
	if l.Server {
		cert.ExtKeyUsage = append(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if l.Client {
		cert.ExtKeyUsage = append(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	return cert
}

// same reports whether the two certificates say the same of their holder.
func same(a, b *x509.Certificate) bool {
	return a.Subject.CommonName == b.Subject.CommonName &&
		slices.Equal(a.Subject.Organization, b.Subject.Organization) &&
		slices.Equal(a.ExtKeyUsage, b.ExtKeyUsage) &&
		slices.Equal(a.DNSNames, b.DNSNames) &&
		slices.EqualFunc(a.IPAddresses, b.IPAddresses, net.IP.Equal)
}

// issue makes a certificate after the template, signed by ca, or by itself without one.
func (s Store) issue(template *x509.Certificate, ca *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("choose serial number: %w", err)
	}
	life := leafLife
	if template.IsCA {
		life = authorityLife
	}
	template.SerialNumber = serial
	template.NotBefore = s.now.Add(-backdate).Truncate(time.Second)
	template.NotAfter = s.now.Add(life).Truncate(time.Second)
	if ca == nil {
		ca = &pair{cert: template, key: key}
	} else if template.NotAfter.After(ca.cert.NotAfter) {
		template.NotAfter = ca.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse what was signed: %w", err)
	}
	return &pair{cert: cert, key: key}, nil
}

// load returns the pair called name, or nil if a usable one is not there: it is then made anew.
func (s Store) load(name string) (*pair, error) {
	key, err := loadKey(filepath.Join(s.dir, name+".key"))
	if err != nil {
		return nil, ignoreUnusable(err)
	}
	data, err := os.ReadFile(filepath.Join(s.dir, name+".crt"))
	if err != nil {
		return nil, ignoreUnusable(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, nil //nolint:nilnil // a damaged certificate is as good as none
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, nil //nolint:nilnil // as above; a crash between the two writes leaves them unequal
	}
	return &pair{cert: cert, key: key}, nil
}

// errDamaged marks a file that is not what its name says.
var errDamaged = errors.New("not a private key")

func ignoreUnusable(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
		return nil
	}
	return err
}

func (s Store) save(name string, p *pair) error {
	if err := saveKey(filepath.Join(s.dir, name+".key"), p.key); err != nil {
		return err
	}
	return write(filepath.Join(s.dir, name+".crt"),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
}

func loadKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: %w", path, errDamaged)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errDamaged, err)
	}
	return key, nil
}

func saveKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return write(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// write replaces the file as a whole, so that a crash leaves the old one or the new one.
func write(path string, data []byte) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == string(data) {
		return nil
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
