package policy_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// recorderSink writes an answer into a recorder.
type recorderSink struct{ *httptest.ResponseRecorder }

func (s recorderSink) WriteHead(status int)     { s.WriteHeader(status) }
func (s recorderSink) Flush() error             { return nil }
func (s recorderSink) Trailer(string, []string) {}

// TestExpression: code changes the request, answers it, or ends it by throwing; compiled and interpreted.
func TestExpression(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url     string
		status  int
		verdict message.Verdict
		fails   bool
	}{
		`req.url = '/b'`:                                {url: "/b"},
		`const f = () => '/c'; req.url = f()`:           {url: "/c"},
		`req.url = '/a b\r\nX: y'`:                      {url: "/abX:y"},
		`res.status(403).send('no')`:                    {url: "/a", status: 403, verdict: message.Answered},
		`req.a.b.c`:                                     {url: "/a", fails: true},
		`(() => { throw new Error('x') })()`:            {url: "/a", fails: true},
		`this is no JavaScript`:                         {url: "/a", fails: true},
		`for(;;);`:                                      {url: "/a", fails: true},
		`egContext.x = [1]; x.push(2); req.url += x[1]`: {url: "/a2"},
	}
	for code, want := range tests {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			p, problems := policy.New(config.Step{Policy: "expression", Action: map[string]any{"jscode": code}}, &policy.Environment{})
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			rec := httptest.NewRecorder()
			x := &message.Exchange{Request: message.Request{Method: http.MethodGet, URL: "/a", Header: message.NewHeader(0)}}
			x.Response = message.NewResponse(message.HeaderOf(rec.Header()), recorderSink{rec})
			verdict, err := p.Apply(context.Background(), x)
			if (err != nil) != want.fails || verdict != want.verdict || x.Request.URL != want.url || x.Response.Status() != want.status {
				t.Errorf("verdict %v, error %v, url %q, status %d; want %+v", verdict, err, x.Request.URL, x.Response.Status(), want)
			}
		})
	}
}
