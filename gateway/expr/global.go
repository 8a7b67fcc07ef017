package expr

import (
	"egk8s.dev/egk8s/gateway/message"
)

// global compiles a name that stands alone: a literal, or what Express Gateway puts into the context.
func (p *parser) global(id string) (node, error) {
	switch id {
	case "true", "false":
		return constant(id == "true"), nil
	case "null":
		return constant(Null{}), nil
	case "undefined":
		return constant(Undefined{}), nil
	case "JSON":
		return p.json()
	case "req":
		if err := p.checkMethodProperty(id); err != nil {
			return nil, err
		}
		return func(x *message.Exchange) (Value, error) { return request{x}, nil }, nil
	case "res":
		if err := p.checkMethodProperty(id); err != nil {
			return nil, err
		}
		return func(x *message.Exchange) (Value, error) { return response{x}, nil }, nil
	case "egContext":
		return func(x *message.Exchange) (Value, error) { return context{x}, nil }, nil
	case "consumer", "requestID", "apiEndpoint":
		return func(x *message.Exchange) (Value, error) { return context{x}.Property(id), nil }, nil
	default:
		if isBuiltin(id) || !isASCII(id) {
			return nil, &UnsupportedError{What: "the name " + id}
		}
		return func(x *message.Exchange) (Value, error) {
			if _, ok := x.Context[id]; !ok {
				return nil, throw("ReferenceError: %s is not defined", id)
			}
			return known(context{x}.Property(id))
		}, nil
	}
}

// checkMethodProperty leaves to the interpreter what req and res have as functions.
func (p *parser) checkMethodProperty(object string) error {
	if !p.is(".") {
		return nil
	}
	ahead := p.lex
	tok, err := ahead.next()
	if err != nil {
		return err
	}
	switch tok.text {
	case "app":
		if object == "res" {
			return nil
		}
		return &UnsupportedError{What: object + ".app"}
	case "get", "header", "is", "accepts", "param", "set", "setHeader", "getHeader", "getHeaders", "hasHeader", "removeHeader",
		"append", "type", "contentType", "status", "send", "end", "json", "sendStatus", "redirect", "locals":
		return &UnsupportedError{What: object + "." + tok.text}
	}
	return nil
}

// json compiles JSON.stringify(value).
func (p *parser) json() (node, error) {
	if err := p.expect("."); err != nil {
		return nil, err
	}
	if p.tok.kind != name || p.tok.text != "stringify" {
		return nil, &UnsupportedError{What: "JSON." + p.tok.text}
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, &UnsupportedError{What: "JSON.stringify with other than one argument"}
	}
	return func(x *message.Exchange) (Value, error) {
		v, err := args[0](x)
		if err != nil {
			return nil, err
		}
		return stringify(v)
	}, nil
}
