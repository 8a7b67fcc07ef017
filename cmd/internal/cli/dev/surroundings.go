package dev

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

// variables are those that the pod will have, and how this gateway logs.
func (o *Options) variables(p *project.Project) (map[string]string, error) {
	variables := map[string]string{"LOG_LEVEL": p.Spec.LogLevel, "EGK8S_LOG_FORMAT": "json"}
	maps.Copy(variables, p.Spec.Env)
	file, err := readEnvFile(o.EnvFile)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(p.Spec.SecretEnv)) {
		value, ok := file[name]
		if !ok {
			value, ok = o.App.Lookup(name)
		}
		if !ok {
			missing = append(missing, name)
			continue
		}
		variables[name] = value
	}
	if missing != nil {
		return nil, &exit.UsageError{
			Message: "spec.secretEnv has variables without a value here: " + strings.Join(missing, ", "),
			Hint:    []string{"write NAME=VALUE lines into " + o.EnvFile + ", which must not be committed, or export them"},
		}
	}
	return variables, nil
}

// readEnvFile reads NAME=VALUE lines as kubectl create secret --from-env-file does: the value is what stands behind the
// first =, as it is. There need not be such a file.
func readEnvFile(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(strings.TrimLeft(line, " \t"), "\r\n")
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			values[name] = value
		}
	}
	return values, nil
}

// fingerprint is what a new start depends on: the project, the variables, and with stubs the names of the service endpoints.
func (o *Options) fingerprint() string {
	project, _ := os.ReadFile(o.App.Flags.File)
	variables, _ := os.ReadFile(o.EnvFile)
	text := string(project) + "\x00" + string(variables)
	if o.services != nil && len(o.Stub)+len(o.Upstreams) > 0 {
		text += "\x00" + o.services.names()
	}
	return text
}

// services are the names of the service endpoints of a config folder, read again when the file changes.
type services struct{ dir, text, last string }

func (s *services) names() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "gateway.config.yml"))
	if err != nil || string(text) == s.text {
		return s.last
	}
	s.text = string(text)
	if report, err := offline.Check(s.dir, offline.Options{}); err == nil && len(report.Services) > 0 {
		s.last = strings.Join(report.Services, "\x00")
	}
	return s.last
}

// wait returns true once the project changed and stays as it is, false when the context ends.
func (o *Options) wait(ctx context.Context, seen string) bool {
	ticker := time.NewTicker(o.Poll)
	defer ticker.Stop()
	last := seen
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		now := o.fingerprint()
		if now != seen && now == last {
			return true
		}
		last = now
	}
}

// addresses are where the listeners of the file listen here.
func (o *Options) addresses(report *offline.Report) map[string]string {
	out := map[string]string{}
	for _, l := range []struct {
		variable string
		port     *offline.Port
		chosen   int
	}{
		{"EGK8S_HTTP_ADDRESS", report.HTTP, o.Port}, {"EGK8S_HTTPS_ADDRESS", report.HTTPS, o.HTTPSPort}, {"EGK8S_ADMIN_ADDRESS", report.Admin, o.AdminPort},
	} {
		if l.port == nil {
			continue
		}
		port := l.chosen
		if port < 0 {
			if port = l.port.Port; port > 0 && port < 1024 {
				port += 8000 // who develops is not root
			}
		}
		out[l.variable] = net.JoinHostPort(o.Host, strconv.Itoa(port))
	}
	return out
}

// settings are what egk8s.yaml adds, as it is here: consumers from the project's file or in memory, service endpoints
// where the file or the chosen environment says, and certificates made for this run instead of those of Secrets.
func (o *Options) settings(p *project.Project, stubs map[string]string) (*offline.Settings, func(), error) {
	s := &offline.Settings{TrustedProxies: p.Spec.TrustedProxies, Upstreams: map[string]string{}, Store: offline.StoreSettings{Kind: offline.StoreMemory}}
	if p.Spec.Consumers != "" && p.Spec.Store.Kind == project.StoreFile {
		s.Store = offline.StoreSettings{Kind: offline.StoreFile, Path: filepath.Join(p.Dir, filepath.FromSlash(p.Spec.Consumers))}
	}
	if p.Environment != "" {
		maps.Copy(s.Upstreams, p.Spec.Upstreams)
	}
	maps.Copy(s.Upstreams, stubs)
	maps.Copy(s.Upstreams, o.Upstreams)
	cleanup := func() {}
	if len(p.Spec.TLS) > 0 {
		dir, err := os.MkdirTemp("", "egk8s-dev-")
		if err != nil {
			return nil, cleanup, fmt.Errorf("make a certificate: %w", err)
		}
		cleanup = func() { _ = os.RemoveAll(dir) }
		files, err := selfSigned(dir)
		if err != nil {
			cleanup()
			return nil, func() {}, err
		}
		s.TLS = map[string]offline.TLSFiles{}
		for name := range p.Spec.TLS {
			s.TLS[name] = files
		}
	}
	return s, cleanup, nil
}

// selfSigned makes a certificate for this machine that no program trusts by itself.
func selfSigned(dir string) (offline.TLSFiles, error) {
	files := offline.TLSFiles{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return files, fmt.Errorf("make a certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "egk8s dev"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return files, fmt.Errorf("make a certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return files, fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return files, fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.WriteFile(files.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return files, fmt.Errorf("make a certificate: %w", err)
	}
	return files, nil
}
