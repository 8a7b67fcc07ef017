package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/pattern"
)

// certificates are those of the https section, by SNI glob in file order.
type certificates struct {
	entries  []certificate
	fallback *certificate // "default"; nil: an unknown name fails the handshake
}

type certificate struct {
	glob *pattern.Glob
	pair *atomic.Pointer[tls.Certificate]
	from config.Certificate
}

// tlsConfig reads the certificates. Every file that is missing or broken is a problem at its entry.
func (g *Gateway) tlsConfig(l *config.TLSListener) (*tls.Config, error) {
	store := &certificates{}
	clientCAs := x509.NewCertPool()
	hasCAs := false
	var problems diag.Problems
	for _, c := range l.Certificates {
		entry, err := readCertificate(c)
		if err == nil {
			for _, file := range c.CA {
				hasCAs = true
				err = errors.Join(err, addCA(clientCAs, file))
			}
		}
		if err != nil {
			problems = append(problems, diag.Problem{
				Code: "certificate", Severity: diag.Error, Position: c.Pos, Message: err.Error(),
			})
			continue
		}
		if c.Name == "default" {
			store.fallback = entry
		} else {
			store.entries = append(store.entries, *entry)
		}
	}
	out := &tls.Config{GetCertificate: store.find, ClientAuth: clientAuth(l.Options)}
	problems = append(problems, tlsOptions(out, l)...)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	g.certificates = store
	if hasCAs {
		out.ClientCAs = clientCAs
	}
	return out, nil
}

func readCertificate(c config.Certificate) (*certificate, error) {
	glob, err := pattern.NewGlob(c.Name)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %q: %w", c.Name, err)
	}
	entry := &certificate{glob: glob, from: c, pair: &atomic.Pointer[tls.Certificate]{}}
	entry.pair.Store(&pair)
	return entry, nil
}

func addCA(pool *x509.CertPool, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read CA: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("read CA %s: it holds no PEM certificate", file)
	}
	return nil
}

// clientAuth reads requestCert and rejectUnauthorized of https.options.
// EG: node's TLS options; rejectUnauthorized is true unless it says false.
func clientAuth(options map[string]any) tls.ClientAuthType {
	if ask, _ := options["requestCert"].(bool); !ask {
		return tls.NoClientCert
	}
	if reject, ok := options["rejectUnauthorized"].(bool); ok && !reject {
		return tls.VerifyClientCertIfGiven
	}
	return tls.RequireAndVerifyClientCert
}

// find chooses by the name that the client asks for.
func (s *certificates) find(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName != "" {
		for i := range s.entries {
			if s.entries[i].glob.Match(hello.ServerName) {
				return s.entries[i].pair.Load(), nil
			}
		}
	}
	if s.fallback != nil {
		return s.fallback.pair.Load(), nil
	}
	return nil, fmt.Errorf("no certificate for %q", hello.ServerName)
}

// reload reads the pairs again whose files changed, and returns the names of those it took over.
// A pair that is broken, or half written, leaves the one before in use.
func (s *certificates) reload() (names []string, err error) {
	all := s.entries
	if s.fallback != nil {
		all = append(slices.Clip(all), *s.fallback)
	}
	for _, c := range all {
		pair, failure := tls.LoadX509KeyPair(c.from.Cert, c.from.Key)
		if failure != nil {
			err = errors.Join(err, fmt.Errorf("read certificate %q: %w", c.from.Name, failure))
			continue
		}
		if !bytes.Equal(pair.Certificate[0], c.pair.Load().Certificate[0]) {
			c.pair.Store(&pair)
			names = append(names, c.from.Name)
		}
	}
	return names, err
}
