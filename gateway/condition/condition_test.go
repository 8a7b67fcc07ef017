package condition_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

func named(name string, params map[string]any, nested ...config.Condition) config.Condition {
	return config.Condition{Name: name, Params: params, Nested: nested}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	plain := message.Request{Method: "GET", URL: "/a/b?x=1", Host: "shop.test:8080"}
	known := plain
	known.Consumer = &consumer.Consumer{ID: "1"}
	known.TLS = &message.TLS{ClientVerified: true}
	yes, no := named("always", nil), named("never", nil)
	tests := []struct {
		name string
		c    config.Condition
		req  message.Request
		want bool
	}{
		{"always", yes, plain, true},
		{"never", no, plain, false},
		{"allOf of none", named("allOf", nil), plain, true},
		{"allOf", named("allOf", nil, yes, no), plain, false},
		{"oneOf of none", named("oneOf", nil), plain, false},
		{"oneOf", named("oneOf", nil, no, yes), plain, true},
		{"not", named("not", nil, no), plain, true},
		{"nested", named("not", nil, named("allOf", nil, yes, named("oneOf", nil, no))), plain, true},
		{"pathExact sees the query", named("pathExact", map[string]any{"path": "/a/b"}), plain, false},
		{"pathExact", named("pathExact", map[string]any{"path": "/a/b?x=1"}), plain, true},
		{"pathMatch is searched", named("pathMatch", map[string]any{"pattern": `b\?x=\d`}), plain, true},
		{"pathMatch minds case", named("pathMatch", map[string]any{"pattern": "^/A"}), plain, false},
		{"method of one", named("method", map[string]any{"methods": "GET"}), plain, true},
		{"method of a list", named("method", map[string]any{"methods": []any{"PUT", "POST"}}), plain, false},
		{"hostMatch sees the port", named("hostMatch", map[string]any{"pattern": "*.test"}), plain, false},
		{"hostMatch", named("hostMatch", map[string]any{"pattern": "*.test:*"}), plain, true},
		{"anonymous", named("anonymous", nil), plain, true},
		{"authenticated", named("authenticated", nil), plain, false},
		{"authenticated after", named("authenticated", nil), known, true},
		{"client certificate", named("tlsClientAuthenticated", nil), known, true},
		{"plain http", named("tlsClientAuthenticated", nil), plain, false},
		{"expression", named("expression", map[string]any{"expression": "req.method == 'GET'"}), plain, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, problems := condition.New(&tt.c, &condition.Environment{})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got, err := c.Holds(&message.Exchange{Request: tt.req})
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestExpressionThatThrowsIsAnError(t *testing.T) {
	t.Parallel()
	inner := named("expression", map[string]any{"expression": "req.nothing.deep"})
	for _, c := range []config.Condition{inner, named("not", nil, inner), named("oneOf", nil, inner)} {
		built, problems := condition.New(&c, &condition.Environment{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if ok, err := built.Holds(&message.Exchange{}); err == nil || ok {
			t.Errorf("%s: %v, %v; want an error", c.Name, ok, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	at := diag.Position{File: "gateway.config.yml", Line: 7, Column: 3}
	for name, c := range map[string]config.Condition{
		"not built":     {Name: "json-schema", Pos: at},
		"nested":        {Name: "not", Nested: []config.Condition{{Name: "json-schema", Pos: at}}},
		"look-ahead":    {Name: "pathMatch", Params: map[string]any{"pattern": "a(?=b)"}, Pos: at},
		"negated group": {Name: "hostMatch", Params: map[string]any{"pattern": "!(a).b"}, Pos: at},
		"expression":    {Name: "expression", Params: map[string]any{"expression": "x = 1"}, Pos: at},
	} {
		if _, problems := condition.New(&c, &condition.Environment{}); len(problems) != 1 || problems[0].Position != at {
			t.Errorf("%s: %v, want one problem at %s", name, problems, at)
		}
	}
}

func TestCatalogueMarksWhatIsBuilt(t *testing.T) {
	t.Parallel()
	all, err := condition.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for name, built := range map[string]bool{"allOf": true, "hostMatch": true, "json-schema": true, "regexpmatch": true} {
		entry, ok := all[name]
		if !ok || entry.Built != built || entry.Schema == nil {
			t.Errorf("%s: %v %+v", name, ok, entry.Built)
		}
	}
}
