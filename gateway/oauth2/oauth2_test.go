package oauth2_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/oauth2"
	"egk8s.dev/egk8s/gateway/store/memory"
)

const (
	callback = "http://cb.test/cb"
	secret   = "a secret of more than 16 characters"
)

// world is an authorization server with the user alice (password s3cret), and her applications app1 and app2
// (secret appsec) that have the scope read and redirect to callback.
type world struct {
	t              testing.TB
	server         *oauth2.Server
	consumers      *consumer.Service
	tokens         *consumer.Tokens
	now            time.Time
	alice          *consumer.Consumer
	app1, app2     *consumer.Consumer
	settings       config.OAuth2
	cookies        map[string]string
	cookie         string // the last Set-Cookie
	followsBrowser bool   // requests look like a browser's
}

type change func(*world)

func newTestWorld(tb testing.TB, changes ...change) *world {
	tb.Helper()
	w := &world{t: tb, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), cookies: map[string]string{}}
	w.settings = config.OAuth2{SessionSecrets: []string{secret}}
	for _, c := range changes {
		c(w)
	}
	var err error
	w.consumers, err = consumer.New(memory.New(), consumer.Options{BcryptCost: 4, Now: func() time.Time { return w.now }})
	w.must(err)
	w.tokens = consumer.NewTokens(w.consumers, memory.NewTokens(0), consumer.TokenLife{Access: 2 * time.Hour, Refresh: 3 * time.Hour})
	w.restart()
	ctx := tb.Context()
	w.must(w.consumers.CreateScopes(ctx, []string{"read", "write"}))
	w.alice, err = w.consumers.CreateUser(ctx, map[string]any{"username": "alice", "firstname": "Al<i>ce", "lastname": "L"})
	w.must(err)
	w.credential(w.alice.ID, consumer.TypeBasicAuth, map[string]any{"password": "s3cret"})
	for name, app := range map[string]**consumer.Consumer{"app1": &w.app1, "app2": &w.app2} {
		*app, err = w.consumers.CreateApplication(ctx, w.alice.ID, map[string]any{"name": name, "redirectUri": callback})
		w.must(err)
		w.credential((*app).ID, consumer.TypeOAuth2, map[string]any{"secret": "appsec", "scopes": []any{"read"}})
	}
	return w
}

// restart makes another server over the same store, as a second replica would be.
func (w *world) restart() {
	w.t.Helper()
	var err error
	w.server, err = oauth2.New(oauth2.Options{Consumers: w.consumers, Tokens: w.tokens, Settings: w.settings})
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) credential(owner string, t consumer.CredentialType, fields map[string]any) {
	w.t.Helper()
	_, _, err := w.consumers.CreateCredential(w.t.Context(), owner, consumer.NewCredential{Type: t, Fields: fields})
	w.must(err)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a *answer) WriteHead(status int)        { a.status = status }
func (a *answer) Write(p []byte) (int, error) { a.body += string(p); return len(p), nil }
func (a *answer) Flush() error                { return nil }
func (a *answer) Trailer(string, []string)    {}

func (a *answer) location() string { return a.header.Get("Location") }

func (a *answer) json(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%q: %v", a.body, err)
	}
	return out
}

// send sends a request with the cookies that came so far; header holds pairs of name and value.
func (w *world) send(method, target, body string, header ...string) *answer {
	w.t.Helper()
	a := &answer{header: http.Header{}}
	fields := http.Header{}
	for name, value := range w.cookies {
		fields.Add("Cookie", name+"="+value)
	}
	if body != "" {
		fields.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if w.followsBrowser {
		fields.Set("User-Agent", "Mozilla/5.0")
		fields.Set("Accept", "text/html,*/*;q=0.8")
		fields.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(header); i += 2 {
		fields.Set(header[i], header[i+1])
	}
	x := &message.Exchange{Response: message.NewResponse(message.HeaderOf(a.header), a)}
	x.Request = message.Request{
		Method: method, URL: target, OriginalURL: target, Host: "gw.test", Header: message.HeaderOf(fields),
		Body: strings.NewReader(body), ContentLength: int64(len(body)),
	}
	handle := w.server.Route(method, x.Request.Path())
	if handle == nil {
		w.t.Fatalf("%s %s: no route", method, target)
	}
	if err := handle(w.t.Context(), x); err != nil {
		a.status, a.body = 500, err.Error()
		if mistake, ok := err.(*message.StatusError); ok { //nolint:errorlint // as it comes
			a.status = mistake.Status
		}
	}
	for _, line := range a.header.Values("Set-Cookie") {
		w.cookie = line
		pair, _, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		if w.cookies[name] = value; value == "" {
			delete(w.cookies, name)
		}
	}
	return a
}

// form encodes pairs of name and value.
func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// login logs alice in.
func (w *world) login() {
	w.t.Helper()
	if a := w.send("POST", "/login", form("username", "alice", "password", "s3cret")); a.status != 302 || a.location() == "/login" {
		w.t.Fatalf("login: %d to %s", a.status, a.location())
	}
}

// authorize asks for a code or token of app1 and returns the page.
func (w *world) authorize(kind string, more ...string) *answer {
	w.t.Helper()
	pairs := append([]string{"response_type", kind, "client_id", w.app1.ID, "redirect_uri", callback, "state", "st 1&"}, more...)
	return w.send("GET", "/oauth2/authorize?"+form(pairs...), "")
}

// code gets a code for app1.
func (w *world) code(more ...string) string {
	w.t.Helper()
	w.login()
	page := w.authorize("code", more...)
	a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", page.header.Get("Transaction_id")))
	found := regexp.MustCompile(`^http://cb\.test/cb\?code=([0-9a-f]{32})&state=st%201%26$`).FindStringSubmatch(a.location())
	if a.status != 302 || found == nil {
		w.t.Fatalf("decision: %d to %q: %s", a.status, a.location(), a.body)
	}
	return found[1]
}

// token asks the token endpoint as app1.
func (w *world) token(pairs ...string) *answer {
	w.t.Helper()
	return w.send("POST", "/oauth2/token", form(pairs...), "Authorization", basic(w.app1.ID, "appsec"))
}

func basic(id, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(id, password)
	return r.Header.Get("Authorization")
}

func TestRoute(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	for request, want := range map[string]bool{
		"GET /login": true, "HEAD /login": true, "POST /login": true, "GET /LogIn/": true, "PUT /login": false, "OPTIONS /login": false,
		"GET /login/x": false, "GET /login//": false, "GET /log": false, "GET /": false, "GET ": false, "GET *": false,
		"GET /oauth2/authorize": true, "POST /oauth2/authorize": false, "POST /oauth2/authorize/decision": true,
		"GET /oauth2/authorize/decision": false, "POST /oauth2/token": true, "GET /oauth2/token": false, "GET /oauth2": false,
		"GET /logout": true, "GET /css/style.css": true, "GET /assets/eg-icon.svg": true, "GET /assets/": false,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := w.server.Route(method, path) != nil; got != want {
			t.Errorf("%s: %v, want %v", request, got, want)
		}
	}
}

func TestRouteAllocatesNothing(t *testing.T) {
	w := newTestWorld(t)
	if n := testing.AllocsPerRun(100, func() { w.server.Route("GET", "/api/orders"); w.server.Route("GET", "/login") }); n != 0 {
		t.Errorf("asking for a route allocates %v times", n)
	}
}

func BenchmarkRoute(b *testing.B) {
	service, err := consumer.New(memory.New(), consumer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	server, err := oauth2.New(oauth2.Options{Consumers: service, Tokens: consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{})})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if server.Route("GET", "/api/orders/12") != nil {
			b.Fatal("a route for an endpoint's path")
		}
	}
}
