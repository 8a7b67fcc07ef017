package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
)

// scopes warns where an endpoint asks for scopes and a step lets callers in without looking at them.
// Whoever wrote the scopes believes that they guard something.
func (c *compiler) scopes() {
	for _, p := range c.cfg.Pipelines {
		var guarded []string
		for _, e := range c.cfg.APIEndpoints {
			if served := c.byName[e.Name]; len(e.Scopes) > 0 && served != nil && served.name == p.Name {
				guarded = append(guarded, e.Name)
			}
		}
		if len(guarded) == 0 {
			continue
		}
		for i, s := range p.Steps {
			if !policy.IgnoresScopes(s, c.env) || slices.ContainsFunc(p.Steps[i+1:], policy.EnforcesScopes) {
				continue
			}
			c.problems = append(c.problems, diag.Problem{
				Code: "scopes-ignored", Severity: diag.Warning, Position: s.Pos,
				Message: fmt.Sprintf("the policy %q lets every good token in, whatever the scopes of %s say: Express Gateway does not enforce them here",
					s.Policy, quoted(guarded)),
				Label: "scopes are not enforced",
				Hint:  "set enforceScopes: true in the step's action, and they must be in the token's claim scope or in its credential",
			})
		}
	}
}

// quoted lists the names of endpoints, each once.
func quoted(names []string) string {
	list := make([]string, 0, len(names))
	for _, name := range unique(names) {
		list = append(list, fmt.Sprintf("%q", name))
	}
	return "apiEndpoint " + strings.Join(list, ", ")
}
