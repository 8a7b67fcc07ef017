package yaml_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
)

type (
	m = map[string]any
	l = []any
)

// TestParseValues holds what js-yaml 3.15.2 makes of each text; every row was run through it (a Date, a RegExp by kind).
func TestParseValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want any
	}{
		"empty":                {"", nil},
		"comment only":         {"# a\n", nil},
		"yes is a string":      {"[yes, no, on, off, y, n, Yes]", l{"yes", "no", "on", "off", "y", "n", "Yes"}},
		"booleans":             {"[true, True, TRUE, false, tRUE]", l{true, true, true, false, "tRUE"}},
		"nulls":                {"[null, Null, NULL, ~, nULL]", l{nil, nil, nil, nil, "nULL"}},
		"decimals":             {"[0, 7, -7, +7, 1_000, 9007199254740993]", l{0.0, 7.0, -7.0, 7.0, 1000.0, 9007199254740992.0}},
		"leading zero":         {"[017, 0o17, 08, 0777, -010]", l{15.0, "0o17", "08", 511.0, -8.0}},
		"prefixes":             {"[0x1F, 0b101, 0xG, 0b2, -0x10]", l{31.0, 5.0, "0xG", "0b2", -16.0}},
		"base sixty":           {"[1:30, 1:2:3, 12:60, 20:59.5]", l{90.0, 3723.0, "12:60", 1259.5}},
		"floats":               {"[1.5, .5, 1., 1e3, 1.5E-2, -.inf, .5_0]", l{1.5, 0.5, 1.0, 1000.0, 0.015, math.Inf(-1), 0.5}},
		"no numbers":           {"[1_, 1.2.3, 1e, +, ., 127.0.0.1]", l{"1_", "1.2.3", "1e", "+", ".", "127.0.0.1"}},
		"quoted stay":          {`["8080", 'true']`, l{"8080", "true"}},
		"paths":                {"a: /*\nb: /x/:id?\nc: http://h:80/p#f\n", m{"a": "/*", "b": "/x/:id?", "c": "http://h:80/p#f"}},
		"comment after blank":  {"a: x #y\nb: x#y", m{"a": "x", "b": "x#y"}},
		"list at parent":       {"a:\n- 1\n- 2\nb: 3", m{"a": l{1.0, 2.0}, "b": 3.0}},
		"compact":              {"- a: 1\n  b: 2\n- - c\n  - d\n-\n  e: 1", l{m{"a": 1.0, "b": 2.0}, l{"c", "d"}, m{"e": 1.0}}},
		"null entries":         {"a:\nb:\n  - \n  -\nc: ", m{"a": nil, "b": l{nil, nil}, "c": nil}},
		"flow":                 {"{a: [1, {b: c}], 'd': \"e\", f: , \"g\":1, h}", m{"a": l{1.0, m{"b": "c"}}, "d": "e", "f": nil, "g": 1.0, "h": nil}},
		"flow pairs":           {"[a: b, c]", l{m{"a": "b"}, "c"}},
		"flow over lines":      {"a: [1,\n  2, # x\n3]\n", m{"a": l{1.0, 2.0, 3.0}}},
		"plain over lines":     {"a: b\n  c\n\n  d\n", m{"a": "b c\nd"}},
		"quoted over lines":    {"a: 'b\n  c'\nd: \"e\n\n  f\\\n  g\"", m{"a": "b c", "d": "e\nfg"}},
		"escapes":              {`"\x41é\U0001F600\n\t\/\\\"\e"`, "Aé😀\n\t/\\\"\x1b"},
		"surrogates":           {`"😀"`, "😀"},
		"single quote":         {"'it''s'", "it's"},
		"literal":              {"a: |\n  x\n\n   y\n  z\nb: 1", m{"a": "x\n\n y\nz\n", "b": 1.0}},
		"literal chomping":     {"a: |-\n  x\n\nb: |+\n  y\n\nc: z", m{"a": "x", "b": "y\n\n", "c": "z"}},
		"literal indent":       {"a: |2\n    x\n  y\n", m{"a": "  x\ny\n"}},
		"folded":               {"a: >\n  x\n  y\n\n  z\n   w\n  v\n", m{"a": "x y\nz\n w\nv\n"}},
		"empty block":          {"a: |\nb: >-\n", m{"a": "", "b": ""}},
		"anchors":              {"a: &x {k: 1}\nb: *x\n", m{"a": m{"k": 1.0}, "b": m{"k": 1.0}}},
		"merge":                {"a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n", m{"a": m{"k": 1.0, "l": 2.0}, "b": m{"k": 3.0, "l": 2.0}}},
		"merge behind":         {"a: &x {k: 1, l: 2}\nb:\n  k: 3\n  <<: *x\n", m{"a": m{"k": 1.0, "l": 2.0}, "b": m{"k": 3.0, "l": 2.0}}},
		"merge list":           {"a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}", m{"a": m{"k": 1.0}, "b": m{"k": 2.0, "l": 2.0}, "c": m{"k": 1.0, "l": 2.0}}},
		"quoted merge":         {"'<<': 1", m{"<<": 1.0}},
		"keys as JavaScript":   {"1: a\n0x10: b\ntrue: c\nnull: d\n1.50: e", m{"1": "a", "16": "b", "true": "c", "null": "d", "1.5": "e"}},
		"tags":                 {"[!!str 12, !!int '12', !!float 1, !!bool 'true', ! 12]", l{"12", 12.0, 1.0, true, "12"}},
		"regexp":               {"!!js/regexp /a+/gi", schema.Regexp{Source: "a+", Flags: "gi"}},
		"date stays text":      {"2026-11-22", "2026-11-22"},
		"document":             {"%YAML 1.2\n---\na: 1\n...\n", m{"a": 1.0}},
		"byte order mark":      {"\ufeffa: 1", m{"a": 1.0}},
		"carriage returns":     {"a: 1\r\nb:\r\n  - x\r\n", m{"a": 1.0, "b": l{"x"}}},
		"tab between":          {"a:\t1\t# x\n", m{"a": 1.0}},
		"explicit key":         {"? a\n: b\n? c\n", m{"a": "b", "c": nil}},
		"anchor on key":        {"a: 1\n&k b: *k\n", m{"a": 1.0, "b": "b"}},
		"template":             {"m: ${req.method} $${X} `x`", m{"m": "${req.method} $${X} `x`"}},
		"JSON":                 {`{"a":{"b":[1,true,null,"x"]}}`, m{"a": m{"b": l{1.0, true, nil, "x"}}}},
		"question mark inside": {"- ?x\n- -y\n- :z", l{"?x", "-y", ":z"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := yaml.Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := n.Any(nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		code string
		at   int
	}{
		"tab indents":          {"a:\n\tb: 1", "yaml-tab", 3},
		"duplicate key":        {"a: 1\nb: 2\na: 3", "duplicate-key", 10},
		"duplicate in flow":    {"{a: 1, a: 2}", "duplicate-key", 7},
		"star":                 {"host: *", "yaml-alias", 6},
		"star name":            {"- *.test", "yaml-alias", 2},
		"unclosed list":        {"a: [1, 2\nb: 3", "yaml-syntax", 9},
		"unclosed bracket":     {"a: [1", "yaml-syntax", 3},
		"unclosed quote":       {"a: 'x", "yaml-syntax", 3},
		"two colons":           {"a: b: c", "yaml-syntax", 4},
		"colon in continued":   {"a: b\n  c: d", "yaml-indentation", 7},
		"deeper":               {"a: 1\n  b: 2", "yaml-indentation", 7},
		"shallower":            {"a:\n    b: 1\n  c: 2", "yaml-indentation", 14},
		"no colon":             {"a: 1\nb\n", "yaml-syntax", 5},
		"item among keys":      {"a: 1\n- b", "yaml-syntax", 5},
		"list behind key":      {"a: - b", "yaml-syntax", 3},
		"bad escape":           {`"\q"`, "yaml-escape", 1},
		"short escape":         {`"\u12"`, "yaml-escape", 1},
		"second document":      {"a: 1\n---\nb: 2", "yaml-documents", 5},
		"merge of a text":      {"<<: x", "yaml-merge", 0},
		"list as key":          {"[a]: b", "yaml-key", 0},
		"unknown tag":          {"!!js/function 'x'", "yaml-tag", 0},
		"control character":    {"a: \x01", "yaml-character", 3},
		"at sign":              {"a: @x", "yaml-syntax", 3},
		"alias of the future":  {"a: *x\nb: &x 1", "yaml-alias", 3},
		"missing key":          {"a: 1\n: 2", "yaml-syntax", 5},
		"behind a text block":  {"a: | x\n  y", "yaml-syntax", 4},
		"no space after colon": {"a: 1\n'b':2", "yaml-syntax", 8},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := yaml.Parse(tc.text)
			e, ok := errors.AsType[*yaml.Error](err)
			if !ok {
				t.Fatalf("%q passed: %v", tc.text, err)
			}
			if e.Code != tc.code || e.Offset != tc.at {
				t.Errorf("%q: %s at %d (%s), want %s at %d", tc.text, e.Code, e.Offset, e.Text, tc.code, tc.at)
			}
		})
	}
}

// TestPositions holds that every node knows its place.
func TestPositions(t *testing.T) {
	t.Parallel()
	const text = "a: 'x y' # c\nb:\n  - {c: [d, 12]}\n  - |\n    e\nf: g\n  h\n"
	n, err := yaml.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	item := n.Get("b").Items[0]
	tests := map[string]struct {
		node *yaml.Node
		want string
	}{
		"quoted":    {n.Get("a"), "'x y'"},
		"key":       {n.Pair("b").Key, "b"},
		"flow map":  {item, "{c: [d, 12]}"},
		"flow item": {item.Get("c").Items[1], "12"},
		"literal":   {n.Get("b").Items[1], "|\n    e"},
		"two lines": {n.Get("f"), "g\n  h"},
	}
	for name, tc := range tests {
		if got := text[tc.node.Start:tc.node.End]; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestAliasBomb holds that aliases cannot make a small file large.
func TestAliasBomb(t *testing.T) {
	t.Parallel()
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += string([]byte{'a', byte('1' + i), ':', ' ', '&', 'a', byte('1' + i), ' ', '['})
		for range 10 {
			text += "*a" + string(byte('0'+i)) + ", "
		}
		text += "]\n"
	}
	n, err := yaml.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var e *yaml.Error
	if _, err := n.Any(nil); !errors.As(err, &e) || e.Code != "yaml-aliases" {
		t.Errorf("error = %v, want yaml-aliases", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a: 1\nb: [x, {y: z}]\n", "- - a\n  - b: |\n      c\n", "&a b: *a\n<<: {c: d}", "? x\n: - y", "\"\\u00e9\n  z\" : >+2\n    a\n",
		"---\n%a\n...", "!!str 1", "{a: , ? b : c}", "\ufeff'a''b'", "a:\r\n\t# x\r\n  b", "[[[[{{{{", "*", "&", "!<x", "|9\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := yaml.Parse(text)
		if err != nil {
			e, ok := errors.AsType[*yaml.Error](err)
			if !ok || e.Offset < 0 || e.Offset > len(text) || e.Text == "" {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		if n.Start < 0 || n.End > len(text) || n.Start > n.End {
			t.Fatalf("node from %d to %d of %d bytes", n.Start, n.End, len(text))
		}
		if _, err := n.Any(nil); err != nil {
			if _, ok := errors.AsType[*yaml.Error](err); !ok {
				t.Fatal(err)
			}
		}
	})
}
