package message

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// encodeForm writes an object as a form, its names in a given order, those of nested objects in theirs.
// EG: form-urlencoded 4.
func encodeForm(object map[string]any, names []string) []byte {
	var e formEncoder
	for _, name := range names {
		e.value(name, object[name])
	}
	return e.out
}

type formEncoder struct{ out []byte }

func (e *formEncoder) value(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.SortedFunc(maps.Keys(v), compareNames) {
			e.value(name+"["+key+"]", v[key])
		}
	case []any:
		if len(v) == 0 {
			e.pair(name+"[]", "")
			e.out = e.out[:len(e.out)-1] // without "="
		}
		for i, one := range v {
			e.value(name+"["+strconv.Itoa(i)+"]", one)
		}
	default:
		e.pair(name, scalarText(v))
	}
}

func (e *formEncoder) pair(name, value string) {
	if len(e.out) > 0 {
		e.out = append(e.out, '&')
	}
	e.out = appendFormText(e.out, name)
	e.out = append(e.out, '=')
	e.out = appendFormText(e.out, value)
}

// appendFormText escapes everything but letters, digits, "-", "_" and "."; a blank is a plus.
func appendFormText(out []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.", c) >= 0:
			out = append(out, c)
		case c == ' ':
			out = append(out, '+')
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}

// scalarText is String(v) of JavaScript.
func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	default:
		if text, err := json.Marshal(v); err == nil { // numbers come as in JavaScript
			return string(text)
		}
		return fmt.Sprint(v)
	}
}
