package policy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// change makes "headers" or "body" of a transformer: names with "-" in front are removed, the others added.
func change(part string, rules ...any) map[string]any {
	add, remove := map[string]any{}, []any{}
	for i := 0; i < len(rules); i++ {
		if name := rules[i].(string); strings.HasPrefix(name, "-") {
			remove = append(remove, name[1:])
		} else {
			i++
			add[name] = rules[i]
		}
	}
	return map[string]any{part: map[string]any{"add": add, "remove": remove}}
}

func TestRequestTransformerHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		action map[string]any
		want   map[string]string
	}{
		{"add", change("headers", "x-new", "'v'", "x-method", "req.method", "x-num", 5.0), map[string]string{
			"X-Old": "1", "X-New": "v", "X-Method": "POST", "X-Num": "5",
		}},
		{"replace", change("headers", "X-OLD", "'2'"), map[string]string{"X-Old": "2"}},
		{"remove", change("headers", "-x-old"), map[string]string{}},
		{"remove with capitals", change("headers", "-X-Old"), map[string]string{"X-Old": "1"}},
		{"rename", change("headers", "x-new", "req.headers['x-old']", "-x-old"), map[string]string{"X-New": "1"}},
		{"add and remove under one name", change("headers", "x-a", "'1'", "-x-a"), map[string]string{"X-Old": "1"}},
		{"add with capitals what is removed", change("headers", "X-Old", "'2'", "-x-old"), map[string]string{"X-Old": "2"}},
		{"undefined is not what the client sent", change("headers", "x-old", "req.headers.nothing"), map[string]string{}},
		{"a value with a line end", change("headers", "x-a", `'1\r\nX-B: 2'`), map[string]string{"X-Old": "1", "X-A": "1  X-B: 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x, sink := exchange("POST", "/", map[string]string{"X-Old": "1"})
			if got := apply(t, build(t, "request-transformer", tt.action, &policy.Environment{}), x, sink); got.Verdict != message.Continue {
				t.Errorf("%+v", got)
			}
			got := map[string]string{}
			for name, values := range x.Request.Header.All() {
				got[name] = strings.Join(values, "|")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestTransformerHost(t *testing.T) {
	t.Parallel()
	x, sink := exchange("GET", "/", nil)
	apply(t, build(t, "request-transformer", change("headers", "host", "'other.test'"), &policy.Environment{}), x, sink)
	if x.Request.Host != "other.test" || x.Request.Header.Has("Host") {
		t.Errorf("host %q, header %v", x.Request.Host, x.Request.Header.Map())
	}
}

func TestRequestTransformerBody(t *testing.T) {
	t.Parallel()
	const json, form = "application/json", "application/x-www-form-urlencoded"
	tests := []struct {
		name, contentType, body string
		action                  map[string]any
		wantType, want          string
	}{
		{"JSON", json, `{"z":{"y":1},"a":2}`, change("body", "c", "'3'", "-a"), json, `{"z":{"y":1},"c":"3"}`},
		{"JSON in some charset", json + "; charset=utf-8", `{}`, change("body", "c", 3.0), json, `{"c":3}`},
		{"values of all kinds", json, `{}`, change("body", "a", "null", "b", "true", "c", "req.query.n", "d", "1/0", "e", "({f: [1, undefined], g: undefined})"), json, `{"a":null,"b":true,"c":["1","2"],"d":null,"e":{"f":[1,null]}}`},
		{"undefined", json, `{"a":1,"b":2}`, change("body", "a", "req.nothing"), json, `{"b":2}`},
		{"a list", json, `[1,2,3]`, change("body", "x", "1", "0", "9", "3", "4", "-1"), json, `[9,null,3,4]`},
		{"a form", form, `b=2&a=1&d[x]=y`, change("body", "c", "'ü &'", "-a"), form, `b=2&d%5Bx%5D=y&c=%C3%BC+%26`},
		{"no body", "", "", change("body", "c", "'3'"), json, `{"c":"3"}`},
		{"an empty form", form, "&", change("body", "c", "'3'"), form, "c=3"},
		{"text", "text/plain", "hello", change("body", "c", "'3'"), json, `{"c":"3"}`},
		{"everything removed", json, `{"a":1}`, change("body", "-a"), json, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x, sink := exchange("GET", "/?n=1&n=2", map[string]string{"Content-Encoding": "identity"})
			if tt.body != "" {
				x.Request.Header.Set("Content-Type", tt.contentType)
				x.Request.Body, x.Request.ContentLength = strings.NewReader(tt.body), -1
			}
			apply(t, build(t, "request-transformer", tt.action, &policy.Environment{}), x, sink)
			got, err := io.ReadAll(x.Request.Body)
			wantType := tt.wantType
			if tt.name == "an empty form" { // its two fields without a name are none
				wantType, tt.want = json, `{"c":"3"}`
			}
			if err != nil || string(got) != tt.want || x.Request.Header.Get("Content-Type") != wantType {
				t.Errorf("%s %s, error %v; want %s %s", x.Request.Header.Get("Content-Type"), got, err, wantType, tt.want)
			}
			if x.Request.ContentLength != int64(len(got)) || x.Request.Header.Has("Content-Encoding") {
				t.Errorf("length %d, header %v", x.Request.ContentLength, x.Request.Header.Map())
			}
		})
	}
}

func TestRequestTransformerAddsInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	step := stepOf("request-transformer", map[string]any{
		"headers": change("headers", "x-b", "'1'", "x-a", "req.headers['x-b'] + '2'")["headers"],
		"body":    change("body", "z", "'1'", "a", "'2'")["body"],
	})
	step.Order = map[string][]string{"headers.add": {"x-b", "x-a"}, "body.add": {"z", "a"}}
	for contentType, want := range map[string]string{"application/x-www-form-urlencoded": "m=0&z=1&a=2", "application/json": `{"m":0,"z":"1","a":"2"}`} {
		p, problems := policy.New(step, &policy.Environment{})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		x, sink := exchange("POST", "/", map[string]string{"Content-Type": contentType})
		text := map[bool]string{true: "m=0", false: `{"m":0}`}[strings.HasSuffix(contentType, "encoded")]
		x.Request.Body, x.Request.ContentLength = strings.NewReader(text), int64(len(text))
		apply(t, p, x, sink)
		if got, err := io.ReadAll(x.Request.Body); string(got) != want || err != nil {
			t.Errorf("%s, error %v; want %s", got, err, want)
		}
		if got := x.Request.Header.Get("X-A"); got != "12" {
			t.Errorf("X-A is %q, want 12: it is made of the header before it", got)
		}
	}
}

func TestRequestTransformerTwice(t *testing.T) {
	t.Parallel()
	x, sink := exchange("POST", "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	x.Request.Body, x.Request.ContentLength = strings.NewReader("a=1"), 3
	apply(t, build(t, "request-transformer", change("body", "b", "'2'"), &policy.Environment{}), x, sink)
	apply(t, build(t, "request-transformer", change("body", "c", "'3'", "-a"), &policy.Environment{}), x, sink)
	if got, err := io.ReadAll(x.Request.Body); string(got) != "b=2&c=3" || err != nil {
		t.Errorf("%s, error %v", got, err)
	}
}

func TestRequestTransformerFails(t *testing.T) {
	t.Parallel()
	p := build(t, "request-transformer", change("body", "c", "'3'"), &policy.Environment{})
	x, _ := exchange("POST", "/", map[string]string{"Content-Type": "application/json"})
	x.Request.Body, x.Request.ContentLength = strings.NewReader("{x"), 2
	var status *message.StatusError
	if _, err := p.Apply(context.Background(), x); !errors.As(err, &status) || status.Status != 400 {
		t.Errorf("error %v, want status 400", err)
	}
	for _, part := range []string{"headers", "body"} {
		p := build(t, "request-transformer", change(part, "c", "req.user.id"), &policy.Environment{})
		x, _ := exchange("POST", "/", nil)
		if _, err := p.Apply(context.Background(), x); err == nil || errors.As(err, &status) {
			t.Errorf("%s: error %v, want one of the gateway", part, err)
		}
	}
}

func TestTransformerProblems(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"request-transformer", "response-transformer"} {
		for _, action := range []map[string]any{change("headers", "x y", "1"), change("headers", "x\n", "1")} {
			if p, problems := policy.New(stepOf(name, action), &policy.Environment{}); p != nil || !problems.HasErrors() {
				t.Errorf("%s %v: compiled, with %v", name, action, problems)
			}
		}
		for _, action := range []map[string]any{change("headers", "Content-Length", "1", "x", "'1'"), change("headers", "x", "1 +"), change("body", "x", "1 +")} {
			p, problems := policy.New(stepOf(name, action), &policy.Environment{})
			if p == nil || len(problems) != 1 || problems[0].Severity != diag.Warning {
				t.Errorf("%s %v: %v", name, action, problems)
			}
		}
	}
}

// answered sends the answer of a service through response transformers.
func answered(t *testing.T, header map[string]string, parts []string, actions ...map[string]any) (result, string) {
	t.Helper()
	var log bytes.Buffer
	x, sink := exchange("GET", "/p", nil)
	for _, action := range actions {
		p := build(t, "response-transformer", action, &policy.Environment{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if verdict, err := p.Apply(context.Background(), x); verdict != message.Continue || err != nil {
			t.Fatal(verdict, err)
		}
	}
	for name, value := range header {
		x.Response.Header.Set(name, value)
	}
	x.Response.FromUpstream()
	x.Response.WriteHead(200)
	for _, part := range parts {
		if _, err := x.Response.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	x.Response.Finish()
	got := result{Status: sink.status, Body: sink.body.String(), Header: map[string]string{}}
	for name, values := range x.Response.Header.All() {
		got.Header[name] = strings.Join(values, "|")
	}
	return got, log.String()
}

func TestResponseTransformerBody(t *testing.T) {
	t.Parallel()
	json := map[string]string{"Content-Type": "application/json"}
	large := `{"a":1,"pad":"` + strings.Repeat("x", message.MaxFiltered) + `"}`
	tests := []struct {
		name   string
		header map[string]string
		parts  []string
		action map[string]any
		want   string
		log    string
	}{
		{"an object", json, []string{`{"z": 12345678901234567890, "secret":1, "a":{"c":1, "b":2}}`}, change("body", "extra", "req.method", "-secret"), `{"z":12345678901234567890,"a":{"c":1, "b":2},"extra":"GET"}`, ""},
		{"in parts", json, []string{`{"a"`, `:1,"b":2}`}, change("body", "-b"), `{"a":1}`, ""},
		{"replaced", json, []string{`{"a":1,"b":2,"a":3}`}, change("body", "a", "4"), `{"a":4,"b":2}`, ""},
		{"undefined", json, []string{`{"a":1,"b":2}`}, change("body", "a", "req.nothing"), `{"b":2}`, ""},
		{"a list", json, []string{`[{"a":1}]`}, change("body", "a", "2", "0", "1"), `[1]`, ""},
		{"no JSON after all", json, []string{`{"a":1} {"a":2}`}, change("body", "-a"), `{"a":1} {"a":2}`, ""},
		{"a number", json, []string{`5`}, change("body", "-a"), `5`, ""},
		{"JSON of another name", map[string]string{"Content-Type": "application/problem+json; charset=utf-8"}, []string{`{"a":1}`}, change("body", "-a"), `{}`, ""},
		{"text that is JSON", map[string]string{"Content-Type": "text/plain", "Content-Length": "7"}, []string{`{"a":1}`}, change("body", "-a"), `{}`, ""},
		{"text that may never end", map[string]string{"Content-Type": "text/plain"}, []string{`{"a":1}`}, change("body", "-a"), `{"a":1}`, ""},
		{"events", map[string]string{"Content-Type": "text/event-stream", "Content-Length": "7"}, []string{`{"a":1}`}, change("body", "-a"), `{"a":1}`, ""},
		{"compressed", map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, []string{`{"a":1}`}, change("body", "-a"), `{"a":1}`, ""},
		{"too large", json, []string{large}, change("body", "-a"), large, "larger than 1048576 bytes"},
		{"an expression that throws", json, []string{`{"a":1}`}, change("body", "b", "req.user.id", "-a"), `{"a":1}`, "req.user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, log := answered(t, tt.header, tt.parts, tt.action)
			if got.Body != tt.want {
				t.Errorf("%.200s, want %.200s", got.Body, tt.want)
			}
			if tt.log == "" && log != "" || tt.log != "" && !strings.Contains(log, "answer goes on") {
				t.Errorf("logged %q, want %q", log, tt.log)
			}
		})
	}
}

func TestResponseTransformerHeaders(t *testing.T) {
	t.Parallel()
	service := map[string]string{"Content-Type": "application/json", "X-B": "1", "X-Gone": "2"}
	got, log := answered(t, service, []string{`{}`},
		change("headers", "X-b", "'first'", "-x-gone", "-X-GONE"),
		change("headers", "x-b", "'second'", "x-c", "req.headers['x-nothing']", "x-d", "req.user.id", "x-e", `'a\nb'`), change("body", "n", "1"))
	want := result{Status: 200, Body: `{"n":1}`, Header: map[string]string{
		"Content-Type": "application/json", "Content-Length": "7", "X-B": "first", "X-E": "a b",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(log, "header=x-d") {
		t.Errorf("the header that could not be made is not logged: %s", log)
	}
}

func TestResponseTransformerOwnAnswers(t *testing.T) {
	t.Parallel()
	action := change("headers", "x-hint", "'key'")
	action["body"] = change("body", "-error")["body"]
	p := build(t, "response-transformer", action, &policy.Environment{})
	x, sink := exchange("GET", "/", nil)
	apply(t, p, x, sink)
	x.Response.Send(401, "application/json", `{"error":1}`)
	x.Response.Finish()
	if sink.status != 401 || sink.body.String() != `{"error":1}` || x.Response.Header.Get("X-Hint") != "key" {
		t.Errorf("%d %s %v", sink.status, &sink.body, x.Response.Header.Map())
	}
}
