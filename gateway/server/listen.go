package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/manifest"
	"egk8s.dev/egk8s/gateway/diag"
)

const pingTimeout = 15 * time.Second // of HTTP/2: for an idle client to answer a ping

// listenError says which port could not be opened.
type listenError struct {
	name string
	err  error
}

// Error names the listener and the reason.
func (e *listenError) Error() string { return "listen for " + e.name + ": " + e.err.Error() }

// Unwrap returns the reason.
func (e *listenError) Unwrap() error { return e.err }

// IsListenError tells whether Run failed because a port could not be opened.
func IsListenError(err error) bool {
	var e *listenError
	return errors.As(err, &e)
}

// listener is one open port with its server.
type listener struct {
	net.Listener
	name   string
	server *http.Server
	// traffic is true for the ports that clients use: they close before the others.
	traffic bool
}

// listen opens every port that the configuration and the environment ask for. On an error none stays open.
func (g *Gateway) listen(ctx context.Context) error {
	cfg := g.Config()
	traffic := newHandler(g)
	if cfg.HTTP != nil {
		address := g.address("http", g.env.http, cfg.HTTP.Host, cfg.HTTP.Port)
		if err := g.open(ctx, "http", address, traffic, nil); err != nil {
			return err
		}
	}
	if cfg.HTTPS != nil {
		config, err := g.tlsConfig(cfg.HTTPS)
		if err != nil {
			return err
		}
		address := g.address("https", g.env.https, cfg.HTTPS.Host, cfg.HTTPS.Port)
		config.NextProtos = []string{"h2", "http/1.1"}
		if err := g.open(ctx, "https", address, traffic, config); err != nil {
			return err
		}
	}
	if cfg.Admin != nil {
		host := cfg.Admin.Host
		if host == "" {
			host = "localhost"
		}
		address := g.address("admin", g.env.admin, host, cfg.Admin.Port)
		handler := g.adminHandler() //nolint:contextcheck // its requests bring their own
		if err := g.open(ctx, "admin", address, handler, nil); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		name, address string
		handler       http.Handler
	}{
		{"status", cmp.Or(g.env.status, cfg.Settings.Listen.Status), g.statusHandler()},
		{"metrics", cmp.Or(g.env.metrics, cfg.Settings.Listen.Metrics), g.metricsHandler()},
		{"ready", g.env.ready, g.readyHandler()},
	} {
		if l.address == "" {
			continue
		}
		if err := g.open(ctx, l.name, l.address, l.handler, nil); err != nil {
			return err
		}
	}
	return nil
}

// address returns where a section of the file listens; the environment wins over it.
func (g *Gateway) address(name, override, host string, port int) string {
	if override == "" {
		return net.JoinHostPort(host, strconv.Itoa(port))
	}
	if host != "" && g.env.pod() {
		g.log.Warn("the bind address of the file is not used in a pod", "listener", name, "file", host, "address", override)
	}
	return override
}

func (g *Gateway) adminHandler() http.Handler {
	opts := admin.Options{
		Consumers: g.consumers.service, Tokens: g.tokens, Config: g.Config, Catalogue: g.catalogue, Logger: g.log,
		BearerTokens: g.env.adminTokens,
	}
	if !g.env.pod() && !manifest.Exists(g.opts.ConfigDir) {
		opts.Writer = &admin.ConfigFile{Dir: g.opts.ConfigDir, Check: g.checkConfig, Written: g.takeOver}
	}
	return admin.New(opts)
}

// checkConfig says what is wrong with a configuration that is not in force yet.
func (g *Gateway) checkConfig(files config.FileReader) diag.Problems {
	_, problems := config.Load(g.opts.ConfigDir, config.Options{
		Lookup: g.opts.LookupEnv, Catalogue: g.catalogue, Files: files, Settings: g.opts.Settings,
	})
	return problems
}

func (g *Gateway) open(ctx context.Context, name, address string, h http.Handler, secure *tls.Config) error {
	var lc net.ListenConfig
	open, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return &listenError{name: name, err: err}
	}
	l := &listener{name: name, traffic: name == "http" || name == "https"}
	conns := g.conns
	if !l.traffic {
		conns = g.ownConns // clients cannot use up what probes and scrapes need
	}
	if secure == nil {
		l.Listener = &plainListener{Listener: open, conns: conns, limits: g.limits.framing()}
	} else {
		l.Listener = &tlsListener{
			Listener: open, conns: conns, limits: g.limits.framing(), config: secure, wait: cmp.Or(g.limits.head, time.Minute),
			log: g.log, ready: make(chan net.Conn), ended: make(chan struct{}),
		}
	}
	l.server = g.httpServer(h, l.traffic)
	g.mu.Lock()
	g.listeners = append(g.listeners, l)
	g.mu.Unlock()
	return nil
}

// httpServer returns a server of HTTP/1 and, for the ports of clients, HTTP/2: by ALPN over TLS, with prior
// knowledge in the clear.
func (g *Gateway) httpServer(h http.Handler, traffic bool) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(traffic)
	protocols.SetUnencryptedHTTP2(traffic)
	return &http.Server{
		Handler: h, ReadHeaderTimeout: g.limits.head, IdleTimeout: g.limits.idle, MaxHeaderBytes: g.limits.headBytes,
		DisableGeneralOptionsHandler: true, ErrorLog: log.New(errorLog{g.log}, "", 0),
		Protocols: &protocols, ConnState: connState, ConnContext: connContext,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: g.limits.streams, SendPingTimeout: g.limits.idle, PingTimeout: pingTimeout,
			WriteByteTimeout: g.limits.write,
		},
	}
}

// serve runs every server until it is shut down; the first that fails is reported on failed.
func (g *Gateway) serve(failed chan<- error) {
	for _, l := range g.listeners {
		g.log.Info(l.name+" server listening on "+l.Addr().String(), "listener", l.name, "address", l.Addr().String())
		go func() {
			if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", l.name, err)
			}
		}()
	}
}

// close closes all ports and connections at once.
func (g *Gateway) close() {
	for _, l := range g.listeners {
		l.server.Close() //nolint:errcheck,gosec // it ends either way
		l.Close()        //nolint:errcheck,gosec // of a server that never served
	}
	g.pools.Close()
	g.memory.Close()
}
