package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
)

// ownRoutes has GET and POST /login, and POST /token, which fails in ways that the query names.
type ownRoutes struct{}

func (ownRoutes) Route(method, path string) func(context.Context, *message.Exchange) error {
	switch method + " " + path {
	case "GET /login", "POST /login":
		return func(_ context.Context, x *message.Exchange) error { x.Response.SendText(200, "own"); return nil }
	case "POST /token":
		return func(_ context.Context, x *message.Exchange) error {
			if strings.HasSuffix(x.Request.URL, "?mistake") {
				return &message.StatusError{Status: 413, Text: "Payload Too Large", Err: errors.New("long")}
			}
			return errors.New("broken")
		}
	default:
		return nil
	}
}

func TestOwnRoutes(t *testing.T) {
	t.Parallel()
	compileWith := func(policies ...string) *pipeline.Runtime {
		t.Helper()
		env := environment()
		env.OAuth2 = ownRoutes{}
		rt, problems := pipeline.Compile(&config.Config{
			Policies:     policies,
			APIEndpoints: []config.APIEndpoint{{Name: "api", Methods: []string{"GET", "PUT"}}},
			Pipelines:    []config.Pipeline{{Name: "main", APIEndpoints: []string{"api"}, Steps: []config.Step{terminate("endpoint")}}},
		}, env)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		return rt
	}
	rt := compileWith("terminate", "oauth2")
	for request, want := range map[string]answer{
		"GET /login":          {200, "own", ""},
		"POST /login":         {200, "own", ""},
		"PUT /login":          {200, "endpoint", ""},
		"GET /other":          {200, "endpoint", ""},
		"GET /token":          {200, "endpoint", ""},
		"POST /token?mistake": {413, "Payload Too Large", ""},
	} {
		method, url, _ := strings.Cut(request, " ")
		if diff := cmp.Diff(want, ask(t, rt, method, "a", url)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", request, diff)
		}
	}
	sink := &recorder{}
	x := &message.Exchange{Response: message.NewResponse(message.NewHeader(1), sink)}
	x.Request = message.Request{Method: "POST", URL: "/token", Header: message.NewHeader(0)}
	if err := rt.Serve(t.Context(), x); err == nil || sink.status != 500 {
		t.Errorf("a route that fails: %d, %v", sink.status, err)
	}
	if got := ask(t, compileWith("terminate"), "GET", "a", "/login"); got.Body != "endpoint" {
		t.Errorf("not listed: %+v", got)
	}
}

func TestOwnRoutesAnswerOPTIONS(t *testing.T) {
	t.Parallel()
	env := environment()
	env.OAuth2 = ownRoutes{}
	rt, problems := pipeline.Compile(&config.Config{Policies: []string{"oauth2"}}, env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]answer{
		"/login": {200, "GET,HEAD,POST", "GET,HEAD,POST"}, "/token": {200, "POST", "POST"}, "/x": {404, "Cannot OPTIONS /x", ""},
	} {
		if diff := cmp.Diff(want, ask(t, rt, "OPTIONS", "a", path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
