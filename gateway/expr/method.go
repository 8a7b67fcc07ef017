package expr

import (
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// method compiles object.field(…); the parser stands at the bracket.
func (p *parser) method(object node, field string) (node, error) {
	if !slices.Contains(methods(), field) {
		return nil, &UnsupportedError{What: "the method " + field + "()"}
	}
	if field == "replace" || field == "replaceAll" {
		before := *p
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.is("/") && field == "replace" {
			return p.regexpReplace(object)
		}
		*p = before
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	return func(x *message.Exchange) (Value, error) {
		o, err := object(x)
		if err != nil {
			return nil, err
		}
		values := make([]Value, len(args))
		for i, arg := range args {
			if values[i], err = arg(x); err != nil {
				return nil, err
			}
		}
		return call(o, field, values)
	}, nil
}

func (p *parser) arguments() ([]node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var args []node
	for !p.is(")") {
		arg, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if p.is(")") {
			break
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
	return args, p.next()
}

// methods are those that strings, and in part lists, have here.
func methods() []string {
	return []string{
		"toLowerCase", "toUpperCase", "trim", "startsWith", "endsWith", "includes", "indexOf", "toString", "replace", "replaceAll",
		"split", "slice", "substring", "concat", "join", "charAt",
	}
}

// call calls a method of a value. What it cannot do exactly as JavaScript, it leaves to the interpreter.
func call(o Value, field string, args []Value) (Value, error) {
	switch o := o.(type) {
	case string:
		return callText(o, field, args)
	case List:
		if field == "join" && len(args) == 1 {
			return joinList(o, args[0])
		}
	case float64, bool:
		if field == "toString" && len(args) == 0 {
			return Text(o), nil
		}
	}
	if missing(o) {
		return nil, throw("TypeError: Cannot read properties of %s (reading '%s')", Text(o), field)
	}
	return nil, errInterpret
}

func joinList(list List, separator Value) (Value, error) {
	parts, n := make([]string, len(list)), 0
	for i, one := range list {
		if !missing(one) {
			parts[i] = Text(one)
		}
		if n += len(parts[i]); n > maxText {
			return nil, errInterpret
		}
	}
	s := Text(separator)
	if n+len(list)*len(s) > maxText || separator == (Undefined{}) {
		return nil, errInterpret
	}
	return strings.Join(parts, s), nil
}

// callText calls a method of a text. Positions are only the same for ASCII.
func callText(s, field string, args []Value) (Value, error) {
	if len(args) == 0 {
		return callBare(s, field)
	}
	if len(args) == 2 {
		return callTwo(s, field, args)
	}
	if len(args) != 1 || isObject(args[0]) {
		return nil, errInterpret
	}
	arg := Text(args[0])
	switch field {
	case "startsWith":
		return strings.HasPrefix(s, arg), nil
	case "endsWith":
		return strings.HasSuffix(s, arg), nil
	case "includes":
		return strings.Contains(s, arg), nil
	case "concat":
		return join(s, arg)
	case "indexOf":
		if isASCII(s) {
			return float64(strings.Index(s, arg)), nil
		}
	case "split":
		if text, ok := args[0].(string); ok && text != "" && strings.Count(s, text) < 1000 {
			parts := strings.Split(s, text)
			list := make(List, len(parts))
			for i := range parts {
				list[i] = parts[i]
			}
			return list, nil
		}
	case "slice", "substring", "charAt":
		return cut(s, field, args[0], float64(len(s)))
	}
	return nil, errInterpret
}

// callBare calls a method without arguments.
func callBare(s, field string) (Value, error) {
	switch field {
	case "toString":
		return s, nil
	case "trim":
		return trim(s), nil
	case "toLowerCase":
		if isASCII(s) {
			return strings.ToLower(s), nil
		}
	case "toUpperCase":
		if isASCII(s) {
			return strings.ToUpper(s), nil
		}
	}
	return nil, errInterpret
}

// callTwo calls a method with two arguments.
func callTwo(s, field string, args []Value) (Value, error) {
	switch field {
	case "replace", "replaceAll":
		what, okWhat := args[0].(string)
		by, okBy := args[1].(string)
		if !okWhat || !okBy || what == "" || strings.Contains(by, "$") || strings.Count(s, what)*len(by)+len(s) > maxText {
			return nil, errInterpret
		}
		if field == "replace" {
			return strings.Replace(s, what, by, 1), nil
		}
		return strings.ReplaceAll(s, what, by), nil
	case "slice", "substring":
		return cut(s, field, args[0], args[1])
	}
	return nil, errInterpret
}

// cut is slice, substring or charAt.
func cut(s, field string, from, to Value) (Value, error) {
	a, okA := from.(float64)
	b, okB := to.(float64)
	if !okA || !okB || !isASCII(s) || a != float64(int(a)) || b != float64(int(b)) {
		return nil, errInterpret
	}
	i, j, n := int(a), int(b), len(s)
	switch field {
	case "charAt":
		if i < 0 || i >= n {
			return "", nil
		}
		return s[i : i+1], nil
	case "substring":
		i, j = min(max(i, 0), n), min(max(j, 0), n)
		return s[min(i, j):max(i, j)], nil
	default:
		if i < 0 {
			i = max(n+i, 0)
		}
		if j < 0 {
			j = max(n+j, 0)
		}
		i, j = min(i, n), min(j, n)
		return s[i:max(i, j)], nil
	}
}
