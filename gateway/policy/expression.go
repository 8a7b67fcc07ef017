package policy

import (
	"context"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// expression runs JavaScript on the exchange and ignores what comes of it.
type expression struct {
	code *expr.Expression
}

func newExpression(step config.Step, _ *Environment) (Policy, diag.Problems) {
	code, problems := expr.Load(params(step.Action).text("jscode"), `policy "expression": jscode`, step.Pos)
	return &expression{code: code}, problems
}

// Apply ends the request with an error when the code throws, and without one when it sent an answer.
func (e *expression) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	if _, err := e.code.Eval(x); err != nil {
		return message.Continue, err
	}
	if x.Response.Started() {
		return message.Answered, nil
	}
	return message.Continue, nil
}
