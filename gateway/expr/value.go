package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
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
		s := strings.TrimSpace(v)
		if s == "" {
			return 0
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
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

// property reads object[key].
func property(o Value, key string) (Value, error) {
	switch o := o.(type) {
	case nil, Undefined:
		return nil, throw("cannot read property %q of undefined", key)
	case Null:
		return nil, throw("cannot read property %q of null", key)
	case Object:
		return o.Property(key), nil
	case string:
		if key == "length" {
			return float64(len([]rune(o))), nil
		}
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(o) {
			return o[i : i+1], nil
		}
	case List:
		if key == "length" {
			return float64(len(o)), nil
		}
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(o) {
			return o[i], nil
		}
	}
	return Undefined{}, nil
}

// stringify is JSON.stringify; names of objects come in alphabetical order.
func stringify(v Value) (Value, error) {
	if v == nil || v == (Undefined{}) {
		return Undefined{}, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data(v)); err != nil {
		var thrown *ThrownError
		if errors.As(err, &thrown) {
			return nil, thrown
		}
		return nil, errInterpret
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// data is the value as encoding/json encodes it.
func data(v Value) any {
	switch v := v.(type) {
	case nil, Undefined, Null:
		return nil
	case Object:
		return v.Data()
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
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
