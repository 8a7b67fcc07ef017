package expr

import (
	"errors"
	"fmt"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr/fence"
)

// Load compiles an expression of a file. It always returns one: what is wrong with its syntax becomes a
// warning, and the expression throws when a request meets it.
// EG: a file with a broken expression starts, and its step answers 500.
func Load(source, what string, at diag.Position) (*Expression, diag.Problems) {
	e, err := Compile(source)
	if err != nil {
		return Broken(source, err), diag.Problems{broken(what, at, err)}
	}
	return e, slow(what, at, e.Slow())
}

// LoadTemplate compiles a template of a file, as Load does.
func LoadTemplate(source, what string, at diag.Position) (*Template, diag.Problems) {
	t, err := CompileTemplate(source)
	if err != nil {
		return BrokenTemplate(source, err), diag.Problems{broken(what, at, err)}
	}
	return t, slow(what, at, t.Slow())
}

func broken(what string, at diag.Position, err error) diag.Problem {
	p := diag.Problem{
		Code: "expression-syntax", Severity: diag.Warning, Position: at,
		Message: fmt.Sprintf("%s: %v", what, err),
		Hint:    "every request that meets this step is answered with 500, as Express Gateway does; correct the expression",
	}
	var syntax *fence.SyntaxError
	if errors.As(err, &syntax) && syntax.Line > 0 {
		p.Label = fmt.Sprintf("line %d, column %d of the expression", syntax.Line, syntax.Column)
	}
	return p
}

func slow(what string, at diag.Position, why string) diag.Problems {
	if why == "" {
		return nil
	}
	return diag.Problems{{
		Code: "slow-expression", Severity: diag.Warning, Position: at,
		Message: fmt.Sprintf("%s runs in the JavaScript interpreter, which is slow: %s", what, why),
		Hint:    "it works; where the route is busy, write it with property paths, operators and the common methods only",
	}}
}
