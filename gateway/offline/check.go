package offline

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/upstream"
)

// Check reads the folder as the gateway in the pod will, and reports all that it says. The error is only
// for what is not the user's fault; what is wrong with the files stands in Report.Problems.
func Check(dir string, opts Options) (*Report, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return &Report{Problems: diag.Problems{{
			Code: "missing-folder", Severity: diag.Error, Position: diag.Position{File: dir}, Message: "the config folder does not exist",
			Hint: "name the folder with gateway.config.yml in it as spec.config.dir of egk8s.yaml",
		}}}, nil
	case err != nil:
		return nil, fmt.Errorf("check config: %w", err)
	case !info.IsDir():
		return &Report{Problems: diag.Problems{{
			Code: "missing-folder", Severity: diag.Error, Position: diag.Position{File: dir}, Message: "is a file, not the config folder",
		}}}, nil
	}
	catalogue, err := policy.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("check config: %w", err)
	}
	cfg, problems := config.Inspect(dir, opts.load(catalogue))
	r := &Report{Problems: problems}
	r.describe(cfg)
	r.references(dir, cfg, opts)
	if opts.Pod {
		r.bindAddresses(cfg)
		r.localUpstreams(cfg)
		r.inlineSecrets(dir)
	}
	if !r.Problems.HasErrors() {
		r.compile(dir, cfg)
	}
	r.Problems.Sort()
	r.Problems = r.Problems.Compact()
	return r, nil
}

// load says how the files are read: as in the pod, with what is known of it here.
func (o Options) load(catalogue config.Catalogue) config.Options {
	settings := o.Settings
	settings.Listen = config.ListenAddresses{} // the ports of the file are asked for
	return config.Options{
		Lookup:       func(name string) (string, bool) { v, ok := o.Env[name]; return v, ok },
		Outside:      true,
		PodOnly:      func(name string) bool { return slices.Contains(o.PodOnly, name) },
		Unset:        func(name string) bool { return o.Complete && !ofContainer(name) },
		Catalogue:    catalogue,
		RequireBuilt: o.Pod,
		Settings:     &settings,
	}
}

// ofContainer tells whether Kubernetes, the image or egk8s sets a variable in every pod.
func ofContainer(name string) bool {
	return slices.Contains([]string{"HOSTNAME", "PATH", "HOME", "LOG_LEVEL", "GOMEMLIMIT", "GOGC", "EG_CONFIG_DIR"}, name) ||
		strings.HasPrefix(name, "KUBERNETES_") || strings.HasPrefix(name, "EGK8S_")
}

// describe fills in what the files say of listeners, policies and the store.
func (r *Report) describe(cfg *config.Config) {
	if cfg.HTTP != nil {
		r.HTTP = &Port{Host: cfg.HTTP.Host, Port: cfg.HTTP.Port}
	}
	if cfg.HTTPS != nil {
		r.HTTPS = &Port{Host: cfg.HTTPS.Host, Port: cfg.HTTPS.Port}
	}
	if cfg.Admin != nil {
		r.Admin = &Port{Host: cfg.Admin.Host, Port: cfg.Admin.Port}
	}
	for _, p := range cfg.Pipelines {
		for _, s := range p.Steps {
			r.Policies = append(r.Policies, s.Policy)
		}
	}
	slices.Sort(r.Policies)
	r.Policies = slices.Compact(r.Policies)
	r.TokensInMemory = slices.Contains(r.Policies, "oauth2") && cfg.System.OAuth2.JWT == nil && cfg.Settings.Store.Kind != config.StoreRedis
	if !cfg.System.RedisEmulate {
		r.RedisHost = cfg.System.RedisHost
	}
	r.Routes = routes(cfg)
	r.Services = slices.Sorted(maps.Keys(cfg.ServiceEndpoints))
	for _, name := range r.Services {
		for _, u := range cfg.ServiceEndpoints[name].URLs {
			r.Upstreams = append(r.Upstreams, Upstream{Name: name, URL: u.String(), Host: u.Hostname(), Authority: u.Host, Pos: cfg.ServiceEndpoints[name].Pos})
		}
	}
}

// bindAddresses warns of addresses that a pod does not keep.
func (r *Report) bindAddresses(cfg *config.Config) {
	warn := func(section string, l *config.Listener, instead string) {
		if l == nil || l.Host == "" {
			return
		}
		r.Problems = append(r.Problems, diag.Problem{
			Code: "bind-address", Severity: diag.Warning, Position: l.Pos,
			Message: section + " names an address to bind; in a pod the gateway listens " + instead, Label: "overridden in a pod",
		})
	}
	warn("http", cfg.HTTP, "on all interfaces, behind a Service")
	if cfg.HTTPS != nil {
		warn("https", &cfg.HTTPS.Listener, "on all interfaces, behind a Service")
	}
	if cfg.Admin != nil && cfg.Admin.Host != "localhost" && cfg.Admin.Host != "127.0.0.1" && cfg.Admin.Host != "::1" {
		warn("admin", cfg.Admin, "on loopback only, reached by port-forward")
	}
}

// compile finds what only building the pipelines finds; what depends on values that only the pod knows is left out.
func (r *Report) compile(dir string, cfg *config.Config) {
	env := &policy.Environment{
		Upstreams: upstream.NewPools().Draft(), Log: slog.New(slog.DiscardHandler),
		ReadFile: func(name string) ([]byte, error) { return readReference(dir, name) },
	}
	_, problems := pipeline.Compile(knownParts(cfg), env)
	for _, p := range problems {
		if !slices.ContainsFunc(r.Problems, func(q diag.Problem) bool { return q.Code == p.Code && q.Position == p.Position }) {
			r.Problems = append(r.Problems, p)
		}
	}
}
