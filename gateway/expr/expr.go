// Package expr compiles the JavaScript expressions and templates of Express Gateway's files into Go closures.
//
// It knows a subset: literals, templates, property paths of req, consumer, egContext, apiEndpoint and
// requestID, the usual operators, JSON.stringify and some methods of strings and lists. There is no
// assignment, no loop and no function, so an evaluation always ends, and soon. Everything else is
// refused when it is compiled, with an UnsupportedError.
package expr

import (
	"fmt"

	"egk8s.dev/egk8s/gateway/message"
)

// Expression is a compiled expression. It is safe for concurrent use.
type Expression struct {
	source string
	eval   node
}

// node computes a value; an error is what JavaScript would throw.
type node func(x *message.Exchange) (Value, error)

// UnsupportedError says which part of an expression this gateway cannot run.
type UnsupportedError struct{ What string }

// Error names the part.
func (e *UnsupportedError) Error() string {
	return e.What + " is not supported yet in expressions"
}

// ThrownError is an error that the expression throws when it is evaluated.
type ThrownError struct{ Message string }

// Error returns JavaScript's words.
func (e *ThrownError) Error() string { return e.Message }

// Compile compiles one expression. An error is an UnsupportedError or tells what is wrong with the syntax.
func Compile(source string) (*Expression, error) {
	p, err := newParser(source)
	if err != nil {
		return nil, err
	}
	eval, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind == punctuation && p.tok.text == ";" {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if p.tok.kind != end {
		return nil, p.unexpected()
	}
	return &Expression{source: source, eval: eval}, nil
}

// String returns the expression as written.
func (e *Expression) String() string { return e.source }

// Eval computes the expression for an exchange. An error is a ThrownError.
func (e *Expression) Eval(x *message.Exchange) (Value, error) { return e.eval(x) }

// Text computes the expression and turns the result into text, as JavaScript does.
func (e *Expression) Text(x *message.Exchange) (string, error) {
	v, err := e.eval(x)
	if err != nil {
		return "", err
	}
	return Text(v), nil
}

func throw(format string, args ...any) error {
	return &ThrownError{Message: fmt.Sprintf(format, args...)}
}
