// Package upstream keeps the connections to the services behind the gateway.
//
// Pools outlive configurations: a reload that names the same service with the same options gets the
// pool that is already warm, and no request in flight notices.
package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"
)

// Options say how to connect to a service. Two equal options share a pool.
type Options struct {
	// SkipVerify accepts every certificate. EG: secure: false.
	SkipVerify bool
	// CAFile, CertFile and KeyFile are PEM files: whom to trust instead of the system's CAs, and
	// what to show. EG: target.caFile, target.certFile, target.keyFile.
	CAFile, CertFile, KeyFile string
	// ProxyURL is an HTTP proxy that gets absolute URLs; empty: none. EG: proxyUrl.
	ProxyURL string
	// HTTP2 speaks HTTP/2: over https where the service agrees, over http without asking (h2c).
	HTTP2 bool
	// ConnectTimeout limits the connecting, and the TLS handshake once more; 0: 5 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a connection that nobody uses is kept; 0: 4 s.
	IdleTimeout time.Duration
}

// key is what tells pools apart.
type key struct {
	scheme, host string
	Options
}

// Pools are all pools of a process. It is safe for concurrent use.
type Pools struct {
	registry
	mu   sync.Mutex
	live map[key]*Target
}

// NewPools returns no pools yet.
func NewPools() *Pools { return &Pools{live: map[key]*Target{}, registry: newRegistry()} }

// Draft collects the targets and services of a configuration that is being compiled.
type Draft struct {
	pools    *Pools
	used     map[key]*Target
	services map[serviceKey]*Service
}

// Draft begins a configuration. Nothing changes for others, and nothing runs, before Commit.
func (p *Pools) Draft() *Draft {
	return &Draft{pools: p, used: map[key]*Target{}, services: map[serviceKey]*Service{}}
}

// Target returns the pool for the scheme and host of u. Its path and query play no part.
// An unreadable or broken certificate file is an error.
func (d *Draft) Target(u *url.URL, o Options) (*Target, error) {
	k := key{scheme: u.Scheme, host: u.Host, Options: o}
	if t := d.used[k]; t != nil {
		return t, nil
	}
	d.pools.mu.Lock()
	t := d.pools.live[k]
	d.pools.mu.Unlock()
	if t == nil {
		var err error
		if t, err = newTarget(k); err != nil {
			return nil, err
		}
	}
	d.used[k] = t
	return t, nil
}

// Commit makes the draft's targets and services the live ones. Those that it does not use lose their idle
// connections and end what ran beside them; requests in flight on them end as usual.
func (d *Draft) Commit() {
	d.pools.mu.Lock()
	before := d.pools.live
	d.pools.live = d.used
	d.pools.mu.Unlock()
	for k, t := range before {
		if d.used[k] != t {
			t.CloseIdle()
		}
	}
	d.pools.commit(d.services)
}

// Close closes all idle connections and ends what runs beside requests.
func (p *Pools) Close() {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.live {
		t.CloseIdle()
	}
}

func tlsConfig(o Options) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: o.SkipVerify, //nolint:gosec // only where the user wrote secure: false
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read CA file %s: it holds no PEM certificate", o.CAFile)
		}
	}
	if o.CertFile != "" || o.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
