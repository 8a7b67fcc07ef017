package policy

import (
	"context"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// terminate answers and ends the pipeline.
type terminate struct {
	status int
	body   string
}

func newTerminate(step config.Step, _ *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	status, _ := p.number("statusCode")
	if status < 200 || status > 999 {
		return nil, diag.Problems{problem(step, "statusCode %d is no status of an answer", status)}
	}
	return &terminate{status: status, body: p.text("message")}, nil
}

func (t *terminate) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	x.Response.SendHTML(t.status, t.body)
	return message.Answered, nil
}
