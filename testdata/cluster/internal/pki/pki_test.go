package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
)

func writeTestCluster(t *testing.T) pki.Files {
	t.Helper()
	files := pki.Files{Dir: filepath.Join(t.TempDir(), "pki")}
	err := files.WriteCluster(pki.Options{
		ServerHosts: []string{"localhost", "127.0.0.1"},
		EtcdHosts:   []string{"127.0.0.1"},
		Nodes:       map[string]string{"n1": "10.100.0.11"},
		Now:         time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readCert(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(file, file[:len(file)-4]+".key")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(data) {
		t.Fatalf("%s holds no certificate", file)
	}
	return p
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	files := writeTestCluster(t)
	tests := []struct {
		name, authority, user, group string
		host                         string
		usage                        x509.ExtKeyUsage
	}{
		{name: "apiserver", authority: "kubernetes", host: "127.0.0.1", user: "kube-apiserver", usage: x509.ExtKeyUsageServerAuth},
		{name: "admin", authority: "kubernetes", user: "egkube-admin", group: "system:masters", usage: x509.ExtKeyUsageClientAuth},
		{name: "kubelet-client", authority: "kubernetes", user: "kube-apiserver-kubelet-client", usage: x509.ExtKeyUsageClientAuth},
		{
			name: "node-n1", authority: "kubernetes", host: "10.100.0.11", user: "system:node:n1", group: "system:nodes",
			usage: x509.ExtKeyUsageServerAuth,
		},
		{name: "etcd", authority: "etcd", host: "127.0.0.1", user: "etcd", usage: x509.ExtKeyUsageServerAuth},
		{name: "front-proxy-client", authority: "front-proxy", user: "front-proxy-client", usage: x509.ExtKeyUsageClientAuth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cert := readCert(t, files.Cert(tt.name))
			if cert.Subject.CommonName != tt.user {
				t.Errorf("user is %q, want %q", cert.Subject.CommonName, tt.user)
			}
			if tt.group != "" && (len(cert.Subject.Organization) != 1 || cert.Subject.Organization[0] != tt.group) {
				t.Errorf("groups are %q, want %q", cert.Subject.Organization, tt.group)
			}
			_, err := cert.Verify(x509.VerifyOptions{
				Roots: pool(t, files.CA(tt.authority)), DNSName: tt.host, KeyUsages: []x509.ExtKeyUsage{tt.usage},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A node's certificate must open nothing of etcd, or every node could read every
// Secret.
func TestEtcdRefusesOtherAuthorities(t *testing.T) {
	t.Parallel()
	files := writeTestCluster(t)
	for name, want := range map[string]bool{"etcd-client": true, "node-n1": false, "admin": false} {
		_, err := readCert(t, files.Cert(name)).Verify(x509.VerifyOptions{
			Roots: pool(t, files.CA("etcd")), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if got := err == nil; got != want {
			t.Errorf("%s: let in %v, want %v (%v)", name, got, want, err)
		}
	}
}

func TestKeysAreOnlyForTheirOwner(t *testing.T) {
	t.Parallel()
	files := writeTestCluster(t)
	keys, err := filepath.Glob(filepath.Join(files.Dir, "*.key"))
	if err != nil || len(keys) < 8 {
		t.Fatalf("found %d keys: %v", len(keys), err)
	}
	for _, key := range keys {
		info, err := os.Stat(key)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", key, info.Mode().Perm())
		}
	}
}
