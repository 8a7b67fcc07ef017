package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// newExpression is true when a JavaScript expression is truthy; one that throws ends the request.
func newExpression(c *config.Condition) (Condition, diag.Problems) {
	compiled, problems := expr.Load(text(c, "expression"), `condition "expression"`, c.Pos)
	return Func(func(x *message.Exchange) (bool, error) {
		v, err := compiled.Eval(x)
		return expr.Truthy(v), err
	}), problems
}
