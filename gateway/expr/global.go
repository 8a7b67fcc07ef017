package expr

import (
	"cmp"

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
		if err := p.checkRequestProperty(); err != nil {
			return nil, err
		}
		return func(x *message.Exchange) (Value, error) { return request{x}, nil }, nil
	case "res":
		return p.response()
	case "egContext":
		return func(x *message.Exchange) (Value, error) { return context{x}, nil }, nil
	case "consumer", "requestID", "apiEndpoint":
		return func(x *message.Exchange) (Value, error) { return context{x}.Property(id), nil }, nil
	default:
		return nil, &UnsupportedError{What: "the name " + id}
	}
}

// response compiles res.NAME for the few names that mean something while a request is on its way.
func (p *parser) response() (node, error) {
	if err := p.expect("."); err != nil {
		return nil, err
	}
	field := p.tok.text
	var read func(*message.Response) Value
	switch field {
	case "statusCode": // node begins with 200
		read = func(r *message.Response) Value { return float64(cmp.Or(r.Status(), 200)) }
	case "headersSent":
		read = func(r *message.Response) Value { return r.Started() }
	case "app": // a real file logs it: Express's application, a function, as text
		read = func(*message.Response) Value {
			return "function(req, res, next) {\n    app.handle(req, res, next);\n  }"
		}
	default:
		return nil, &UnsupportedError{What: "res." + field}
	}
	return func(x *message.Exchange) (Value, error) { return read(&x.Response), nil }, p.next()
}

// checkRequestProperty refuses what req has in Express and not here, so that it is not taken for undefined.
func (p *parser) checkRequestProperty() error {
	if !p.is(".") {
		return nil
	}
	ahead := p.lex
	tok, err := ahead.next()
	if err != nil {
		return err
	}
	switch tok.text {
	case "app", "body", "connection", "cookies", "fresh", "get", "header", "ips", "is", "param", "rawHeaders",
		"res", "route", "session", "signedCookies", "socket", "stale", "subdomains", "xhr", "accepts":
		return &UnsupportedError{What: "req." + tok.text}
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
		return stringify(v), nil
	}, nil
}
