package expr

import (
	"math"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

func binary(op string, left, right node) node {
	switch op {
	case "&&":
		return short(left, right, func(v Value) bool { return !Truthy(v) })
	case "||":
		return short(left, right, Truthy)
	case "??":
		return short(left, right, func(v Value) bool { return !missing(v) })
	}
	return func(x *message.Exchange) (Value, error) {
		a, err := left(x)
		if err != nil {
			return nil, err
		}
		b, err := right(x)
		if err != nil {
			return nil, err
		}
		return apply(op, a, b), nil
	}
}

// short evaluates right only when left does not decide already.
func short(left, right node, decides func(Value) bool) node {
	return func(x *message.Exchange) (Value, error) {
		v, err := left(x)
		if err != nil || decides(v) {
			return v, err
		}
		return right(x)
	}
}

func apply(op string, a, b Value) Value {
	switch op {
	case "===":
		return same(a, b)
	case "!==":
		return !same(a, b)
	case "==":
		return looselySame(a, b)
	case "!=":
		return !looselySame(a, b)
	case "<", ">", "<=", ">=":
		return compare(op, a, b)
	case "+":
		if !isPrimitiveNumber(a) || !isPrimitiveNumber(b) {
			return Text(a) + Text(b)
		}
		return toNumber(a) + toNumber(b)
	case "-":
		return toNumber(a) - toNumber(b)
	case "*":
		return toNumber(a) * toNumber(b)
	case "/":
		return toNumber(a) / toNumber(b)
	default:
		return math.Mod(toNumber(a), toNumber(b))
	}
}

// isPrimitiveNumber tells whether + adds the value rather than joining its text.
func isPrimitiveNumber(v Value) bool {
	switch v.(type) {
	case string, List, Object:
		return false
	default:
		return true
	}
}

func compare(op string, a, b Value) bool {
	s, okA := a.(string)
	t, okB := b.(string)
	if okA && okB {
		c := strings.Compare(s, t)
		return op == "<" && c < 0 || op == ">" && c > 0 || op == "<=" && c <= 0 || op == ">=" && c >= 0
	}
	x, y := toNumber(a), toNumber(b)
	return op == "<" && x < y || op == ">" && x > y || op == "<=" && x <= y || op == ">=" && x >= y
}

func same(a, b Value) bool {
	switch a := a.(type) {
	case nil, Undefined:
		return b == nil || b == Undefined{}
	case List, Object:
		return false // two look-ups never give one object here
	default:
		if _, isList := b.(List); isList {
			return false
		}
		return a == b
	}
}

func looselySame(a, b Value) bool {
	if missing(a) || missing(b) {
		return missing(a) && missing(b)
	}
	if typeOf(a) == typeOf(b) {
		return same(a, b)
	}
	if typeOf(a) == "object" {
		a = Text(a)
	}
	if typeOf(b) == "object" {
		b = Text(b)
	}
	if typeOf(a) == "string" && typeOf(b) == "string" {
		return a == b
	}
	return toNumber(a) == toNumber(b)
}
