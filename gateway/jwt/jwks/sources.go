package jwks

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// firstWait is how long a configuration waits for the first sets, so that a gateway that starts beside a
// healthy provider refuses nobody.
const firstWait = 3 * time.Second

// Sources are the sources of a process. They outlive configurations, so that a reload keeps the sets.
type Sources struct {
	client *http.Client

	mu      sync.Mutex // guards what follows
	live    map[Options]*Source
	running sync.WaitGroup
	closed  bool
}

// NewSources returns no sources yet. Their client follows no redirect, so that a set comes from where the
// configuration says; http_proxy, https_proxy and no_proxy of the environment count.
func NewSources() *Sources {
	return &Sources{live: map[Options]*Source{}, client: &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2: true, MaxIdleConns: 16, IdleConnTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Draft are the sources of a configuration that is being compiled.
type Draft struct {
	sources *Sources
	used    map[Options]*Source
}

// Draft begins a configuration. Nothing runs before Commit.
func (s *Sources) Draft() *Draft { return &Draft{sources: s, used: map[Options]*Source{}} }

// Source returns the source for o: the one that runs where there is one.
func (d *Draft) Source(o Options) *Source {
	if s := d.used[o]; s != nil {
		return s
	}
	d.sources.mu.Lock()
	s := d.sources.live[o]
	d.sources.mu.Unlock()
	if s == nil {
		s = newSource(o, d.sources.client)
	}
	d.used[o] = s
	return s
}

// Commit runs the draft's sources and ends all others. It waits a little for the sets that are new; a provider
// that is down is no error.
func (d *Draft) Commit(ctx context.Context, log *slog.Logger) {
	d.start(log) //nolint:contextcheck // they outlive this commit
	ctx, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	for _, s := range d.used {
		s.first(ctx)
	}
}

func (d *Draft) start(log *slog.Logger) {
	all := d.sources
	all.mu.Lock()
	defer all.mu.Unlock()
	for o, s := range all.live {
		if d.used[o] != s && s.cancel != nil {
			s.cancel()
			s.cancel = nil
		}
	}
	all.live = d.used
	if all.closed {
		return
	}
	for _, s := range d.used {
		if s.cancel != nil {
			continue
		}
		s.log = log
		ctx, cancel := context.WithCancel(context.Background())
		s.cancel = cancel
		all.running.Go(func() { s.run(ctx) })
	}
}

// Close ends all sources and waits for them.
func (s *Sources) Close() {
	s.mu.Lock()
	s.closed = true
	for _, one := range s.live {
		if one.cancel != nil {
			one.cancel()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
	s.client.CloseIdleConnections()
}
