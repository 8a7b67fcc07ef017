package pipeline_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
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

type answer struct {
	Status int
	Body   string
	Allow  string
}

func ask(t *testing.T, rt *pipeline.Runtime, method, host, url string) answer {
	t.Helper()
	sink := &recorder{}
	x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink)}
	x.Request = message.Request{Method: method, URL: url, OriginalURL: url, Host: host, Header: message.NewHeader(4)}
	if err := rt.Serve(context.Background(), x); err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	body := sink.body.String()
	if _, inner, ok := strings.Cut(body, "<pre>"); ok {
		body, _, _ = strings.Cut(inner, "</pre>")
	}
	return answer{Status: sink.status, Body: body, Allow: x.Response.Header.Get("Allow")}
}

func compile(t *testing.T, cfg *config.Config) *pipeline.Runtime {
	t.Helper()
	rt, problems := pipeline.Compile(cfg, environment())
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return rt
}

func environment() *policy.Environment {
	return &policy.Environment{Upstreams: upstream.NewPools().Draft(), Log: slog.New(slog.DiscardHandler)}
}

func terminate(text string) config.Step {
	return config.Step{Policy: "terminate", Action: map[string]any{"statusCode": float64(200), "message": text}}
}

func never(s config.Step) config.Step {
	s.Condition = &config.Condition{Name: "never"}
	return s
}

func TestServe(t *testing.T) {
	t.Parallel()
	rt := compile(t, &config.Config{
		APIEndpoints: []config.APIEndpoint{
			{Name: "late", Host: "*", Paths: []string{"/through/*"}},
			{Name: "first", Host: "a.test", Paths: []string{"/a"}},
			{Name: "second", Host: "*", Paths: []string{"/a", "/through/x"}},
			{Name: "get", Host: "*", Paths: []string{"/get"}, Methods: []string{"GET"}},
			{Name: "put", Host: "*", Paths: []string{"/get"}, Methods: []string{"PUT"}},
			{Name: "bare", Host: "*", Paths: []string{"/bare"}},
			{Name: "user", Host: "*", Paths: []string{"/u/:id"}},
			{Name: "own", Host: "own.test", Paths: []string{"/own"}},
		},
		Pipelines: []config.Pipeline{
			{Name: "p0", APIEndpoints: []string{"second"}, Steps: []config.Step{terminate("loser")}},
			{Name: "p1", APIEndpoints: []string{"late"}, Steps: []config.Step{never(terminate("never"))}},
			{Name: "p2", APIEndpoints: []string{"first"}, Steps: []config.Step{terminate("first")}},
			{Name: "p3", APIEndpoints: []string{"second", "ghost"}, Steps: []config.Step{terminate("second")}},
			{Name: "p4", APIEndpoints: []string{"get", "put", "user"}, Steps: []config.Step{terminate("method")}},
			{Name: "p5", APIEndpoints: []string{"own"}, Steps: []config.Step{terminate("own")}},
		},
	})
	tests := []struct {
		name, method, host, url string
		want                    answer
	}{
		{"a later endpoint of an earlier host comes first", "GET", "a.test", "/a", answer{Status: 200, Body: "second"}},
		{"a pipeline that does not answer falls through", "GET", "h", "/through/x", answer{Status: 200, Body: "second"}},
		{"and ends in a 404", "GET", "h", "/through/y", answer{Status: 404, Body: "Cannot GET /through/y"}},
		{"no match", "POST", "h", "/none?x=<1>", answer{Status: 404, Body: "Cannot POST /none"}},
		{"GET implies HEAD", "HEAD", "h", "/get", answer{Status: 200, Body: "method"}},
		{"other methods do not match", "DELETE", "h", "/get", answer{Status: 404, Body: "Cannot DELETE /get"}},
		{"OPTIONS is answered by the router", "OPTIONS", "h", "/get", answer{200, "GET,HEAD,PUT", "GET,HEAD,PUT"}},
		{"an endpoint without pipeline", "GET", "h", "/bare", answer{Status: 404, Body: "Not Found"}},
		{"a malformed escape in a parameter", "GET", "h", "/u/%ff", answer{Status: 400, Body: "Bad Request"}},
		{"a host's own group", "GET", "own.test:80", "/own/?q", answer{Status: 200, Body: "own"}},
		{"and not for others", "GET", "h", "/own", answer{Status: 404, Body: "Cannot GET /own"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, ask(t, rt, tt.method, tt.host, tt.url)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileReportsEverythingOnce(t *testing.T) {
	t.Parallel()
	at := func(line int) diag.Position { return diag.Position{File: "gateway.config.yml", Line: line, Column: 5} }
	_, problems := pipeline.Compile(&config.Config{
		APIEndpoints: []config.APIEndpoint{{Name: "bad", Paths: []string{"/a(?=b)"}, Pos: at(1)}},
		Pipelines: []config.Pipeline{{Name: "p", Steps: []config.Step{
			{Policy: "saml", Pos: at(20)},
			{Policy: "saml", Pos: at(30)},
			{Policy: "log", Pos: at(40), Action: map[string]any{"message": "${req.body.}"}},
			{Policy: "proxy", Pos: at(50), Action: map[string]any{"serviceEndpoint": "gone"}},
		}}},
	}, environment())
	want := strings.Join([]string{
		`gateway.config.yml:1:5: apiEndpoint "bad": path: compile /^/a(?=b)/?$/: look-ahead, look-behind and back-references are not supported`,
		`gateway.config.yml:20:5: this gateway cannot run the policy "saml" yet`,
		`gateway.config.yml:40:5: policy "log": message: Unexpected token } (line 1, column 13 of the expression)`,
		`gateway.config.yml:50:5: policy "proxy": serviceEndpoint "gone" is not declared`,
	}, "\n")
	if diff := cmp.Diff(want, problems.Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
