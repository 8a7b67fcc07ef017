package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config/schema"
)

func compile(t *testing.T, text string) *schema.Schema {
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

func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// lines are violations as path[/key] code message[?suggestion].
func lines(vs []schema.Violation) []string {
	var out []string
	for _, v := range vs {
		line := v.Path.String()
		if v.Key != "" {
			line += "/" + v.Key
		}
		line += " " + v.Code + ": " + v.Message
		if v.Suggestion != "" {
			line += "? " + v.Suggestion
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// TestCoercion holds what ajv 6 makes of values with coerceTypes; every row was run through it.
func TestCoercion(t *testing.T) {
	t.Parallel()
	tests := []struct{ types, in, want string }{
		{`"number"`, `"8080"`, `8080`},
		{`"number"`, `"1e3"`, `1000`},
		{`"number"`, `" 7 "`, `7`},
		{`"number"`, `"0x10"`, `16`},
		{`"number"`, `null`, `0`},
		{`"number"`, `true`, `1`},
		{`"number"`, `""`, ``},
		{`"number"`, `"12px"`, ``},
		{`"number"`, `[]`, ``},
		{`"integer"`, `"5"`, `5`},
		{`"integer"`, `"5.5"`, ``},
		{`"integer"`, `5.5`, ``},
		{`"integer"`, `null`, `0`},
		{`"string"`, `5`, `"5"`},
		{`"string"`, `0.5`, `"0.5"`},
		{`"string"`, `1e21`, `"1e+21"`},
		{`"string"`, `1e-7`, `"1e-7"`},
		{`"string"`, `true`, `"true"`},
		{`"string"`, `null`, `""`},
		{`"string"`, `{}`, ``},
		{`"boolean"`, `"true"`, `true`},
		{`"boolean"`, `"false"`, `false`},
		{`"boolean"`, `0`, `false`},
		{`"boolean"`, `null`, `false`},
		{`"boolean"`, `"yes"`, ``},
		{`"boolean"`, `""`, ``},
		{`"null"`, `""`, `null`},
		{`["string", "array"]`, `null`, `""`},
		{`["string", "number"]`, `true`, `"true"`},
		{`"object"`, `null`, ``},
		{`"array"`, `"a"`, ``},
	}
	for _, tc := range tests {
		t.Run(tc.types+" "+tc.in, func(t *testing.T) {
			t.Parallel()
			s := compile(t, `{"properties": {"v": {"type": `+tc.types+`}}}`)
			out, violations := s.Validate(map[string]any{"v": value(t, tc.in)})
			if tc.want == "" {
				if len(violations) != 1 || violations[0].Code != "type" {
					t.Errorf("violations = %v, want one of type", lines(violations))
				}
				return
			}
			if len(violations) > 0 {
				t.Fatal(lines(violations))
			}
			if diff := cmp.Diff(value(t, tc.want), out.(map[string]any)["v"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		schema, in, want string
		violations       []string
	}{
		"defaults": {
			`{"type":"object","properties":{"a":{"default":1},"o":{"type":"object","default":{},"properties":{"b":{"default":"x"}}}}}`,
			`{}`, `{"a":1,"o":{"b":"x"}}`, nil,
		},
		"defaults of allOf": {
			`{"allOf":[{"properties":{"a":{"default":1}},"required":["a"]}]}`, `{}`, `{"a":1}`, nil,
		},
		"no defaults in anyOf": {
			`{"anyOf":[{"type":"object","properties":{"a":{"default":1}}}]}`, `{}`, `{}`, nil,
		},
		"coercion in anyOf": {
			`{"properties":{"p":{"anyOf":[{"type":"object"},{"type":"array","items":{"type":"string"}}]}}}`, `{"p":[1]}`, `{"p":["1"]}`, nil,
		},
		"required": {
			`{"type":"object","properties":{"url":{}},"required":["url"]}`, `{"ulr":1}`, ``, []string{`/ulr required: needs "url"? url`},
		},
		"required plainly": {
			`{"type":"object","required":["url"]}`, `{"zzz":1}`, ``, []string{`required: needs "url"`},
		},
		"unknown key": {
			`{"type":"object","properties":{"port":{}},"additionalProperties":false}`, `{"prot":1}`, ``,
			[]string{`/prot additionalProperties: has no key "prot"? port`},
		},
		"enum": {
			`{"properties":{"m":{"enum":["http","https"]}}}`, `{"m":"htps"}`, ``, []string{`m enum: must be http or https? https`},
		},
		"all at once": {
			`{"properties":{"a":{"type":"number"},"b":{"type":"array","items":{"type":"integer"}}},"required":["c"]}`,
			`{"a":"x","b":[1,"y",{}]}`, ``,
			[]string{"a type: must be a number", "b[1] type: must be a whole number", "b[2] type: must be a whole number", `required: needs "c"`},
		},
		"neither": {
			`{"oneOf":[{"required":["url"]},{"required":["urls"]}]}`, `{}`, ``, []string{`oneOf: needs "url" or "urls"`},
		},
		"both": {
			`{"oneOf":[{"required":["url"]},{"required":["urls"]}]}`, `{"url":1,"urls":2}`, ``,
			[]string{`/urls oneOf: has "url" and "urls", of which only one is allowed`},
		},
		"any of names": {
			`{"anyOf":[{"required":["headers"]},{"required":["body"]}]}`, `{}`, ``, []string{`anyOf: needs "headers" or "body"`},
		},
		"any of kinds": {
			`{"properties":{"p":{"anyOf":[{"type":"object"},{"type":"array"}]}}}`, `{"p":"x"}`, ``, []string{"p anyOf: must be a map or a list"},
		},
		"any of, nearest": {
			`{"anyOf":[{"type":"object","properties":{"a":{"type":"number"}}},{"type":"array"}]}`, `{"a":"x"}`, ``, []string{"a type: must be a number"},
		},
		"not": {
			`{"properties":{"a":{"not":{"type":"string"}}}}`, `{"a":"x"}`, ``, []string{"a not: is of a kind that is not allowed here"},
		},
		"if then": {
			`{"properties":{"o":{"type":["string","object"],"if":{"type":"object"},"then":{"instanceof":"RegExp"}}}}`, `{"o":{}}`, ``,
			[]string{"o instanceof: must be a regular expression"},
		},
		"limits": {
			`{"properties":{"n":{"minimum":1,"maximum":3},"s":{"minLength":2},"l":{"maxItems":1,"uniqueItems":true}}}`, `{"n":9,"s":"é","l":[1,1]}`, ``,
			[]string{"l maxItems: must have at most 1 items", "l[1] uniqueItems: stands twice in the list", "n maximum: must be at most 3", "s minLength: must have at least 2 characters"},
		},
		"formats": {
			`{"properties":{"u":{"format":"uri"},"m":{"format":"email"},"r":{"format":"regex"}}}`, `{"u":"127.0.0.1:80","m":"a","r":"("}`, ``,
			[]string{"m format: must be an e-mail address", "r format: must be a regular expression", "u format: must be a URL with a scheme, such as http://host:port"},
		},
		"formats that pass": {
			`{"properties":{"u":{"format":"uri"},"m":{"format":"email"},"r":{"format":"regex"}}}`, `{"u":"localhost:80","m":"a@b","r":"^\\/(?!x)\\1"}`,
			`{"u":"localhost:80","m":"a@b","r":"^\\/(?!x)\\1"}`, nil,
		},
		"patterns": {
			`{"patternProperties":{"^x-":{"type":"number"}},"additionalProperties":{"type":"string"}}`, `{"x-a":"1","b":2}`, `{"x-a":1,"b":"2"}`, nil,
		},
		"tuple": {
			`{"properties":{"l":{"items":[{"type":"number"}]}}}`, `{"l":["1","x"]}`, `{"l":[1,"x"]}`, nil,
		},
		"reference": {
			`{"definitions":{"n":{"type":"number"}},"properties":{"a":{"$ref":"#/definitions/n"}}}`, `{"a":"1"}`, `{"a":1}`, nil,
		},
		"recursion": {
			`{"properties":{"n":{"type":"number"},"in":{"$ref":"#"}}}`, `{"in":{"in":{"n":"x"}}}`, ``, []string{"in.in.n type: must be a number"},
		},
		"dependencies": {
			`{"dependencies":{"a":["b"]}}`, `{"a":1}`, ``, []string{`dependencies: needs "b" because it has "a"`},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := value(t, tc.in)
			out, violations := compile(t, tc.schema).Validate(in)
			if diff := cmp.Diff(tc.violations, lines(violations)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if tc.want != "" {
				if diff := cmp.Diff(value(t, tc.want), out); diff != "" {
					t.Errorf("value (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(value(t, tc.in), in); diff != "" {
				t.Errorf("the caller's value changed:\n%s", diff)
			}
		})
	}
}

func TestUnknownValues(t *testing.T) {
	t.Parallel()
	s := compile(t, `{"properties":{"n":{"type":"number","minimum":3},"u":{"type":"string","format":"uri"},"e":{"enum":["a"]},"o":{"type":"object"}}}`)
	unknown := schema.Unknown{Text: "${X}"}
	_, violations := s.Validate(map[string]any{"n": unknown, "u": unknown, "e": unknown, "o": unknown})
	if diff := cmp.Diff([]string{"o type: must be a map"}, lines(violations)); diff != "" {
		t.Error(diff)
	}
}

func TestModelKeywords(t *testing.T) {
	t.Parallel()
	s := compile(t, `{"type":"object","properties":{"username":{"type":"string","isMutable":false},"name":{"type":"string"}},
		"allOf":[{"properties":{"id":{"isMutable":false}}}]}`)
	if diff := cmp.Diff([]string{"id", "username"}, s.Immutable()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"id", "name", "username"}, s.Properties()); diff != "" {
		t.Error(diff)
	}
	if s.Property("name") == nil || s.Property("none") != nil {
		t.Error("Property finds the wrong ones")
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"properties":{"a":{"type":"strng"}}}`:      `read schema at #/properties/a: there is no type "strng"`,
		`{"properties":{"a":{"$ref":"other.json"}}}`: `read schema at #/properties/a: reference "other.json" leads outside of the schema`,
		`{"properties":{"a":{"$ref":"#/none"}}}`:     `read schema at #/properties/a: reference "#/none" leads nowhere`,
		`{"items":5}`:                                `read schema at #/items: it must be an object`,
		`{"required":"a"}`:                           `read schema at #: "required" must be a list`,
		`{"properties":{"a":{"minLength":"3"}}}`:     `read schema at #/properties/a: "minLength" must be a number`,
		`{"properties":[]}`:                          `read schema at #: "properties" must be an object`,
		`{"pattern":"("}`:                            "read schema at #/pattern: error parsing regexp: missing closing ): `(`",
	} {
		var doc map[string]any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Compile(doc); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
