package schema_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config/schema"
)

func compileText(t *testing.T, text string) *schema.Schema {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	s, err := schema.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheckCoercesAndFillsIn(t *testing.T) {
	t.Parallel()
	s := compileText(t, `{"type":"object","properties":{"n":{"type":"number"},"d":{"default":"x"}},"required":["n"]}`)
	in := map[string]any{"n": "12"}
	out, wrong := s.Check(in)
	if diff := cmp.Diff(map[string]any{"n": 12.0, "d": "x"}, out); diff != "" || wrong != nil {
		t.Errorf("%v (-want +got):\n%s", wrong, diff)
	}
	if in["n"] != "12" {
		t.Error("the value itself was changed")
	}
	for _, bad := range []map[string]any{{}, {"n": "abc"}, {"n": []any{}}} {
		out, wrong := s.Check(bad)
		if wrong == nil || cmp.Diff(any(bad), out) != "" {
			t.Errorf("%v: %v, violation %v", bad, out, wrong)
		}
	}
}

// TestCheckAgreesWithValidate holds the quick way to the one that reports everything.
func TestCheckAgreesWithValidate(t *testing.T) {
	t.Parallel()
	s := compileText(t, `{
		"properties": {"a": {"anyOf": [{"type":"integer"},{"type":"array","items":{"$ref":"#"},"uniqueItems":true}]}, "b": {"enum":["x",1]}},
		"dependencies": {"b": ["a"], "c": {"required": ["a"], "properties": {"d": {"type":"string"}}}},
		"additionalProperties": {"oneOf": [{"type":"string"},{"type":"object","maxProperties":1}]},
		"not": {"required": ["f"]}
	}`)
	random := rand.New(rand.NewPCG(5, 6))
	var value func(depth int) any
	value = func(depth int) any {
		switch k := random.IntN(6 + min(depth, 2)); k {
		case 6:
			list := make([]any, random.IntN(4))
			for i := range list {
				list[i] = value(depth - 1)
			}
			return list
		case 7:
			m := map[string]any{}
			for range random.IntN(4) {
				m[string(rune('a'+random.IntN(6)))] = value(depth - 1)
			}
			return m
		default:
			return []any{"x", 1.0, "1", true, nil, 2.5}[k]
		}
	}
	good := 0
	for range 3000 {
		m := map[string]any{}
		for range random.IntN(3) {
			m[string(rune('a'+random.IntN(6)))] = value(3)
		}
		slow, violations := s.Validate(m)
		quick, wrong := s.Check(m)
		if (wrong == nil) != (len(violations) == 0) {
			t.Fatalf("%v: %v, but %v", m, wrong, violations)
		}
		if wrong == nil {
			good++
			if diff := cmp.Diff(slow, quick); diff != "" {
				t.Fatalf("%v (-validate +check):\n%s", m, diff)
			}
		}
	}
	if good < 100 {
		t.Errorf("only %d values were valid: the test says little", good)
	}
}

func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	tree := compileText(t, `{"type":"object","properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}},"required":["b"]}`)
	var deep any = map[string]any{}
	for range 500 {
		deep = map[string]any{"a": deep, "b": 1.0}
	}
	if _, wrong := tree.Check(deep); wrong == nil {
		t.Error("the innermost map has no b")
	}
	unique := compileText(t, `{"uniqueItems":true}`)
	list := make([]any, 50_000)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	if _, wrong := unique.Check(list); wrong != nil {
		t.Error(wrong)
	}
	list[49_999] = "7"
	if _, wrong := unique.Check(list); wrong == nil {
		t.Error("7 stands twice")
	}
	names := compileText(t, `{"properties":{"`+strings.Repeat("n", 5000)+`":{}},"additionalProperties":false}`)
	if _, wrong := names.Check(map[string]any{strings.Repeat("m", 50_000): 1.0}); wrong == nil || wrong.Suggestion != "" {
		t.Errorf("%+v", wrong)
	}
}

func TestUniqueItemsComparesValues(t *testing.T) {
	t.Parallel()
	s := compileText(t, `{"uniqueItems":true}`)
	one, other := map[string]any{"a": 1.0, "b": "x"}, map[string]any{"b": "x", "a": 1.0}
	for _, list := range [][]any{{one, other}, {"a", "b", "a"}, {1.0, 1.0}, {nil, nil}, {[]any{"1"}, []any{"1"}}} {
		if _, wrong := s.Check(list); wrong == nil {
			t.Errorf("%v: nothing stands twice", list)
		}
	}
	for _, list := range [][]any{{1.0, "1", true, "true"}, {[]any{1.0}, []any{"1"}}, {`[1]`, []any{1.0}}} {
		if _, wrong := s.Check(list); wrong != nil {
			t.Errorf("%v: %+v", list, wrong)
		}
	}
}
