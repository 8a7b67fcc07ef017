package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

// watch follows the files that may change while the gateway serves, until ctx ends.
//
// Standalone that is the configuration; in a pod a changed configuration is a new pod. Consumers are
// followed in both.
func (g *Gateway) watch(ctx context.Context, group *sync.WaitGroup) {
	if g.consumers.watch != nil {
		group.Go(func() {
			if err := g.consumers.watch(ctx); err != nil && !errors.Is(err, context.Canceled) {
				g.log.ErrorContext(ctx, "watch consumers", "error", err)
			}
		})
	}
	if g.shared != nil {
		group.Go(func() { g.shared.Run(ctx) })
	}
	if g.certificates != nil {
		group.Go(func() { g.watchCertificates(ctx) })
	}
	if !g.env.pod() && !g.env.noWatch {
		group.Go(func() { g.watchConfig(ctx) })
	}
}

// watchCertificates reads the pairs again at an interval: rotation needs no restart.
func (g *Gateway) watchCertificates(ctx context.Context) {
	ticker := time.NewTicker(cmp.Or(g.opts.Poll, 10*time.Second))
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		names, err := g.certificates.reload()
		if len(names) > 0 {
			g.log.InfoContext(ctx, "certificates replaced", "names", names)
		}
		now := fmt.Sprint(err)
		if err != nil && now != last {
			g.log.ErrorContext(ctx, "certificates not replaced", "error", err)
		}
		last = now
	}
}

// watchConfig looks at the files at an interval: it sees writes, renames and swapped links alike, on every
// file system. A change counts once the files look the same twice, since their writer may not be done.
func (g *Gateway) watchConfig(ctx context.Context) {
	ticker := time.NewTicker(cmp.Or(g.opts.Poll, 500*time.Millisecond))
	defer ticker.Stop()
	loaded := g.loaded
	pending := loaded
	for {
		var written chan struct{}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case written = <-g.written:
		}
		now := g.fingerprint()
		if written != nil {
			if loaded != now {
				g.reload(ctx)
			}
			loaded, pending = now, now
			close(written)
			continue
		}
		settled := now == pending
		pending = now
		if now == loaded || !settled {
			continue
		}
		loaded = now
		g.reload(ctx)
	}
}

// takeOver makes a change of the files that is complete count before it returns, so that a read after a write
// shows it. Where the files are not watched it does nothing.
func (g *Gateway) takeOver(ctx context.Context) {
	if g.env.noWatch {
		return
	}
	done := make(chan struct{})
	select {
	case g.written <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// fingerprint is the content of the watched files.
func (g *Gateway) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	for _, name := range []string{
		"egk8s.manifest", "egk8s.settings.json", "gateway.config.yml", "gateway.config.json",
		"system.config.yml", "system.config.json", "models/users.json", "models/applications.json", "models/credentials.json",
	} {
		text, err := os.ReadFile(filepath.Join(g.opts.ConfigDir, name))
		if err == nil {
			sum := sha256.Sum256(text)
			h.Write([]byte(name))
			h.Write(sum[:])
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// reload takes the files over, or keeps what serves and says what is wrong.
// EG: ports, TLS and the admin section stay as they were at start.
func (g *Gateway) reload(ctx context.Context) {
	var cfg *config.Config
	var problems diag.Problems
	files, err := openFiles(g.opts.ConfigDir)
	if !errors.As(err, &problems) {
		cfg, problems = g.load(files)
	}
	if cfg != nil {
		problems = append(problems, g.replace(ctx, cfg, files)...)
	}
	if !problems.HasErrors() {
		g.log.InfoContext(ctx, "configuration reloaded")
		return
	}
	g.mu.Lock()
	g.problems = problems
	g.mu.Unlock()
	for _, p := range problems {
		g.log.ErrorContext(ctx, "configuration not reloaded: "+p.String(), "code", p.Code)
	}
}

// replace puts cfg and the models beside it in force, or neither. Consumers of a file that does not follow the
// models any more are served on as they were; the status says so.
func (g *Gateway) replace(ctx context.Context, cfg *config.Config, files config.FileReader) diag.Problems {
	fail := func(err error) diag.Problems {
		return diag.Problems{{Code: "models", Severity: diag.Error, Position: diag.Position{File: "models"}, Message: err.Error()}}
	}
	models, err := readModels(files)
	if err != nil {
		return fail(err)
	}
	problems := g.apply(cfg) //nolint:contextcheck // look-ups of names outlive this reload
	if problems.HasErrors() {
		return problems
	}
	if err := g.consumers.follow(ctx, models); err != nil {
		return append(problems, fail(err)...)
	}
	return problems
}
