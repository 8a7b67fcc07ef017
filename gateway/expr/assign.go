package expr

import (
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// setter stores a value.
type setter func(x *message.Exchange, key string, v Value) error

// statement compiles an assignment, res.setHeader(…) or an expression.
func (p *parser) statement() (node, error) {
	before := *p
	eval, ok, err := p.assignment()
	if ok || err != nil {
		return eval, err
	}
	*p = before
	return p.expression(0)
}

// assignment compiles PLACE = value; false: this is none.
func (p *parser) assignment() (node, bool, error) {
	set, key, ok := p.place()
	if !ok {
		return nil, false, nil
	}
	if p.is("(") { // res.setHeader
		args, err := p.arguments()
		if err != nil || len(args) != 2 || !p.is(";") && p.tok.kind != end {
			return nil, false, err
		}
		return resultIsResponse(assign(set, args[0], args[1])), true, nil
	}
	if !p.is("=") {
		return nil, false, nil
	}
	if err := p.next(); err != nil {
		return nil, false, err
	}
	value, err := p.expression(0)
	if err != nil {
		return nil, false, err
	}
	return assign(set, key, value), true, nil
}

// resultIsResponse lets a call chain, as node does.
func resultIsResponse(n node) node {
	return func(x *message.Exchange) (Value, error) {
		if _, err := n(x); err != nil {
			return nil, err
		}
		return response{x}, nil
	}
}

func assign(set setter, key, value node) node {
	return func(x *message.Exchange) (Value, error) {
		k, err := key(x)
		if err != nil {
			return nil, err
		}
		v, err := value(x)
		if err != nil {
			return nil, err
		}
		return v, set(x, Text(k), v)
	}
}

// place reads what an assignment may assign to.
func (p *parser) place() (setter, node, bool) {
	root := p.tok.text
	if p.tok.kind != name || p.next() != nil || !p.is(".") || p.next() != nil || p.tok.kind != name {
		return nil, nil, false
	}
	field := p.tok.text
	if p.next() != nil {
		return nil, nil, false
	}
	switch {
	case root == "req" && field == "headers":
		return p.headerPlace()
	case root == "res" && field == "setHeader" && p.is("("):
		return storeResponseHeader, nil, true
	case root == "req" && field == "url":
		return storeURL, constant(field), true
	case root == "req" && ownName(field):
		return storeMember, constant(field), true
	case root == "egContext" && ownName(field) && field != "res" && field != "req":
		return storeContext, constant(field), true
	default:
		return nil, nil, false
	}
}

func (p *parser) headerPlace() (setter, node, bool) {
	switch {
	case p.is("."):
		if p.next() != nil || p.tok.kind != name {
			return nil, nil, false
		}
		field := p.tok.text
		return storeHeader, constant(field), p.next() == nil
	case p.is("["):
		if p.next() != nil {
			return nil, nil, false
		}
		key, err := p.expression(0)
		return storeHeader, key, err == nil && p.expect("]") == nil
	default:
		return nil, nil, false
	}
}

// ownName tells whether a name is free for expressions: it belongs neither to Express, nor to node, nor to
// the gateway, nor to every object.
func ownName(field string) bool {
	if isInherited(field) {
		return false
	}
	switch field {
	case "method", "body", "user", "headers", "url", "path", "host", "hostname", "ip", "ips", "protocol", "secure", "xhr", "subdomains",
		"egContext", "res", "httpVersion", "query", "params", "originalUrl", "baseUrl", "connection", "socket", "app", "toJSON",
		"consumer", "requestID", "apiEndpoint", "get", "header", "is", "accepts", "param", "globalThis", "undefined", "NaN", "Infinity":
		return false
	}
	return !isBuiltin(field)
}

func storeURL(x *message.Exchange, _ string, v Value) error {
	setURL(&x.Request, Text(v))
	return nil
}

func storeHeader(x *message.Exchange, key string, v Value) error {
	setHeader(x, key, lines(v))
	return nil
}

func storeResponseHeader(x *message.Exchange, key string, v Value) error {
	if !validFieldName(key) {
		return errInterpret
	}
	setResponseHeader(x, key, lines(v))
	return nil
}

func storeMember(x *message.Exchange, key string, v Value) error {
	raw, err := storable(v)
	if err == nil {
		setMember(x, reqMembers, key, raw)
	}
	return err
}

func storeContext(x *message.Exchange, key string, v Value) error {
	raw, err := storable(v)
	if err == nil {
		setContext(x, key, raw)
	}
	return err
}

// storable is the data that a later step finds.
func storable(v Value) (any, error) {
	raw := rawData(v)
	if raw == (Null{}) {
		return nil, nil //nolint:nilnil // null is what it is
	}
	if _, isCircular := raw.(circular); isCircular || hasDate(raw) {
		return nil, errInterpret
	}
	return plain(raw), nil
}

// lines are those of a header field; nothing and null remove it.
func lines(v Value) []string {
	switch v := v.(type) {
	case nil, Undefined, Null:
		return nil
	case List:
		out := make([]string, len(v))
		for i := range v {
			out[i] = Text(v[i])
		}
		return out
	default:
		return []string{Text(v)}
	}
}

// isBuiltin tells whether JavaScript itself has a global of this name, or keeps the word for itself.
func isBuiltin(id string) bool {
	return strings.Contains(" "+builtins+" ", " "+id+" ")
}

const builtins = "Object Array String Number RegExp Date Boolean Math JSON Symbol Map Set globalThis NaN undefined Infinity isNaN isFinite " +
	"parseInt parseFloat decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape console Error TypeError ReferenceError " +
	"SyntaxError RangeError EvalError URIError eval Function Proxy Reflect Promise BigInt WeakMap WeakSet ArrayBuffer DataView " +
	"constructor toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable __proto__ " +
	"await break case catch class const continue debugger default delete do else enum export extends false finally for function if import " +
	"in instanceof let new null return static super switch this throw true try typeof var void while with yield arguments"
