package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/version"
)

// Run serves until a signal or ctx ends it, and returns when everything is drained.
//
// An error of type diag.Problems tells what is wrong with the files; nothing was served then.
// On the first signal readiness goes off, the gateway serves on for the delay (EGK8S_DRAIN_DELAY: 5 s in a
// pod, else 0), closes its ports, waits at most EGK8S_DRAIN_TIMEOUT (30 s) for requests in flight, ends
// the connections that switched protocols and returns nil. A second signal ends it at once.
// Without an address the status and metrics listeners stay closed.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, err := newGateway(ctx, o)
	if err != nil {
		return err
	}
	if limit := limitMemory(g.env, cgroupFiles()...); limit > 0 {
		g.log.InfoContext(ctx, "memory limit set", "bytes", limit)
	}
	if err := g.openAccessLog(); err != nil {
		return err
	}
	defer g.access.close()
	if err := g.readLimits(); err != nil {
		return err
	}
	defer g.close()
	g.log.InfoContext(ctx, "configuration loaded", "folder", o.ConfigDir, "digest", g.Digest(), "version", version.Version)
	if err := g.listen(ctx); err != nil {
		return err
	}
	failed := make(chan error, len(g.listeners))
	g.serve(failed)
	g.serving.Store(true)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	g.watch(ctx, &watchers)
	watchers.Go(func() { g.conns.sweep(ctx) })
	watchers.Go(func() { paceCollector(ctx, g.env) })
	if o.Started != nil {
		o.Started(g)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return g.shutdown(nil) //nolint:contextcheck // what ends here must not end with ctx
	case s := <-o.Signals:
		g.log.InfoContext(ctx, "shutting down", "signal", s.String())
		return g.shutdown(o.Signals) //nolint:contextcheck // what ends here must not end with ctx
	}
}

// errHurry says that a second signal asked to end at once.
var errHurry = errors.New("ended at once by a second signal")

// shutdown ends politely; hurry, when it is not nil, can cut that short.
func (g *Gateway) shutdown(hurry <-chan os.Signal) error {
	g.draining.Store(true)
	delay, timeout := g.drainTimes()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-hurry:
			return errHurry
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), timeout, errDrainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.drain(ctx) }()
	select {
	case err := <-done:
		return err
	case <-hurry:
		return errHurry
	}
}

var errDrainTimeout = errors.New("requests were still in flight when the drain time was over")

// drain closes the ports of clients, waits for their requests, then closes the rest.
func (g *Gateway) drain(ctx context.Context) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var all error
	for _, l := range g.listeners {
		if !l.traffic {
			continue
		}
		group.Go(func() {
			if err := l.server.Shutdown(ctx); err != nil {
				mu.Lock()
				all = errors.Join(all, fmt.Errorf("drain %s: %w", l.name, context.Cause(ctx)))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if n := g.conns.drainTaken(ctx); n > 0 {
		g.log.Warn("connections cut that other protocols had taken over", "connections", n)
	}
	g.log.Info("drained", "in_flight", g.metrics.inFlight.Load())
	if errors.Is(all, errDrainTimeout) {
		g.log.Warn("requests cut", "error", all)
		return nil // the time was up, as configured
	}
	return all
}

// drainTimes returns how long to serve on and how long to wait: the environment's, the settings', the defaults.
func (g *Gateway) drainTimes() (delay, timeout time.Duration) {
	settings := g.Config().Settings.Drain
	delay, timeout = g.env.delay, g.env.drain
	if !g.env.hasDelay {
		delay = time.Duration(settings.Delay) * time.Second
		if delay == 0 && g.env.pod() {
			delay = 5 * time.Second
		}
	}
	if !g.env.hasDrain {
		timeout = cmp.Or(time.Duration(settings.Timeout)*time.Second, 30*time.Second)
	}
	return delay, timeout
}
