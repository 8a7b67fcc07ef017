// Package admin is the Admin REST API: routes, statuses and bodies of Express Gateway 1.16.11.
//
// Where Express Gateway answers 500 to a mistake of the client, the same text comes with a 4xx
// status. Without tokens there is no authentication, so the listener belongs on loopback; requests that a
// browser makes for another site are refused.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"

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
	// BearerTokens are those that may use it; none: everybody may who reaches it.
	BearerTokens []string
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
	a := &api{Options: opts, foreign: http.NewCrossOriginProtection(), tokens: newTokens(opts.BearerTokens)}
	a.routes = append(a.routes, a.userRoutes()...)
	a.routes = append(a.routes, a.applicationRoutes()...)
	a.routes = append(a.routes, a.scopeRoutes()...)
	a.routes = append(a.routes, a.credentialRoutes()...)
	a.routes = append(a.routes, a.configRoutes()...)
	a.routes = append(a.routes, a.schemaRoutes()...)
	a.routes = append(a.routes, a.describeRoutes())
	return a
}

type api struct {
	Options
	routes  []route
	foreign *http.CrossOriginProtection
	tokens  tokens
	changes sync.Mutex // held by who changes the configuration
}

// ServeHTTP answers one request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, ok := a.tokens.who(r)
	if !ok {
		unauthorized(w)
		return
	}
	if err := a.foreign.Check(r); err != nil {
		text(w, http.StatusForbidden, "the Admin API answers no browser page of another site")
		return
	}
	route, params, err := a.find(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if route == nil {
		cannot(w, r)
		return
	}
	a.Logger.DebugContext(r.Context(), "admin request", "method", r.Method, "route", "/"+strings.Join(route.parts, "/"))
	if !changes(r.Method) {
		a.answer(w, r, *route, params, nil)
		return
	}
	rec := &recorder{ResponseWriter: w}
	body, err := readBody(rec, r)
	if err != nil {
		a.fail(rec, r, err)
	} else {
		a.answer(rec, r, *route, params, body)
	}
	a.audit(r, who, *route, params, body, rec.status)
}

// answer runs a route.
func (a *api) answer(w http.ResponseWriter, r *http.Request, route route, params map[string]string, body map[string]any) {
	reply, err := route.handle(call{
		Context: a.guarded(r, route, params), params: params, query: r.URL.Query(), body: body, ifMatch: r.Header.Get("If-Match"),
	})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply.write(w, r, a.Logger)
}
