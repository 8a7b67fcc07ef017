package policy

import (
	"context"
	"log/slog"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// logLine writes a line for every request.
type logLine struct {
	template *expr.Template
	log      *slog.Logger
}

func newLog(step config.Step, env *Environment) (Policy, diag.Problems) {
	t, problems := expr.LoadTemplate(params(step.Action).text("message"), `policy "log": message`, step.Pos)
	return &logLine{template: t, log: env.Log}, problems
}

// Apply never ends the request.
// EG: a template that throws is logged as an error, and the request goes on.
func (l *logLine) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	line, err := l.template.Text(x)
	if err != nil {
		l.log.ErrorContext(ctx, "failed to build log message", "policy", "log", "request_id", x.ID(), "error", err)
		return message.Continue, nil
	}
	l.log.InfoContext(ctx, line, "policy", "log", "request_id", x.ID())
	return message.Continue, nil
}
