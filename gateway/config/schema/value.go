package schema

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Unknown stands for a value that is only known in the pod: a scalar with a ${NAME} that nothing here resolves.
// It satisfies every schema of a scalar.
type Unknown struct {
	// Text is the scalar as written, with its references: "http://${HOST}:8080".
	Text string
}

// MarshalText gives the scalar as written.
func (u Unknown) MarshalText() ([]byte, error) { return []byte(u.Text), nil }

// HoldsUnknown tells whether v is an Unknown or holds one, however deep.
func HoldsUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case map[string]any:
		for _, e := range v {
			if HoldsUnknown(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, HoldsUnknown)
	}
	return false
}

// Regexp is a JavaScript regular expression literal, as YAML's !!js/regexp writes it.
type Regexp struct {
	Source string
	Flags  string
}

// MarshalText gives the literal: /source/flags.
func (r Regexp) MarshalText() ([]byte, error) { return []byte("/" + r.Source + "/" + r.Flags), nil }

// typeOf names the JSON type of a value; a Regexp is an object, as it is in JavaScript.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any, Regexp:
		return "object"
	case Unknown:
		return "unknown"
	default:
		_ = v
		return "other"
	}
}

// hasType tells whether v already is of the JSON Schema type t.
func hasType(v any, t string) bool {
	if t == "integer" {
		f, ok := v.(float64)
		return ok && f == math.Trunc(f) && !math.IsInf(f, 0)
	}
	return typeOf(v) == t
}

// coerce turns v into a value of one of the types, as ajv's coerceTypes does: in the order of types.
func coerce(v any, types []string) (any, bool) {
	for _, t := range types {
		if c, ok := coerceTo(v, t); ok {
			return c, true
		}
	}
	return v, false
}

func coerceTo(v any, t string) (any, bool) {
	switch t {
	case "string":
		switch v := v.(type) {
		case nil:
			return "", true
		case bool:
			return strconv.FormatBool(v), true
		case float64:
			return FormatNumber(v), true
		}
	case "number", "integer":
		return coerceNumber(v, t == "integer")
	case "boolean":
		switch v {
		case "false", 0.0, nil:
			return false, true
		case "true", 1.0:
			return true, true
		}
	case "null":
		switch v {
		case "", 0.0, false:
			return nil, true
		}
	}
	return v, false
}

func coerceNumber(v any, integer bool) (any, bool) {
	switch v := v.(type) {
	case nil:
		return 0.0, true
	case bool:
		if v {
			return 1.0, true
		}
		return 0.0, true
	case string:
		f, ok := parseNumber(v)
		if ok && (!integer || f == math.Trunc(f) && !math.IsInf(f, 0)) {
			return f, true
		}
	}
	return v, false
}

// parseNumber reads a string as JavaScript's unary plus does; the empty string is no number here,
// for ajv asks for one that is not empty.
func parseNumber(s string) (float64, bool) {
	if s == "" {
		return 0, false
	}
	t := strings.TrimSpace(s)
	if t == "" {
		return 0, true
	}
	if len(t) > 2 && t[0] == '0' {
		base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[t[1]]
		if base != 0 {
			n, err := strconv.ParseUint(t[2:], base, 64)
			return float64(n), err == nil && !strings.ContainsAny(t[2:], "_+-")
		}
	}
	switch strings.TrimLeft(t, "+-") {
	case "Infinity":
		return math.Inf(1 - 2*strings.Count(t, "-")), len(t) <= len("-Infinity")
	}
	if strings.ContainsAny(t, "_xXpPiInN") {
		return 0, false
	}
	f, err := strconv.ParseFloat(t, 64)
	return f, err == nil
}

// FormatNumber writes a number as JavaScript's String(n) does.
func FormatNumber(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case a >= 1e-6 && a < 1e21:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
}

// count returns how many values v has inside, itself included.
func count(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += count(e)
		}
	case []any:
		for _, e := range v {
			n += count(e)
		}
	}
	return n
}

// clone copies a value so that coercion and defaults leave the original alone.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	default:
		return v
	}
}
