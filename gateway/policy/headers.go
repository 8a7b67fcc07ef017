package policy

import (
	"context"
	"fmt"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// headers adds request headers whose values are JavaScript expressions.
type headers struct {
	forward []forwardHeader
}

type forwardHeader struct {
	name  string
	value *expr.Expression
}

func newHeaders(step config.Step, _ *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	prefix, forward := p.text("headersPrefix"), p.object("forwardHeaders")
	h := &headers{}
	var problems diag.Problems
	for _, name := range inOrder(step, "forwardHeaders", forward) {
		e, found := expr.Load(fmt.Sprint(forward[name]), `policy "headers": forwardHeaders.`+name, step.Pos)
		problems = append(problems, found...)
		h.forward = append(h.forward, forwardHeader{name: prefix + name, value: e})
	}
	return h, problems
}

func (h *headers) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	for _, f := range h.forward {
		value, err := f.value.Text(x)
		if err != nil {
			return message.Continue, fmt.Errorf("header %s: %w", f.name, err)
		}
		x.Request.Header.Set(f.name, oneLine(value))
	}
	return message.Continue, nil
}
