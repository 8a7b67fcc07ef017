package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
)

func TestServeAnswersMistakesOfClients(t *testing.T) {
	t.Parallel()
	checked := terminate("valid")
	checked.Condition = &config.Condition{Name: "json-schema", Params: map[string]any{
		"schema": map[string]any{"$id": "http://a.test/s.json", "required": []any{"n"}}, "logErrors": false,
	}}
	rt := compile(t, &config.Config{
		APIEndpoints: []config.APIEndpoint{{Name: "api", Host: "*", Paths: []string{"/"}}},
		Pipelines:    []config.Pipeline{{Name: "p", APIEndpoints: []string{"api"}, Steps: []config.Step{checked, terminate("behind")}}},
	})
	for body, want := range map[string]answer{
		`{"n":1}`: {Status: 200, Body: "valid"},
		`{}`:      {Status: 200, Body: "behind"},
		`{bad`:    {Status: 400, Body: "Bad Request"},
		`{"n":"` + strings.Repeat("x", message.MaxBody) + `"}`: {Status: 413, Body: "Payload Too Large"},
	} {
		sink := &recorder{}
		x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink)}
		x.Request = message.Request{Method: "POST", URL: "/", Header: message.NewHeader(1), Body: strings.NewReader(body), ContentLength: -1}
		x.Request.Header.Set("Content-Type", "application/json")
		if err := rt.Serve(context.Background(), x); err != nil {
			t.Errorf("%.20s: a mistake of the client is an error of the gateway: %v", body, err)
		}
		if sink.status != want.Status || !strings.Contains(sink.body.String(), want.Body) {
			t.Errorf("%.20s: %d %s, want %d %s", body, sink.status, &sink.body, want.Status, want.Body)
		}
	}
}

// wrap is a message.Filter.
type wrap struct{}

func (wrap) Wants(*message.Response, int) bool { return true }
func (wrap) TooLarge()                         {}
func (wrap) Change(body []byte) ([]byte, bool) { return append([]byte("changed "), body...), true }

func TestServeFinishesTheAnswer(t *testing.T) {
	t.Parallel()
	rt := compile(t, &config.Config{
		APIEndpoints: []config.APIEndpoint{{Name: "api", Host: "*", Paths: []string{"/"}}},
		Pipelines:    []config.Pipeline{{Name: "p", APIEndpoints: []string{"api"}, Steps: []config.Step{terminate("{}")}}},
	})
	sink := &recorder{}
	x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink)}
	x.Request = message.Request{Method: "GET", URL: "/", Header: message.NewHeader(1)}
	x.Response.AddFilter(wrap{})
	x.Response.FromUpstream()
	if err := rt.Serve(context.Background(), x); err != nil || sink.body.String() != "changed {}" {
		t.Errorf("%q, error %v", &sink.body, err)
	}
}
