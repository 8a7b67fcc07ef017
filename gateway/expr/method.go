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
	return []string{"toLowerCase", "toUpperCase", "trim", "startsWith", "endsWith", "includes", "indexOf", "toString"}
}

func call(o Value, field string, args []Value) (Value, error) {
	arg := ""
	if len(args) > 0 {
		arg = Text(args[0])
	}
	switch o := o.(type) {
	case string:
		return callText(o, field, arg), nil
	case List:
		at := slices.IndexFunc(o, func(v Value) bool { return len(args) > 0 && same(v, args[0]) })
		switch field {
		case "includes":
			return at >= 0, nil
		case "indexOf":
			return float64(at), nil
		}
	case float64, bool:
		if field == "toString" {
			return Text(o), nil
		}
	}
	if missing(o) {
		return nil, throw("cannot read property %q of %s", field, Text(o))
	}
	return nil, throw("%s is not a function", field)
}

func callText(s, field, arg string) Value {
	switch field {
	case "toLowerCase":
		return strings.ToLower(s)
	case "toUpperCase":
		return strings.ToUpper(s)
	case "trim":
		return strings.TrimSpace(s)
	case "startsWith":
		return strings.HasPrefix(s, arg)
	case "endsWith":
		return strings.HasSuffix(s, arg)
	case "includes":
		return strings.Contains(s, arg)
	case "indexOf":
		return float64(strings.Index(s, arg))
	default:
		return s
	}
}
