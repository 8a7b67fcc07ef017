// Package oauth2 is the OAuth 2.0 authorization server of Express Gateway: login, consent, and the endpoint for
// tokens (RFC 6749); with PKCE (RFC 7636), revocation (RFC 7009) and introspection (RFC 7662), which Express Gateway
// does not have.
//
// A session lives in a sealed cookie and a pending consent in a sealed form field, so that any replica that
// knows the same session secret goes on with it. Tokens and codes live in the store.
package oauth2

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"os"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
)

// Options are what a Server works on.
type Options struct {
	Consumers *consumer.Service
	Tokens    *consumer.Tokens
	Settings  config.OAuth2
	Log       *slog.Logger // nil: nothing is logged
}

// Server answers the routes of the authorization server. It is safe for concurrent use.
type Server struct {
	consumers *consumer.Service
	tokens    *consumer.Tokens
	settings  config.OAuth2
	log       *slog.Logger

	cookie       string // its name
	sessions     *sealer
	transactions *sealer
	verifier     *jwt.Verifier // of what signer signs; nil: it cannot be told
	signer       *jwt.Signer   // of JWT access tokens; nil: opaque ones, or see broken
	broken       string        // why no JWT can be signed
	warnings     []string
	pages        *template.Template
	routes       map[string]route
	grants       map[string]exchanger
}

// Handler answers an exchange.
type Handler = func(ctx context.Context, x *message.Exchange) error

// route is what answers a path, by method.
type route struct{ get, post Handler }

// New returns a server. Keys that cannot be used are no error: EG starts too, and refuses every token request.
func New(o Options) (*Server, error) {
	s := &Server{
		consumers: o.Consumers, tokens: o.Tokens, settings: o.Settings, log: o.Log,
		cookie: cmp.Or(cookieName(o.Settings.SessionCookie), "egk8s.sid"),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if err := s.openSessions(o.Settings.SessionSecrets); err != nil {
		return nil, err
	}
	if o.Settings.JWT != nil {
		s.openSigner(o.Settings.JWT)
	}
	s.routes = map[string]route{
		"/login":                     {get: s.guard(s.loginForm), post: s.guard(s.login)},
		"/logout":                    {get: s.guard(s.logout)},
		"/oauth2/authorize":          {get: s.guard(s.authorize)},
		"/oauth2/authorize/decision": {post: s.guard(s.decide)},
		"/oauth2/token":              {post: s.guard(s.token)},
		"/oauth2/revoke":             {post: s.forClients(s.revoke)},
		"/oauth2/introspect":         {post: s.forClients(s.introspect)},
		"/css/style.css":             {get: file("text/css; charset=utf-8", style)},
		"/assets/eg-icon.svg":        {get: file("image/svg+xml", icon)},
	}
	s.grants = map[string]exchanger{
		"client_credentials": s.clientCredentials,
		"password":           s.password,
		"authorization_code": s.authorizationCode,
		"refresh_token":      s.refreshToken,
	}
	return s, nil
}

// longestPath is longer than no path of ours but for a slash behind it.
const longestPath = len("/oauth2/authorize/decision/")

// Route returns what answers a request, or nil when it is none for the authorization server.
// EG: paths without regard to case and with one trailing slash; HEAD takes the route of GET; any other method
// is left to the endpoints.
func (s *Server) Route(method, path string) Handler {
	if len(path) < 2 || len(path) > longestPath {
		return nil
	}
	switch path[1] | 0x20 { // most requests end here
	case 'a', 'c', 'l', 'o':
	default:
		return nil
	}
	r, ok := s.routes[strings.ToLower(strings.TrimSuffix(path, "/"))]
	switch {
	case !ok:
		return nil
	case method == "GET" || method == "HEAD":
		return r.get
	case method == "POST":
		return r.post
	default:
		return nil
	}
}

// openSigner prepares to sign access tokens.
func (s *Server) openSigner(t *config.JWTTokens) {
	key := []byte(t.Secret)
	if t.SecretFile != "" {
		var err error
		if key, err = os.ReadFile(t.SecretFile); err != nil {
			s.broken = "the file of secretOrPrivateKeyFile cannot be read"
			s.warn("access tokens cannot be signed: %v", err)
			return
		}
	}
	switch { // EG: the texts of jsonwebtoken
	case len(key) == 0:
		s.broken = "secretOrPrivateKey must have a value"
	case t.Issuer == "":
		s.broken = `"issuer" must be a string`
	case len(t.Audience) == 0:
		s.broken = `"audience" must be a string or array`
	case t.Subject == "":
		s.broken = `"subject" must be a string`
	}
	if s.broken == "" {
		var err error
		if s.signer, err = jwt.NewSigner(key, t.Algorithm); err == nil {
			s.verifier = verifierOf(key, t.Algorithm, t.Issuer)
			return
		}
		s.broken = "the key of accessTokens cannot sign"
		s.warn("access tokens cannot be signed: %v", err)
		return
	}
	s.warn("access tokens cannot be signed: %s", s.broken)
}

func (s *Server) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

// Warnings are what will not work as the settings stand.
func (s *Server) Warnings() []string { return s.warnings }

func (s *Server) now() time.Time { return s.tokens.Now() }
