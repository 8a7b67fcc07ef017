package condition_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
)

func bodySchema(logErrors bool) config.Condition {
	return config.Condition{Name: "json-schema", Params: map[string]any{
		"logErrors": logErrors,
		"schema": map[string]any{
			"$id": "http://example.test/s.json", "type": "object", "required": []any{"n"},
			"properties": map[string]any{"n": map[string]any{"type": "number"}},
		},
	}}
}

func post(contentType, body string) *message.Exchange {
	x := &message.Exchange{Request: message.Request{Method: "POST", Header: message.NewHeader(1)}}
	if body != "" {
		x.Request.Header.Set("Content-Type", contentType)
		x.Request.Body, x.Request.ContentLength = strings.NewReader(body), int64(len(body))
	}
	return x
}

func TestJSONSchema(t *testing.T) {
	t.Parallel()
	plain := bodySchema(false)
	tests := []struct {
		name, contentType, body string
		condition               config.Condition
		want                    bool
	}{
		{"valid", "application/json", `{"n":1}`, plain, true},
		{"coerced", "application/x-www-form-urlencoded", `n=12`, plain, true},
		{"not valid", "application/json", `{"n":"x"}`, plain, false},
		{"a form that is not valid", "application/x-www-form-urlencoded", `n=x`, plain, false},
		{"a list", "application/json", `[]`, plain, false},
		{"nothing required is there", "application/json", `{}`, plain, false},
		{"no body", "", "", plain, false},
		{"inside not", "application/json", `{"n":1}`, named("not", nil, plain), false},
		{"inside not, not valid", "application/json", `{}`, named("not", nil, plain), true},
		{"inside allOf", "application/json", `{"n":1}`, named("allOf", nil, plain, named("always", nil)), true},
		{"inside oneOf, twice", "application/json", `{"n":1}`, named("oneOf", nil, named("not", nil, plain), plain), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, problems := condition.New(&tt.condition, &condition.Environment{})
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			x := post(tt.contentType, tt.body)
			holds, err := c.Holds(x)
			if err != nil || holds != tt.want {
				t.Errorf("%v, error %v; want %v", holds, err, tt.want)
			}
			if x.Request.Body == nil {
				return
			}
			if sent, err := io.ReadAll(x.Request.Body); string(sent) != tt.body || err != nil {
				t.Errorf("the body became %q, error %v", sent, err)
			}
		})
	}
}

func TestJSONSchemaCoercesForLaterSteps(t *testing.T) {
	t.Parallel()
	c := bodySchema(false)
	built, problems := condition.New(&c, &condition.Environment{})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	x := post("application/x-www-form-urlencoded", "n=12")
	if ok, err := built.Holds(x); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if n := x.Request.Parsed.(map[string]any)["n"]; n != 12.0 {
		t.Errorf("req.body.n is %#v", n)
	}
}

func TestJSONSchemaBrokenBody(t *testing.T) {
	t.Parallel()
	c := named("not", nil, bodySchema(false))
	built, problems := condition.New(&c, &condition.Environment{})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var status *message.StatusError
	if ok, err := built.Holds(post("application/json", "{bad")); ok || !errors.As(err, &status) || status.Status != 400 {
		t.Errorf("%v, error %v; want status 400", ok, err)
	}
}

func TestJSONSchemaLogs(t *testing.T) {
	t.Parallel()
	for _, logErrors := range []bool{false, true} {
		var log bytes.Buffer
		c := bodySchema(logErrors)
		built, problems := condition.New(&c, &condition.Environment{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if ok, err := built.Holds(post("application/json", `{"n":"s3cret"}`)); ok || err != nil {
			t.Fatal(ok, err)
		}
		if strings.Contains(log.String(), "must be a number") != logErrors || strings.Contains(log.String(), "s3cret") {
			t.Errorf("logErrors %v: %s", logErrors, &log)
		}
	}
}

func TestJSONSchemaRefuses(t *testing.T) {
	t.Parallel()
	remote := config.Condition{Name: "json-schema", Params: map[string]any{
		"logErrors": false, "schema": map[string]any{"$id": "http://a.test/s.json", "$ref": "http://b.test/other.json"},
	}}
	if _, problems := condition.New(&remote, &condition.Environment{}); !problems.HasErrors() || !strings.Contains(problems.Error(), "leads outside of the schema") {
		t.Errorf("problems %v", problems)
	}
}
