package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Match compares got with want and returns what differs, one text each.
//
// want is a literal, or a map of matchers: regex, contains, absent, any, type, not, oneof, len, gte,
// lte, exact. Any other map is a subset that the got map must have; a list must match item by item.
func Match(where string, want, got any) []string {
	m := &matcher{}
	m.match(where, want, got)
	return m.diffs
}

type matcher struct{ diffs []string }

func (m *matcher) addf(format string, args ...any) {
	m.diffs = append(m.diffs, fmt.Sprintf(format, args...))
}

func (m *matcher) match(where string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		if isMatcher(w) {
			m.matchers(where, w, got)
			return
		}
		g, ok := got.(map[string]any)
		if !ok {
			m.addf("%s: expected an object, got %s", where, show(got))
			return
		}
		for k, one := range w {
			m.match(where+"."+k, one, g[k])
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			m.addf("%s: %s != %s", where, show(got), show(want))
			return
		}
		for i := range w {
			m.match(fmt.Sprintf("%s[%d]", where, i), w[i], g[i])
		}
	default:
		if want != got {
			m.addf("%s: %s != %s", where, show(got), show(want))
		}
	}
}

func matcherNames() []string {
	return []string{"regex", "contains", "absent", "any", "type", "not", "oneof", "len", "gte", "lte", "exact"}
}

// isMatcher tells a map of matchers from a map of fields.
func isMatcher(w map[string]any) bool {
	for k := range w {
		if !slices.Contains(matcherNames(), k) {
			return false
		}
	}
	return len(w) > 0
}

func (m *matcher) matchers(where string, want map[string]any, got any) {
	for name, arg := range want {
		switch {
		case name == "absent":
			if (got == nil) != (arg == true) {
				m.addf("%s: absent should be %v, got %s", where, arg, show(got))
			}
		case got == nil:
			m.addf("%s: missing, expected %s", where, show(want))
			return
		default:
			m.one(where, name, arg, got)
		}
	}
}

func (m *matcher) one(where, name string, arg, got any) {
	right := true
	switch name {
	case "any":
	case "regex":
		pattern, _ := arg.(string)
		re, err := regexp.Compile(pattern)
		right = err == nil && re.MatchString(asText(got))
	case "contains":
		right = contains(got, arg)
	case "not":
		right = len(Match(where, arg, got)) > 0
	case "oneof":
		list, _ := arg.([]any)
		right = slices.ContainsFunc(list, func(x any) bool { return len(Match(where, x, got)) == 0 })
	case "type":
		right = typeOf(got) == arg
	default:
		right = sized(name, arg, got)
	}
	if !right {
		m.addf("%s: %s does not match %s %s", where, show(got), name, show(arg))
	}
}

// sized are the matchers that compare a number, and exact.
func sized(name string, arg, got any) bool {
	number, _ := arg.(float64)
	value, isNumber := got.(float64)
	switch name {
	case "len":
		return float64(length(got)) == number
	case "gte":
		return isNumber && value >= number
	case "lte":
		return isNumber && value <= number
	default:
		return show(arg) == show(got)
	}
}

func length(v any) int {
	switch x := v.(type) {
	case string:
		return len(x)
	case []any:
		return len(x)
	case map[string]any:
		return len(x)
	default:
		return -1
	}
}

func contains(got, arg any) bool {
	wants, ok := arg.([]any)
	if !ok {
		wants = []any{arg}
	}
	list, isList := got.([]any)
	for _, want := range wants {
		if isList {
			if !slices.Contains(list, want) {
				return false
			}
			continue
		}
		if text, _ := want.(string); !strings.Contains(asText(got), text) {
			return false
		}
	}
	return true
}

func typeOf(v any) any {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	default:
		return "null"
	}
}

// asText is a text as it is and everything else as JSON.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return show(v)
}

// show is a value as JSON, cut where it is long.
func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(text) > 600 {
		return string(text[:600]) + "…"
	}
	return string(text)
}
