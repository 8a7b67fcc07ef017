// Package server is the process around the pipelines: listeners, reload, status, metrics, shutdown.
//
// It is the only package that knows both net/http and the gateway's own message types.
package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/manifest"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/oauth2"
	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/ratelimit"
	"egk8s.dev/egk8s/gateway/upstream"
)

// Options say how to run a gateway.
type Options struct {
	// ConfigDir is the folder with gateway.config.yml.
	ConfigDir string
	// StatusAddress and MetricsAddress are host:port; they win over the environment. Empty: see Run.
	StatusAddress, MetricsAddress string
	// Settings are what egk8s adds to the files; nil: those of egk8s.settings.json, when there is one.
	Settings *config.Settings
	// LookupEnv answers environment variables.
	LookupEnv func(name string) (string, bool)
	// Output receives the log.
	Output io.Writer
	// Signals ask the gateway to end: the first one politely, the second one at once.
	Signals <-chan os.Signal
	// Poll is how often files are looked at; 0: every 500 ms.
	Poll time.Duration
	// Started is called with the gateway once it serves; nil: nobody asks.
	Started func(*Gateway)
}

// Gateway is a running gateway.
type Gateway struct {
	opts      Options
	env       *environment
	log       *slog.Logger
	catalogue config.Catalogue
	pools     *upstream.Pools
	metrics   *metrics
	access    *accessLog          // nil: none
	counters  *ratelimit.Counters // of rate-limit, kept over reloads
	shared    *ratelimit.Shared   // of rate-limit, by all replicas; nil: each counts on its own
	memory    *policy.Memory      // kept over reloads
	consumers *consumers
	limits    limits
	// conns are the clients' connections, ownConns those to status, metrics and Admin API.
	conns, ownConns *connections
	tokens          *consumer.Tokens
	oauth2          *oauth2.Server
	// certificates are those of the https listener; nil: there is none.
	certificates *certificates

	// loaded is the content that was read at start; afterwards the watcher keeps it.
	loaded [sha256.Size]byte

	runtime  atomic.Pointer[pipeline.Runtime]
	started  time.Time
	serving  atomic.Bool
	draining atomic.Bool

	oauth2Warned sync.Once
	// written asks the watcher to take the files over now; it closes what it was sent when that is done.
	written chan chan struct{}

	mu        sync.Mutex // guards what follows
	since     time.Time
	problems  diag.Problems
	listeners []*listener
}

// newGateway loads the configuration and compiles it. Problems of the files are returned as diag.Problems.
func newGateway(ctx context.Context, o Options) (*Gateway, error) {
	env, err := readEnvironment(&o)
	if err != nil {
		return nil, err
	}
	catalogue, err := policy.Catalogue()
	if err != nil {
		return nil, err
	}
	o.Output = &output{w: o.Output}
	g := &Gateway{
		opts: o, env: env, catalogue: catalogue, log: newLogger(o.Output, env.logLevel, env.json),
		pools: upstream.NewPools(), metrics: newMetrics(), counters: ratelimit.New(ratelimit.Options{}), memory: policy.NewMemory(),
		written: make(chan chan struct{}), started: time.Now(),
	}
	g.pools.Log = g.log
	g.metrics.collectors = append(g.metrics.collectors, func(b *strings.Builder) { g.pools.WriteMetrics(b) })
	g.loaded = g.fingerprint() // before reading, so that no change in between is missed
	files, err := openFiles(o.ConfigDir)
	if err != nil {
		return nil, err
	}
	cfg, problems := g.load(files)
	if cfg == nil {
		return nil, problems
	}
	open := openAdmin(cfg, env)
	if problems = append(problems, open...); open.HasErrors() {
		return nil, problems
	}
	if g.consumers, err = g.openConsumers(ctx, cfg, files); err != nil {
		return nil, err
	}
	if g.consumers.limits != nil {
		g.shared = ratelimit.NewShared(g.consumers.limits, ratelimit.Options{})
		g.metrics.collectors = append(g.metrics.collectors, g.writeLeases)
	}
	if g.consumers.collect != nil {
		g.metrics.collectors = append(g.metrics.collectors, g.consumers.collect)
	}
	if err := g.openOAuth2(cfg); err != nil {
		return nil, err
	}
	more := g.apply(cfg) //nolint:contextcheck // look-ups of names live as long as the pools, not as this start
	if problems = append(problems, more...); more.HasErrors() {
		return nil, problems
	}
	for _, p := range problems {
		g.log.WarnContext(ctx, p.String(), "code", p.Code)
	}
	return g, nil
}

// openFiles returns what reads the configuration of dir. Where a manifest stands beside the files, only
// those that it lists count. The error is of type diag.Problems.
func openFiles(dir string) (config.FileReader, error) {
	if !manifest.Exists(dir) {
		return folder(dir), nil
	}
	files, err := manifest.Open(dir)
	if err != nil {
		return nil, diag.Problems{{
			Code: "manifest", Severity: diag.Error, Position: diag.Position{File: manifest.Name}, Message: err.Error(),
		}}
	}
	return files, nil
}

// load reads and validates the configuration.
func (g *Gateway) load(files config.FileReader) (*config.Config, diag.Problems) {
	return config.Load(g.opts.ConfigDir, config.Options{
		Lookup: g.opts.LookupEnv, Catalogue: g.catalogue, Files: files, Settings: g.opts.Settings,
	})
}

// apply compiles cfg and, when it compiles, makes it the one in force.
func (g *Gateway) apply(cfg *config.Config) diag.Problems {
	draft := g.pools.Draft()
	env := &policy.Environment{Upstreams: draft, Limits: g.counters, Shared: g.shared, Memory: g.memory, HTTPProxy: g.env.httpProxy, Log: g.log}
	if g.consumers != nil {
		env.Keys, env.Consumers = g.consumers.service, g.consumers.service
		env.Tokens, env.OAuth2 = g.tokens, g.oauth2
	}
	rt, problems := pipeline.Compile(cfg, env)
	if rt == nil {
		return problems
	}
	g.metrics.bind(rt)
	env.Commit(context.Background())
	g.runtime.Store(rt)
	draft.Commit()
	g.warnOAuth2(cfg)
	g.mu.Lock()
	g.since, g.problems = time.Now(), problems
	g.mu.Unlock()
	return problems
}

// Config returns the configuration in force.
func (g *Gateway) Config() *config.Config { return g.runtime.Load().Config }

// Digest returns the digest of the configuration in force; it is empty when there is no manifest.
func (g *Gateway) Digest() string { return g.Config().Digest }

// Check reads and compiles the configuration of dir as a start would, without serving it.
func Check(dir string, lookup func(string) (string, bool)) (diag.Problems, error) {
	catalogue, err := policy.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("check config: %w", err)
	}
	files, err := openFiles(dir)
	if err != nil {
		return nil, err
	}
	cfg, problems := config.Load(dir, config.Options{Lookup: lookup, Catalogue: catalogue, Files: files})
	if cfg == nil {
		return problems, nil
	}
	around, err := readEnvironment(&Options{LookupEnv: lookup})
	if err != nil {
		return nil, fmt.Errorf("check config: %w", err)
	}
	problems = append(problems, openAdmin(cfg, around)...)
	env := &policy.Environment{Upstreams: upstream.NewPools().Draft(), Log: slog.New(slog.DiscardHandler)}
	_, more := pipeline.Compile(cfg, env)
	problems = append(problems, more...)
	problems.Sort()
	return problems, nil
}
