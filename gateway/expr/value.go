package expr

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value is a JavaScript value: Undefined, Null, bool, float64, string, List or Object.
type Value any

// Undefined is the value of what is not there.
type Undefined struct{}

// Null is JavaScript's null.
type Null struct{}

// List is an array.
type List []Value

// Object has properties. What is not there is Undefined.
type Object interface {
	Property(name string) Value
	// Data returns the object as encoding/json encodes it.
	Data() any
}

// Truthy converts to a boolean as JavaScript does.
func Truthy(v Value) bool {
	switch v := v.(type) {
	case nil, Undefined, Null:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	default:
		return true
	}
}

// Text converts to a string as JavaScript does.
func Text(v Value) string {
	switch v := v.(type) {
	case nil, Undefined:
		return "undefined"
	case Null:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case float64:
		return numberText(v)
	case Date:
		return v.text()
	case List:
		parts := make([]string, len(v))
		for i, one := range v {
			if !missing(one) {
				parts[i] = Text(one)
			}
		}
		return strings.Join(parts, ",")
	default:
		return "[object Object]"
	}
}

func numberText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.Replace(strconv.FormatFloat(f, 'f', -1, 64), "Inf", "Infinity", 1), "+")
	case f != 0 && (math.Abs(f) >= 1e21 || math.Abs(f) < 1e-6):
		return strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e-0", "e-", 1)
	case f == 0:
		return "0"
	default:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
}

func toNumber(v Value) float64 {
	switch v := v.(type) {
	case Null:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return textToNumber(v)
	case List:
		return textToNumber(Text(v))
	}
	return math.NaN()
}

func typeOf(v Value) string {
	switch v.(type) {
	case nil, Undefined:
		return "undefined"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	default:
		return "object"
	}
}

func missing(v Value) bool {
	switch v.(type) {
	case nil, Undefined, Null:
		return true
	default:
		return false
	}
}

// property reads object[key]. What JavaScript finds in a prototype, only the interpreter finds.
func property(o Value, key string) (Value, error) {
	switch o := o.(type) {
	case nil, Undefined, Null:
		return nil, throw("TypeError: Cannot read properties of %s (reading '%s')", Text(o), key)
	case Object:
		v := o.Property(key)
		if v == (Undefined{}) && (isInherited(key) || isExpress(o)) {
			return nil, errInterpret // a method, perhaps
		}
		return known(v)
	case string:
		if !isASCII(o) {
			return nil, errInterpret
		}
		if key == "length" {
			return float64(len(o)), nil
		}
		if i, ok := index(key); ok && i < len(o) {
			return o[i : i+1], nil
		}
	case List:
		if key == "length" {
			return float64(len(o)), nil
		}
		if i, ok := index(key); ok && i < len(o) {
			return known(o[i])
		}
	}
	return nil, errInterpret
}

// known passes on a value that the compiled form can handle.
func known(v Value) (Value, error) {
	if hasDate(v) {
		return nil, errInterpret
	}
	return v, nil
}

func hasDate(v any) bool {
	switch v := v.(type) {
	case Date, reference:
		return true
	case record:
		return hasDate(map[string]any(v))
	case map[string]any:
		for _, one := range v {
			if hasDate(one) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasDate)
	case List:
		return slices.ContainsFunc(v, func(one Value) bool { return hasDate(one) })
	}
	return false
}

// isExpress tells whether an object has methods.
func isExpress(o Object) bool {
	switch o.(type) {
	case request, response:
		return true
	default:
		return false
	}
}

// isInherited tells whether every object has a member of this name.
func isInherited(name string) bool {
	switch name {
	case "constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
		"__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__":
		return true
	default:
		return false
	}
}

// index returns the index that a property name stands for.
func index(key string) (int, bool) {
	i, err := strconv.Atoi(key)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == key
}

// stringify is JSON.stringify; names of objects come in alphabetical order.
func stringify(v Value) (Value, error) {
	if v == nil || v == (Undefined{}) {
		return Undefined{}, nil
	}
	raw := data(v)
	if !plainJSON(raw) {
		return nil, errInterpret
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(raw); err != nil {
		return nil, errInterpret
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if strings.Contains(text, `\u202`) || strings.Contains(text, `\ufffd`) {
		return nil, errInterpret // encoding/json escapes what JavaScript does not
	}
	return text, nil
}

// plainJSON tells whether encoding/json writes data as JavaScript does: members whose names are numbers come
// in another order, and dates are objects.
func plainJSON(v any) bool {
	switch v := v.(type) {
	case nil, bool, float64, int, int64, string, []string:
		return true
	case List:
		return !slices.ContainsFunc(v, func(one Value) bool { return !plainJSON(one) })
	case []any:
		return !slices.ContainsFunc(v, func(one any) bool { return !plainJSON(one) })
	case map[string]any:
		for name, one := range v {
			if _, isIndex := index(name); isIndex || !plainJSON(one) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// data is the value as encoding/json encodes it.
func data(v Value) any {
	switch v := v.(type) {
	case nil, Undefined, Null:
		return nil
	case Object:
		return v.Data()
	case Date:
		return v.json()
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		if v == 0 {
			return 0.0 // and not -0
		}
		return v
	case List:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = data(one)
		}
		return out
	default:
		return v
	}
}
