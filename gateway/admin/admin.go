// Package admin is the Admin REST API: routes, statuses and bodies of Express Gateway 1.16.11.
//
// Where Express Gateway answers 500 to a mistake of the client, the same text comes with a 4xx
// status. There is no authentication, so the listener belongs on loopback; requests that a
// browser makes for another site are refused.
package admin

import (
	"context"
	"log/slog"
	"net/http"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
)

// Options are what the Admin API works on.
type Options struct {
	Consumers *consumer.Service
	Tokens    *consumer.Tokens
	// Config returns the configuration in force; it is asked once per request.
	Config func() *config.Config
	// Catalogue are the policies and conditions whose schemas are shown.
	Catalogue config.Catalogue
	// Writer changes the configuration; nil: it cannot be changed here.
	Writer ConfigWriter
	// ReadOnlyHint says where a config change belongs when Writer is nil.
	ReadOnlyHint string
	Logger       *slog.Logger // nil: slog.Default
}

// ConfigWriter changes gateway.config.yml. Its changes are validated and serialised.
type ConfigWriter interface {
	// Set puts value under name in a section and tells whether it was new there.
	// A value that breaks the config gives an *InvalidConfigError.
	Set(ctx context.Context, s Section, name string, value any) (created bool, err error)
	// Delete removes name from a section; an unknown name is no error.
	Delete(ctx context.Context, s Section, name string) error
}

// Section is a part of gateway.config.yml that the Admin API reads and writes.
type Section string

// The sections.
const (
	APIEndpoints     Section = "apiEndpoints"
	ServiceEndpoints Section = "serviceEndpoints"
	Pipelines        Section = "pipelines"
	Policies         Section = "policies"
)

// InvalidConfigError refuses a config change; the Admin API answers 422 with its message.
type InvalidConfigError struct{ Message string }

// Error returns the message.
func (e *InvalidConfigError) Error() string { return e.Message }

// New returns the handler of the Admin API.
func New(opts Options) http.Handler {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.ReadOnlyHint == "" {
		opts.ReadOnlyHint = "change gateway.config.yml and deploy it"
	}
	a := &api{Options: opts, foreign: http.NewCrossOriginProtection()}
	a.routes = append(a.routes, a.userRoutes()...)
	a.routes = append(a.routes, a.applicationRoutes()...)
	a.routes = append(a.routes, a.scopeRoutes()...)
	a.routes = append(a.routes, a.credentialRoutes()...)
	a.routes = append(a.routes, a.configRoutes()...)
	a.routes = append(a.routes, a.schemaRoutes()...)
	return a
}

type api struct {
	Options
	routes  []route
	foreign *http.CrossOriginProtection
}

// ServeHTTP answers one request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.Logger.DebugContext(r.Context(), "admin request", "method", r.Method, "path", r.URL.Path)
	if err := a.foreign.Check(r); err != nil {
		text(w, http.StatusForbidden, "the Admin API answers no browser page of another site")
		return
	}
	handle, params, err := a.find(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if handle == nil {
		cannot(w, r)
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply, err := handle(call{Context: r.Context(), params: params, query: r.URL.Query(), body: body})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply.write(w, a.Logger)
}
