package expr

import (
	"cmp"
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
		return apply(op, a, b)
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

func apply(op string, a, b Value) (Value, error) {
	switch op {
	case "===", "!==", "==", "!=":
		return equal(op, a, b)
	case "<", ">", "<=", ">=":
		return compare(op, a, b)
	case "+":
		if !isPrimitiveNumber(a) || !isPrimitiveNumber(b) {
			return join(a, b)
		}
		return toNumber(a) + toNumber(b), nil
	case "-":
		return toNumber(a) - toNumber(b), nil
	case "*":
		return toNumber(a) * toNumber(b), nil
	case "/":
		return toNumber(a) / toNumber(b), nil
	default:
		return math.Mod(toNumber(a), toNumber(b)), nil
	}
}

// maxText is how long a text may become here; longer ones are the interpreter's, which counts them.
const maxText = 64 << 10

func join(a, b Value) (Value, error) {
	s, t := Text(a), Text(b)
	if len(s)+len(t) > maxText {
		return nil, errInterpret
	}
	return s + t, nil
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

func compare(op string, a, b Value) (Value, error) {
	if isObject(a) {
		a = Text(a)
	}
	if isObject(b) {
		b = Text(b)
	}
	s, okA := a.(string)
	t, okB := b.(string)
	if okA && okB {
		if !isASCII(s) && !isASCII(t) {
			return nil, errInterpret // the order of UTF-16 is another one than that of UTF-8
		}
		return ordered(op, s, t), nil
	}
	return ordered(op, toNumber(a), toNumber(b)), nil
}

func ordered[T cmp.Ordered](op string, x, y T) bool {
	switch op {
	case "<":
		return x < y
	case ">":
		return x > y
	case "<=":
		return x <= y
	default:
		return x >= y
	}
}

func isObject(v Value) bool {
	switch v.(type) {
	case List, Object:
		return true
	default:
		return false
	}
}

// equal is the four operators of equality. Whether two objects are the same one, only the interpreter knows.
func equal(op string, a, b Value) (Value, error) {
	if isObject(a) && isObject(b) {
		return nil, errInterpret
	}
	result := false
	if strings.HasSuffix(op, "==") && len(op) == 3 {
		result = same(a, b)
	} else {
		result = looselySame(a, b)
	}
	return result == (op[0] == '='), nil
}

func same(a, b Value) bool {
	switch a := a.(type) {
	case nil, Undefined:
		return b == nil || b == Undefined{}
	case List, Object:
		return false
	default:
		if isObject(b) {
			return false
		}
		return a == b
	}
}

func looselySame(a, b Value) bool {
	if missing(a) || missing(b) {
		return missing(a) && missing(b)
	}
	if isObject(a) {
		a = Text(a)
	}
	if isObject(b) {
		b = Text(b)
	}
	if typeOf(a) == typeOf(b) {
		return same(a, b)
	}
	return toNumber(a) == toNumber(b)
}
