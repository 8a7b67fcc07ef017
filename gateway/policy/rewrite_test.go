package policy_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// rewriteStep makes a rewrite step with one of its conditions; it does not run the condition.
func rewriteStep(name, match string, action map[string]any) config.Step {
	return config.Step{
		Policy: "rewrite", Action: action,
		Condition: &config.Condition{Name: name, Params: map[string]any{"match": match}},
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, condition, match, rewrite, url string
		want                                 string // empty: the condition does not hold
	}{
		{"parameters", "pathmatch", "/u/:id", "/user?id=:id", "/u/7", "/user?id=7"},
		{"the query is part of what matches", "pathmatch", "/u/:id", "/user?id=:id", "/u/7?x=1", "/user?id=7?x=1"},
		{"no match", "pathmatch", "/u/:id", "/user?id=:id", "/v/7", ""},
		{"groups", "regexpmatch", "^/svc/(.*)$", "/$1", "/svc/a?x=1", "/a?x=1"},
		{"a part of the URL", "regexpmatch", "/gateway", "", "/gateway/a", "/a"},
		{"no find", "regexpmatch", "^/svc/(.*)$", "/$1", "/a", ""},
		{"a replacement that is no template", "regexpmatch", "^/a", "/(", "/a", "/("},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			step := rewriteStep(tt.condition, tt.match, map[string]any{"rewrite": tt.rewrite})
			p, problems := policy.New(step, &policy.Environment{})
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			c, problems := condition.New(step.Condition, &condition.Environment{})
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			x, _ := exchange("GET", tt.url, nil)
			holds, err := c.Holds(x)
			if err != nil || holds != (tt.want != "") {
				t.Fatalf("the condition holds: %v, error %v", holds, err)
			}
			if !holds {
				return
			}
			verdict, err := p.Apply(context.Background(), x)
			if err != nil || verdict != message.Continue || x.Request.URL != tt.want || x.Request.OriginalURL != tt.url {
				t.Errorf("URL %q, verdict %v, error %v; want %q", x.Request.URL, verdict, err, tt.want)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, rewrite, accept string
		want                  result
	}{
		{"for a program", "/status/:code", "*/*", result{message.Answered, 302, "Found. Redirecting to /status/7", map[string]string{
			"Location": "/status/7", "Vary": "Accept", "Content-Type": "text/plain; charset=utf-8", "Content-Length": "31",
		}}},
		{"for a browser", "https://o.test/?<a>&c=:code", "text/html", result{
			message.Answered, 302, "<p>Found. Redirecting to https://o.test/?%3Ca%3E&amp;c=7</p>", map[string]string{
				"Location": "https://o.test/?%3Ca%3E&c=7", "Vary": "Accept", "Content-Type": "text/html; charset=utf-8", "Content-Length": "60",
			},
		}},
		{"for others", "/:code", "image/png", result{message.Answered, 302, "", map[string]string{
			"Location": "/7", "Vary": "Accept", "Content-Length": "0",
		}}},
		{"a blank", "/a%20:code%0d%0aX: 1", "image/png", result{message.Answered, 302, "", map[string]string{
			"Location": "/a%207%0D%0AX:%201", "Vary": "Accept", "Content-Length": "0",
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, problems := policy.New(rewriteStep("pathmatch", "/:code", map[string]any{"rewrite": tt.rewrite, "redirect": 302.0}), &policy.Environment{})
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			x, sink := exchange("GET", "/7", map[string]string{"Accept": tt.accept})
			x.Match = &message.Match{Params: map[string]string{"code": "7"}}
			if diff := cmp.Diff(tt.want, apply(t, p, x, sink)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRewriteFails(t *testing.T) {
	t.Parallel()
	for name, match := range map[string]*message.Match{
		"nothing matched":         nil,
		"a parameter is missing":  {Params: map[string]string{}},
		"a line end in the URL":   {Params: map[string]string{"a": "1"}},
		"a parameter of no shape": {Params: map[string]string{"a": "x"}},
	} {
		p, problems := policy.New(rewriteStep("pathmatch", "/:a", map[string]any{"rewrite": "/%0d%0a:a(\\d+)"}), &policy.Environment{})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		x, _ := exchange("GET", "/7", nil)
		x.Match = match
		if _, err := p.Apply(context.Background(), x); err == nil {
			t.Errorf("%s: the URL is %q", name, x.Request.URL)
		}
	}
}

func TestRewriteProblems(t *testing.T) {
	t.Parallel()
	broken := rewriteStep("pathmatch", "/:a", map[string]any{"rewrite": "/:a(?=b)"})
	nested := broken
	nested.Condition = &config.Condition{Name: "not", Nested: []config.Condition{*broken.Condition}}
	status := rewriteStep("pathmatch", "/:a", map[string]any{"rewrite": "/", "redirect": 20.0})
	for name, step := range map[string]config.Step{"broken": broken, "nested": nested, "status": status} {
		if p, problems := policy.New(step, &policy.Environment{}); p != nil || !problems.HasErrors() {
			t.Errorf("%s: compiled, with %v", name, problems)
		}
	}
	p, problems := policy.New(stepOf("rewrite", map[string]any{"rewrite": "/"}), &policy.Environment{})
	if p == nil || problems.HasErrors() || len(problems) != 1 {
		t.Errorf("without a condition: %v", problems)
	}
}

func TestProxySendsAPathWhateverTheURLBecame(t *testing.T) {
	t.Parallel()
	one, saw := backend(t)
	p := build(t, "proxy", map[string]any{"serviceEndpoint": "s"}, &policy.Environment{
		Services: map[string]config.ServiceEndpoint{"s": {Name: "s", URLs: []*url.URL{one}}},
	})
	x, sink := exchange("GET", "/a", nil)
	x.Request.URL = "x.test:80/b"
	if got := apply(t, p, x, sink); got.Status != 200 || saw.Target != "/x.test:80/b" {
		t.Errorf("status %d, the service saw %q", got.Status, saw.Target)
	}
}
