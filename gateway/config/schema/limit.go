package schema

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// limit is one numeric keyword: minimum, maxLength, minItems, …
type limit struct {
	code    string
	of      string // "number", "string", "array", "object"
	message string
	holds   func(n float64) bool
}

// readLimits finds the numeric keywords of a schema, in a fixed order.
func readLimits(doc map[string]any) []limit {
	var limits []limit
	add := func(code, of, words string, holds func(n, bound float64) bool) {
		bound, ok := doc[code].(float64)
		if !ok {
			return
		}
		limits = append(limits, limit{code, of, fmt.Sprintf(words, FormatNumber(bound)), func(n float64) bool { return holds(n, bound) }})
	}
	atLeast := func(n, bound float64) bool { return n >= bound }
	atMost := func(n, bound float64) bool { return n <= bound }
	add("minimum", "number", "must be at least %s", atLeast)
	add("maximum", "number", "must be at most %s", atMost)
	add("exclusiveMinimum", "number", "must be more than %s", func(n, b float64) bool { return n > b })
	add("exclusiveMaximum", "number", "must be less than %s", func(n, b float64) bool { return n < b })
	add("multipleOf", "number", "must be a multiple of %s", func(n, b float64) bool { q := n / b; return q == math.Trunc(q) })
	add("minLength", "string", "must have at least %s characters", atLeast)
	add("maxLength", "string", "must have at most %s characters", atMost)
	add("minItems", "array", "must have at least %s items", atLeast)
	add("maxItems", "array", "must have at most %s items", atMost)
	add("minProperties", "object", "must have at least %s keys", atLeast)
	add("maxProperties", "object", "must have at most %s keys", atMost)
	return limits
}

// measure returns what the limits of v's type look at.
func measure(v any) (of string, n float64) {
	switch v := v.(type) {
	case float64:
		return "number", v
	case string:
		return "string", float64(utf8.RuneCountInString(v))
	case []any:
		return "array", float64(len(v))
	case map[string]any:
		return "object", float64(len(v))
	default:
		return "", 0
	}
}
