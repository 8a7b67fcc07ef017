package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/server"
)

// pair makes a certificate that signs itself, and its key, as PEM.
func pair(t *testing.T, name string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// secure is a configuration with certificates from a folder.
func secure(dir, options string) string {
	entry := func(name string) string {
		return "{cert: '" + filepath.Join(dir, name+".crt") + "', key: '" + filepath.Join(dir, name+".key") + "'" +
			", ca: ['" + filepath.Join(dir, "client.crt") + "']}"
	}
	return `https: {port: 0, hostname: 127.0.0.1, options: ` + options + `, tls: {default: ` + entry("default") + `, '*.test': ` + entry("glob") + `}}
apiEndpoints: {api: {host: '*'}}
policies: [terminate]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
    - terminate:
      - condition: {name: tlsClientAuthenticated}
        action: {statusCode: 200, message: known}
      - action: {statusCode: 200, message: unknown}
`
}

// shake asks for a name and returns the certificate's name, its serial number and the answer.
func shake(address, name string, client ...tls.Certificate) (string, int64, string, error) {
	config := &tls.Config{ServerName: name, InsecureSkipVerify: true, Certificates: client}
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return "", 0, "", err
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	leaf := conn.ConnectionState().PeerCertificates[0]
	text := string(answer)
	return leaf.Subject.CommonName, leaf.SerialNumber.Int64(), text[max(0, len(text)-len("unknown")):], err
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(file, name string, serial int64) (string, string) {
		cert, key := pair(t, name, serial)
		writeFiles(t, dir, map[string]string{file + ".crt": cert, file + ".key": key})
		return cert, key
	}
	write("default", "fallback", 1)
	write("glob", "glob", 1)
	cert, key := write("client", "client", 1)
	known, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, map[string]string{"gateway.config.yml": secure(dir, "{requestCert: true, rejectUnauthorized: false}")}, nil)
	address := g.Status().Listeners["https"]
	for _, tt := range []struct {
		sni, want, answer string
		client            []tls.Certificate
	}{
		{"a.test", "glob", "unknown", nil},
		{"a.example", "fallback", "unknown", nil},
		{"", "fallback", "unknown", nil},
		{"a.test", "glob", "known", []tls.Certificate{known}},
	} {
		name, _, answer, err := shake(address, tt.sni, tt.client...)
		if err != nil || name != tt.want || answer[len(answer)-len(tt.answer):] != tt.answer {
			t.Errorf("%q: %s %q %v, want %s %q", tt.sni, name, answer, err, tt.want, tt.answer)
		}
	}
	writeFiles(t, dir, map[string]string{"glob.crt": "half writ"})
	write("default", "fallback", 2)
	eventually(t, "the new certificate", func() bool { _, serial, _, _ := shake(address, ""); return serial == 2 })
	if name, _, _, err := shake(address, "a.test"); err != nil || name != "glob" {
		t.Errorf("a broken file took the certificate away: %s %v", name, err)
	}
}

func TestTLSRefusesClientsWithoutCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"default", "glob", "client"} {
		cert, key := pair(t, name, 1)
		writeFiles(t, dir, map[string]string{name + ".crt": cert, name + ".key": key})
	}
	g := start(t, map[string]string{"gateway.config.yml": secure(dir, "{requestCert: true}")}, nil)
	if _, _, answer, err := shake(g.Status().Listeners["https"], "a.test"); err == nil {
		t.Errorf("answered %q", answer)
	}
}

func TestTLSNamesEveryBrokenFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, models())
	writeFiles(t, dir, map[string]string{"gateway.config.yml": secure(filepath.Join(dir, "none"), "{}")})
	err := server.Run(t.Context(), server.Options{
		ConfigDir: dir, LookupEnv: func(string) (string, bool) { return "", false }, Output: &syncBuffer{},
	})
	var problems diag.Problems
	if !errors.As(err, &problems) || len(problems) < 2 || problems[0].File != "gateway.config.yml" || problems[0].Line != 1 {
		t.Errorf("got %v, want a problem for each certificate with its line", err)
	}
}

func TestLogForPeople(t *testing.T) {
	t.Parallel()
	config := `http: {port: 0, hostname: 127.0.0.1}
apiEndpoints: {api: {host: '*'}}
policies: [log, terminate]
pipelines: {main: {apiEndpoints: [api], policies: [{log: [{action: {message: 'saw ${req.url}'}}]}, {terminate: [{action: {message: x}}]}]}}
`
	g := start(t, map[string]string{"gateway.config.yml": config}, nil)
	if got := get(t, g.url("http")+"/a?b"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("terminate: %d", got.StatusCode)
	}
	eventually(t, "the line", func() bool { return strings.Contains(g.log.String(), " [EG:log-policy] info: saw /a?b request_id=") })
	eventually(t, "the address", func() bool {
		return strings.Contains(g.log.String(), " [EG:gateway] info: configuration loaded folder=") &&
			strings.Contains(g.log.String(), " [EG:gateway] info: http server listening on "+g.Status().Listeners["http"])
	})
}
