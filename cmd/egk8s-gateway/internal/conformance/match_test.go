package conformance

import (
	"encoding/json"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want, got string // JSON
		right     bool
	}{
		{`"a"`, `"a"`, true},
		{`"a"`, `"b"`, false},
		{`200`, `200`, true},
		{`true`, `1`, false},
		{`null`, `null`, true},
		{`null`, `0`, false},
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":1}`, `{"b":2}`, false},
		{`{"a":1}`, `[1]`, false},
		{`[]`, `[]`, true},
		{`[1,2]`, `[1]`, false},
		{`[{"a":1}]`, `[{"a":1,"b":2}]`, true},
		{`{"regex":"^a"}`, `"abc"`, true},
		{`{"regex":"^b"}`, `"abc"`, false},
		{`{"regex":"("}`, `"("`, false},
		{`{"regex":"a"}`, `null`, false},
		{`{"contains":"b"}`, `"abc"`, true},
		{`{"contains":["a","c"]}`, `"abc"`, true},
		{`{"contains":["a","d"]}`, `"abc"`, false},
		{`{"contains":["a"]}`, `["a","b"]`, true},
		{`{"contains":["c"]}`, `["a","b"]`, false},
		{`{"absent":true}`, `null`, true},
		{`{"absent":true}`, `""`, false},
		{`{"absent":false}`, `""`, true},
		{`{"any":true}`, `""`, true},
		{`{"any":true}`, `null`, false},
		{`{"type":"string"}`, `"x"`, true},
		{`{"type":"number"}`, `true`, false},
		{`{"type":"array"}`, `[]`, true},
		{`{"not":"a"}`, `"b"`, true},
		{`{"not":"a"}`, `"a"`, false},
		{`{"not":{"contains":"x"}}`, `"abc"`, true},
		{`{"oneof":[1,2]}`, `2`, true},
		{`{"oneof":[1,2]}`, `3`, false},
		{`{"len":2}`, `["a","b"]`, true},
		{`{"len":2}`, `7`, false},
		{`{"gte":2,"lte":3}`, `3`, true},
		{`{"gte":2}`, `1`, false},
		{`{"gte":2}`, `"3"`, false},
		{`{"exact":{"a":1}}`, `{"a":1}`, true},
		{`{"exact":{"a":1}}`, `{"a":1,"b":2}`, false},
	} {
		var want, got any
		for text, into := range map[string]*any{tt.want: &want, tt.got: &got} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		if tt.want == tt.got {
			got = want
		}
		if diffs := Match("x", want, got); (len(diffs) == 0) != tt.right {
			t.Errorf("Match(%s, %s) = %v, want right: %v", tt.want, tt.got, diffs, tt.right)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	step := Step{Request: &Request{Path: "/{{id}}/{{b.backend}}", JSON: map[string]any{"{{id}}": []any{"{{nope}}", 7.0}}}}
	got, err := expandAll(step, map[string]string{"id": "a\"b", "b.backend": "81"})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(got.Request.JSON)
	if got.Request.Path != `/a"b/81` || string(body) != `{"a\"b":["{{nope}}",7]}` {
		t.Errorf("expanded to %s and %s", got.Request.Path, body)
	}
}

// TestAFailingGatewayFails shows that a case cannot pass by itself: a program that ends at once, and
// one that cannot be started, must both differ.
func TestAFailingGatewayFails(t *testing.T) {
	t.Parallel()
	c := Case{ID: "x", Gateway: "http:\n  port: {{http}}\n", Steps: []Step{{Request: &Request{Path: "/"}}}}
	for _, binary := range []string{"/bin/true", "/bin/false", "/no/such/program"} {
		runner := &Runner{Binary: binary}
		if diffs := runner.Play(t.Context(), c); len(diffs) == 0 {
			t.Errorf("%s passed as a gateway", binary)
		}
	}
	c.ExpectStart = "fail"
	for binary, want := range map[string]int{"/bin/true": 1, "/bin/false": 0} {
		runner := &Runner{Binary: binary}
		if diffs := runner.Play(t.Context(), c); len(diffs) != want {
			t.Errorf("%s with a failing start: %v, want %d differences", binary, diffs, want)
		}
	}
}
