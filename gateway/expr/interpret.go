package expr

import (
	"errors"
	"sync"

	"github.com/dop251/goja"

	"egk8s.dev/egk8s/gateway/expr/fence"
	"egk8s.dev/egk8s/gateway/message"
)

// script is a source for the interpreter, compiled when it is first needed.
type script struct {
	source  string
	compile func() (*fence.Program, error)
}

func newScript(source string) *script {
	return &script{source: source, compile: sync.OnceValues(func() (*fence.Program, error) { return fence.Compile(source) })}
}

// run evaluates the script for an exchange; use takes the result inside of the fence.
func (s *script) run(x *message.Exchange, use func(*host, goja.Value)) error {
	program, err := s.compile()
	if err != nil {
		return &ThrownError{Message: "SyntaxError: " + err.Error()}
	}
	var h *host
	err = program.Run(
		func(box *fence.Sandbox) { h = newHost(box, x) },
		func(_ *fence.Sandbox, v goja.Value) {
			use(h, v)
			h.keep()
		},
	)
	if h != nil && h.answer != nil {
		x.Response.Send(h.answer.status, h.answer.contentType, h.answer.body)
	}
	if thrown, ok := errors.AsType[*fence.ThrownError](err); ok {
		return &ThrownError{Message: thrown.Message}
	}
	return err
}

func (s *script) eval(x *message.Exchange) (Value, error) {
	var out Value
	err := s.run(x, func(h *host, v goja.Value) { out = h.export(v) })
	return out, err
}

func (s *script) text(x *message.Exchange) (string, error) {
	var out string
	err := s.run(x, func(_ *host, v goja.Value) { out = v.String() })
	return out, err
}
