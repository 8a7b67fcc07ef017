// Package expr runs the JavaScript expressions and templates of Express Gateway's files.
//
// The forms that real files use are compiled into Go closures: literals, templates, property paths of req,
// consumer and egContext, operators, common methods, assignments to req.url, headers and egContext.
// Everything else runs in the interpreter of package fence, slowly and within limits; Slow tells which and why.
package expr

import (
	"errors"
	"fmt"

	"egk8s.dev/egk8s/gateway/expr/fence"
	"egk8s.dev/egk8s/gateway/message"
)

// Expression is a compiled expression. It is safe for concurrent use.
type Expression struct {
	source string
	eval   node    // the compiled form; nil: only the script can run it
	script *script // the interpreted form
	slow   string
}

// node computes a value; an error is what JavaScript would throw, or errInterpret.
type node func(x *message.Exchange) (Value, error)

// errInterpret is how the compiled form says that it met a value that only the interpreter can handle.
// A compiled form changes nothing before it may say so.
var errInterpret = errors.New("only the interpreter can do this")

// UnsupportedError says which part of an expression has no compiled form.
type UnsupportedError struct{ What string }

// Error names the part.
func (e *UnsupportedError) Error() string { return e.What + " has no compiled form" }

// ThrownError is an error that the expression throws when it is evaluated.
type ThrownError struct{ Message string }

// Error returns JavaScript's words.
func (e *ThrownError) Error() string { return e.Message }

// Compile compiles an expression or a list of statements. An error is a *fence.SyntaxError.
func Compile(source string) (*Expression, error) {
	e := &Expression{source: source, script: newScript(source)}
	var err error
	if e.eval, err = compile(source); err == nil {
		return e, nil
	}
	e.eval, e.slow = nil, err.Error()
	if _, err := e.script.compile(); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return e, nil
}

// compile makes the compiled form.
func compile(source string) (node, error) {
	p, err := newParser(source)
	if err != nil {
		return nil, err
	}
	var all []*Expression
	for from := 0; p.tok.kind != end || len(all) == 0; {
		eval, err := p.statement()
		if err != nil {
			return nil, err
		}
		to := p.tok.at
		if p.is(";") {
			err = p.next()
		} else if p.tok.kind != end {
			err = p.unexpected()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, &Expression{source: source[from:to], eval: eval, script: newScript(source[from:to])})
		from = p.tok.at
	}
	if len(all) == 1 {
		return all[0].eval, nil
	}
	return sequence(all), nil
}

// sequence runs statements one behind the other. Each may fall back to the interpreter by itself, as those before
// it have changed something already.
func sequence(all []*Expression) node {
	return func(x *message.Exchange) (v Value, err error) {
		for _, one := range all {
			if v, err = one.Eval(x); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
}

// compileOne makes the compiled form of what stands in ${…}.
func compileOne(source string) (node, error) {
	p, err := newParser(source)
	if err != nil {
		return nil, err
	}
	eval, err := p.expression(0)
	if err == nil && p.tok.kind != end {
		err = p.unexpected()
	}
	return eval, err
}

// Broken returns an expression that throws err whenever it is evaluated.
// EG: a mistake in an expression is found when a request meets it.
func Broken(source string, err error) *Expression {
	thrown := &ThrownError{Message: "SyntaxError: " + err.Error()}
	return &Expression{source: source, eval: func(*message.Exchange) (Value, error) { return nil, thrown }}
}

// String returns the expression as written.
func (e *Expression) String() string { return e.source }

// Slow says why the expression runs in the interpreter; empty: it is compiled.
func (e *Expression) Slow() string { return e.slow }

// Eval computes the expression for an exchange. An error is a *ThrownError, or one of package fence: the
// expression took too much.
func (e *Expression) Eval(x *message.Exchange) (Value, error) {
	if e.eval == nil {
		return e.script.eval(x)
	}
	v, err := e.eval(x)
	if errors.Is(err, errInterpret) {
		return e.script.eval(x)
	}
	return v, err
}

// Text computes the expression and turns the result into text, as JavaScript does. Errors are those of Eval.
func (e *Expression) Text(x *message.Exchange) (string, error) {
	if e.eval == nil {
		return e.script.text(x)
	}
	v, err := e.eval(x)
	if errors.Is(err, errInterpret) {
		return e.script.text(x)
	}
	if err != nil {
		return "", err
	}
	return Text(v), nil
}

// IsLimit tells whether an expression was ended because it took too much, rather than by itself.
func IsLimit(err error) bool {
	return errors.Is(err, fence.ErrTime) || errors.Is(err, fence.ErrMemory) || errors.Is(err, fence.ErrBusy)
}

func throw(format string, args ...any) error {
	return &ThrownError{Message: fmt.Sprintf(format, args...)}
}
