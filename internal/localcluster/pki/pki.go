// Package pki makes and renews the certificates and keys of the embedded cluster: some authorities, and for each the
// certificates that it signs. It knows how certificates are made and kept, not what they are for; package part lists
// those.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is made anew.
	renewBefore = 60 * 24 * time.Hour
	// backdate allows for clocks that differ a little.
	backdate = 5 * time.Minute
)

// Authority is a certificate authority and what it signs.
type Authority struct {
	// Name is the name of its files, without .crt and .key.
	Name string
	// CommonName is its subject.
	CommonName string
	Leaves     []Leaf
}

// Leaf is a certificate for a server, a client, or both.
type Leaf struct {
	// Name is the name of its files, without .crt and .key.
	Name string
	// CommonName and Organizations are the subject: to Kubernetes, a client's user and groups.
	CommonName    string
	Organizations []string
	// Server and Client say what it may be used for.
	Server, Client bool
	// Hosts are the DNS names and IP addresses of a server.
	Hosts []string
}

// Store is a folder of certificates and keys, all readable by their owner only.
type Store struct {
	dir string
	now time.Time
}

// New returns the store in the folder dir, which looks at certificates' dates at the time now.
func New(dir string, now time.Time) Store { return Store{dir: dir, now: now} }

// Ensure makes whatever is missing, damaged, signed by another authority, about to expire or different from what is
// wanted, and leaves the rest alone.
func (s Store) Ensure(authorities []Authority) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of certificates: %w", err)
	}
	for _, authority := range authorities {
		if err := s.ensureAuthority(authority); err != nil {
			return fmt.Errorf("certificate authority %s: %w", authority.Name, err)
		}
	}
	return nil
}

func (s Store) ensureAuthority(authority Authority) error {
	ca, err := s.load(authority.Name)
	if err != nil {
		return err
	}
	if ca == nil || !s.fresh(ca.cert) || ca.cert.Subject.CommonName != authority.CommonName {
		if ca, err = s.issue(authority.template(), nil); err != nil {
			return err
		}
		if err := s.save(authority.Name, ca); err != nil {
			return err
		}
	}
	for _, leaf := range authority.Leaves {
		if err := s.ensureLeaf(leaf, ca); err != nil {
			return fmt.Errorf("certificate %s: %w", leaf.Name, err)
		}
	}
	return nil
}

func (s Store) ensureLeaf(leaf Leaf, ca *pair) error {
	have, err := s.load(leaf.Name)
	if err != nil {
		return err
	}
	wanted := leaf.template()
	if have != nil && s.fresh(have.cert) && have.cert.CheckSignatureFrom(ca.cert) == nil && same(have.cert, wanted) {
		return nil
	}
	made, err := s.issue(wanted, ca)
	if err != nil {
		return err
	}
	return s.save(leaf.Name, made)
}

// EnsureKey makes the key pair name.key and name.pub, with which tokens are signed and verified, unless it is there.
func (s Store) EnsureKey(name string) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of keys: %w", err)
	}
	keyPath, publicPath := filepath.Join(s.dir, name+".key"), filepath.Join(s.dir, name+".pub")
	key, err := loadKey(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
			err = saveKey(keyPath, key)
		}
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", name, err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("public key %s: %w", name, err)
	}
	return write(publicPath, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (s Store) fresh(cert *x509.Certificate) bool {
	return !s.now.Before(cert.NotBefore) && s.now.Add(renewBefore).Before(cert.NotAfter)
}

// split sorts hosts into DNS names and IP addresses.
func split(hosts []string) (names []string, ips []net.IP) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			ips = append(ips, ip)
		} else {
			names = append(names, host)
		}
	}
	return names, ips
}
