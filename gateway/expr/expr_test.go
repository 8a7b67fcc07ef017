package expr_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

func exchange() *message.Exchange {
	h := message.NewHeader(4)
	h.Set("X-One", "1")
	h.Add("X-Many", "a")
	h.Add("X-Many", "b")
	x := &message.Exchange{Endpoint: &message.Endpoint{
		Name: "api", Scopes: []string{"read"}, Raw: map[string]any{"paths": "/a/:id"},
		Params: func(string) map[string]string { return map[string]string{"id": "7"} },
	}}
	x.Request = message.Request{
		Method: "GET", URL: "/a/7?q=v&q=w&e=", OriginalURL: "/a/7?q=v&q=w&e=", Host: "front.test:80", Header: h, Proto: "1.1",
		Remote: netip.MustParseAddrPort("[::ffff:10.1.2.3]:99"),
		Consumer: &consumer.Consumer{
			Kind: consumer.KindUser, ID: "u1", Username: "alice", IsActive: true, Properties: map[string]any{"age": float64(7)},
		},
	}
	return x
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`'v1'`:                             "v1",
		`"a\n\x41\u0042\q"`:                "a\nABq",
		`1 + 1`:                            "2",
		`1 + '1'`:                          "11",
		`0.1 + 0.2`:                        "0.30000000000000004",
		`2 * 3 - 4 / 2 % 3`:                "4",
		`res.statusCode`:                   "200",
		`res.headersSent`:                  "false",
		`res.app.startsWith('function')`:   "true",
		`req.method`:                       "GET",
		`req.url`:                          "/a/7?q=v&q=w&e=",
		`req.path`:                         "/a/7",
		`req.hostname`:                     "front.test",
		`req.ip`:                           "10.1.2.3",
		`req.protocol + req.secure`:        "httpfalse",
		`req.headers.host`:                 "front.test:80",
		`req.headers['x-one']`:             "1",
		`req.headers['x-many']`:            "a, b",
		`req.headers['X-One']`:             "undefined",
		`req.query.q`:                      "v,w",
		`req.query.e === ''`:               "true",
		`req.query.none`:                   "undefined",
		`req.params.id`:                    "7",
		`req.user.username`:                "alice",
		`consumer.id + consumer.age`:       "u17",
		`consumer.nope?.deep`:              "undefined",
		`egContext.apiEndpoint.scopes[0]`:  "read",
		`apiEndpoint.apiEndpointName`:      "api",
		`egContext.requestID.length > 10`:  "true",
		`requestID == egContext.requestID`: "true",
		`req.method == 'GET' ? 'y' : 'n'`:  "y",
		`null ?? 'x'`:                      "x",
		`'' || 0 || 'z'`:                   "z",
		`'a' && 'b'`:                       "b",
		`!req.user`:                        "false",
		`typeof req.nothing`:               "undefined",
		`null == undefined`:                "true",
		`null === undefined`:               "false",
		`'2' == 2`:                         "true",
		`'b' > 'a'`:                        "true",
		`-'3'`:                             "-3",
		`0 / 0`:                            "NaN",
		`1 / 0`:                            "Infinity",
		`req.url.startsWith('/a')`:         "true",
		`req.query.q.includes('w')`:        "true",
		`req.method.toLowerCase()`:         "get",
		"`<${req.method}|${`${1}`}>`":      "<GET|1>",
		`req`:                              "[object Object]",
		`JSON.stringify(req.query)`:        `{"e":"","q":["v","w"]}`,
		`JSON.stringify(req.headers)`:      `{"host":"front.test:80","x-many":"a, b","x-one":"1"}`,
		`JSON.stringify(consumer.nope)`:    "undefined",
		`(1 + 2) * 3;`:                     "9",
		`1e21 + ''`:                        "1e+21",
	}
	for source, want := range tests {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			e, err := expr.Compile(source)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := e.Text(exchange()); err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestThrows(t *testing.T) {
	t.Parallel()
	for _, source := range []string{`req.nothing.deep`, `null.x`, `req.nothing.trim()`, `req.secure.trim()`} {
		e, err := expr.Compile(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		var thrown *expr.ThrownError
		if _, err := e.Eval(exchange()); !errors.As(err, &thrown) {
			t.Errorf("%s: %v, want a thrown error", source, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`function () {}`, `a b`, `1 +`, `'open`, "`open", `(1`, `req.headers[`, strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500),
	} {
		if _, err := expr.Compile(source); err == nil {
			t.Errorf("%q was accepted", source)
		}
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`plain`:                              "plain",
		`${req.method} ${req.url}!`:          "GET /a/7?q=v&q=w&e=!",
		`${'}'}${"{"}`:                       "}{",
		`\${req.method} $5 \\`:               `${req.method} $5 \`,
		`L ${JSON.stringify(req.headers)}`:   `L {"host":"front.test:80","x-many":"a, b","x-one":"1"}`,
		`${egContext.apiEndpoint.scopes}-ok`: "read-ok",
	}
	for source, want := range tests {
		tmpl, err := expr.CompileTemplate(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := tmpl.Text(exchange()); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
	for _, source := range []string{`${`, `${req.method`, `${}`, `${a b}`, "`"} {
		if _, err := expr.CompileTemplate(source); err == nil {
			t.Errorf("%q was accepted", source)
		}
	}
}

// FuzzCompile must never panic or hang, whatever the text; what compiles must evaluate.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"req.url + `${1}` ? 1 : x.y['z']", "typeof !-1", `JSON.stringify(req)`, "a?.b()", `"\u00"`, `req.url = /(a|b)*c/.test(req.url); egContext.x = [1, ...'ab'].map(f => f + 1)`,
		"for (const {a, ...b} of [{}]) try { throw a } catch { } finally { `${b}` }", `class A extends Array { #x = 1 }; new A(3).join('x'.repeat(9))`,
		`'x'.replace(/(?=x)(.)\1?/g, (m, a) => a.padEnd(9))`, `JSON.parse('[[1]]', (k, v) => v)`, `switch (1) { default: var x = 0o7 }`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, source string) {
		if e, err := expr.Compile(source); err == nil {
			_, _ = e.Text(exchange())
		}
		if t, err := expr.CompileTemplate(source); err == nil {
			_, _ = t.Text(exchange())
		}
	})
}
