package policy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/upstream"
)

// recorder is a message.Sink that keeps what it gets.
type recorder struct {
	status int
	body   strings.Builder
}

func (r *recorder) WriteHead(status int)        { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
func (r *recorder) Flush() error                { return nil }
func (r *recorder) Trailer(string, []string)    {}

// result is what a policy did.
type result struct {
	Verdict message.Verdict
	Status  int
	Body    string
	Header  map[string]string // of the response
}

func exchange(method, url string, header map[string]string) (*message.Exchange, *recorder) {
	sink := &recorder{}
	x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink), Endpoint: &message.Endpoint{Name: "api"}}
	x.Request = message.Request{Method: method, URL: url, OriginalURL: url, Host: "front.test", Header: message.NewHeader(4)}
	for name, value := range header {
		x.Request.Header.Set(name, value)
	}
	return x, sink
}

func apply(t *testing.T, p policy.Policy, x *message.Exchange, sink *recorder) result {
	t.Helper()
	verdict, err := p.Apply(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	got := result{Verdict: verdict, Status: sink.status, Body: sink.body.String(), Header: map[string]string{}}
	for name, values := range x.Response.Header.All() {
		got.Header[name] = strings.Join(values, "|")
	}
	return got
}

func stepOf(name string, action map[string]any) config.Step {
	return config.Step{Policy: name, Action: action}
}

func build(t *testing.T, name string, action map[string]any, env *policy.Environment) policy.Policy {
	t.Helper()
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	env.Upstreams = upstream.NewPools().Draft()
	p, problems := policy.New(config.Step{Policy: name, Action: action}, env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// keys is a KeyAuthenticator with two keys, one of them with a colon in its secret.
type keys struct{ err error }

func (k keys) AuthenticateKey(_ context.Context, id, secret string) (*consumer.Consumer, *consumer.Credential, error) {
	if k.err != nil {
		return nil, nil, k.err
	}
	if id+" "+secret != "k s:1" && id+" "+secret != "p t" {
		return nil, nil, &consumer.UnauthorizedError{Reason: "test"}
	}
	return &consumer.Consumer{ID: "u1"}, &consumer.Credential{Scopes: []string{"read"}}, nil
}

func TestKeyAuth(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		action map[string]any
		url    string
		auth   string
		scopes []string
		want   int // 0: goes on
		as     string
	}{
		{name: "right key", auth: "apiKey k:s:1", as: "u1"},
		{name: "scheme in other case", auth: "APIKEY k:s:1", as: "u1"},
		{name: "last word counts", auth: "apiKey x k:s:1", as: "u1"},
		{name: "other scheme", auth: "Bearer k:s:1", want: 401},
		{name: "no scheme", auth: "k:s:1", want: 401},
		{name: "scheme not asked for", action: map[string]any{"disableHeadersScheme": true}, auth: "k:s:1", as: "u1"},
		{name: "scheme not asked for, but there", action: map[string]any{"disableHeadersScheme": true}, auth: "Foo k:s:1", as: "u1"},
		{name: "wrong secret", auth: "apiKey k:t", want: 401},
		{name: "no colon", auth: "apiKey k", want: 401},
		{name: "no secret", auth: "apiKey k:", want: 401},
		{name: "no id", auth: "apiKey :s:1", want: 401},
		{name: "more behind the secret", auth: "apiKey p:t:x", as: "u1"},
		{name: "less than the secret", auth: "apiKey k:s:2", want: 401},
		{name: "scheme alone hides the query", auth: "apiKey", url: "/?apiKey=k:s:1", want: 401},
		{name: "query twice", url: "/?apiKey=k:s:1&apiKey=k:s:1", want: 401},
		{name: "none", want: 401},
		{name: "query", url: "/?apiKey=k:s%3A1", as: "u1"},
		{name: "query after a wrong header", url: "/?apiKey=k:s:1", auth: "Bearer x", as: "u1"},
		{name: "query turned off", action: map[string]any{"disableQueryParam": true}, url: "/?apiKey=k:s:1", want: 401},
		{name: "header turned off", action: map[string]any{"disableHeaders": true}, auth: "apiKey k:s:1", want: 401},
		{name: "other field", action: map[string]any{"apiKeyField": "key"}, url: "/?key=k:s:1", as: "u1"},
		{name: "scopes suffice", auth: "apiKey k:s:1", scopes: []string{"read"}, as: "u1"},
		{name: "scopes do not", auth: "apiKey k:s:1", scopes: []string{"read", "write"}, want: 403},
		{name: "passThrough", action: map[string]any{"passThrough": true}, auth: "apiKey no:no", as: "anonymous"},
		{name: "passThrough with scopes", action: map[string]any{"passThrough": true}, auth: "apiKey k:s:1", scopes: []string{"x"}, as: "anonymous"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			action := map[string]any{"apiKeyHeader": "Authorization", "apiKeyHeaderScheme": "apiKey", "apiKeyField": "apiKey"}
			maps.Copy(action, tt.action)
			if tt.url == "" {
				tt.url = "/"
			}
			x, sink := exchange("GET", tt.url, map[string]string{"Authorization": tt.auth})
			x.Endpoint.Scopes = tt.scopes
			got := apply(t, build(t, "key-auth", action, &policy.Environment{Keys: keys{}}), x, sink)
			if got.Status != tt.want || (got.Verdict == message.Answered) != (tt.want != 0) {
				t.Errorf("got %+v, want %d", got, tt.want)
			}
			as := got.Header["Eg-Consumer-Id"]
			if x.Request.Consumer != nil {
				as = x.Request.Consumer.ID
			}
			if as != tt.as {
				t.Errorf("goes on as %q, want %q", as, tt.as)
			}
		})
	}
}

func TestKeyAuthNeverBlamesTheClientForTheStore(t *testing.T) {
	t.Parallel()
	for _, passThrough := range []bool{false, true} {
		action := map[string]any{"apiKeyHeader": "Authorization", "apiKeyHeaderScheme": "apiKey", "passThrough": passThrough}
		x, sink := exchange("GET", "/", map[string]string{"Authorization": "apiKey k:s:1"})
		got := apply(t, build(t, "key-auth", action, &policy.Environment{Keys: keys{err: errors.New("store down")}}), x, sink)
		if got.Status != 503 || got.Verdict != message.Answered {
			t.Errorf("passThrough %v: %+v, want 503", passThrough, got)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	methods := []any{"GET", "PUT"}
	preflight := map[string]string{"Origin": "http://a.test", "Access-Control-Request-Headers": "X-A"}
	tests := []struct {
		name   string
		action map[string]any
		method string
		header map[string]string
		want   result
	}{
		{
			"defaults",
			map[string]any{"origin": "*"},
			"GET", nil,
			result{Header: map[string]string{"Access-Control-Allow-Origin": "*"}},
		},
		{
			"preflight",
			map[string]any{"origin": "*", "methods": methods, "maxAge": float64(5), "optionsSuccessStatus": float64(204)},
			"OPTIONS", preflight,
			result{Verdict: message.Answered, Status: 204, Header: map[string]string{
				"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,PUT", "Access-Control-Allow-Headers": "X-A",
				"Vary": "Access-Control-Request-Headers", "Access-Control-Max-Age": "5", "Content-Length": "0",
			}},
		},
		{
			"a fixed origin whatever is asked",
			map[string]any{"origin": "http://b.test", "credentials": true, "exposedHeaders": []any{"X", "Y"}},
			"GET", preflight,
			result{Header: map[string]string{
				"Access-Control-Allow-Origin": "http://b.test", "Access-Control-Allow-Credentials": "true",
				"Access-Control-Expose-Headers": "X,Y", "Vary": "Origin",
			}},
		},
		{
			"a list reflects",
			map[string]any{"origin": []any{"http://a.test", "http://c.test"}},
			"GET", preflight,
			result{Header: map[string]string{"Access-Control-Allow-Origin": "http://a.test", "Vary": "Origin"}},
		},
		{
			"a list refuses",
			map[string]any{"origin": []any{"http://c.test"}},
			"GET", preflight,
			result{Header: map[string]string{"Vary": "Origin"}},
		},
		{
			"a regular expression",
			map[string]any{"origin": schema.Regexp{Source: `A\.test$`, Flags: "i"}},
			"GET", preflight,
			result{Header: map[string]string{"Access-Control-Allow-Origin": "http://a.test", "Vary": "Origin"}},
		},
		{"off", map[string]any{"origin": false}, "OPTIONS", preflight, result{Header: map[string]string{}}},
		{
			"goes on after a preflight",
			map[string]any{"origin": true, "preflightContinue": true, "allowedHeaders": "X-Z"},
			"OPTIONS", preflight,
			result{Header: map[string]string{
				"Access-Control-Allow-Origin": "http://a.test", "Vary": "Origin", "Access-Control-Allow-Headers": "X-Z",
			}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x, sink := exchange(tt.method, "/", tt.header)
			got := apply(t, build(t, "cors", tt.action, &policy.Environment{}), x, sink)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogWritesAndNeverStops(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	env := &policy.Environment{Log: slog.New(slog.NewTextHandler(&out, nil))}
	x, sink := exchange("GET", "/a", nil)
	for _, message := range []string{"saw ${req.method} ${req.url}", "${req.nothing.deep}"} {
		if got := apply(t, build(t, "log", map[string]any{"message": message}, env), x, sink); got.Verdict != 0 || got.Status != 0 {
			t.Errorf("%s: %+v", message, got)
		}
	}
	for _, want := range []string{`level=INFO msg="saw GET /a"`, `level=ERROR msg="failed to build log message"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &out)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	action := map[string]any{"headersPrefix": "x-", "forwardHeaders": map[string]any{"url": "req.url", "v": "'a\\r\\nInjected: 1'"}}
	x, sink := exchange("GET", "/a", nil)
	apply(t, build(t, "headers", action, &policy.Environment{}), x, sink)
	if got := x.Request.Header.Get("X-Url"); got != "/a" {
		t.Errorf("x-url is %q", got)
	}
	if got := x.Request.Header.Get("X-V"); strings.ContainsAny(got, "\r\n") {
		t.Errorf("a value ends its field: %q", got)
	}
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	x, sink := exchange("GET", "/a", nil)
	got := apply(t, build(t, "terminate", map[string]any{"statusCode": float64(410), "message": "gone"}, &policy.Environment{}), x, sink)
	want := result{message.Answered, 410, "gone", map[string]string{"Content-Type": "text/html; charset=utf-8", "Content-Length": "4"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCatalogueMarksWhatIsBuilt(t *testing.T) {
	t.Parallel()
	all, err := policy.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for name, built := range map[string]bool{"proxy": true, "key-auth": true, "jwt": true, "rewrite": true} {
		if entry, ok := all.Policies[name]; !ok || entry.Built != built {
			t.Errorf("%s: known %v, built %v", name, ok, entry.Built)
		}
	}
}
