package config

import (
	"errors"
	"fmt"
	"maps"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// condition reads a condition and those nested in it.
func (l *loader) condition(t *tree, c child, policy string) (*Condition, bool) {
	out := &Condition{Pos: t.childSpot(c).Position}
	name, ok := c.get("name")
	if _, isMap := c.value.(map[string]any); !isMap || !ok || !truthy(name.value) {
		l.report(t.childSpot(c), diag.Error, diag.Problem{Code: "missing-key", Message: fmt.Sprintf("policy %q: a condition needs \"name\"", policy)})
		return out, false
	}
	out.Name = text(name.value)
	entry, ok := l.opts.Catalogue.Conditions[out.Name]
	if !ok {
		l.report(t.pairOrItem(name), diag.Error, diag.Problem{
			Code: "unknown-condition", Message: fmt.Sprintf("unknown condition %q", out.Name),
			Suggestion: diag.Suggest(out.Name, names(l.opts.Catalogue.Conditions)),
		})
		return out, false
	}
	if l.opts.RequireBuilt && !entry.Built {
		l.notBuilt("condition", out.Name, t.pairOrItem(name))
		return out, false
	}
	params, ok := l.validate(t, c, fmt.Sprintf("condition %q: ", out.Name), entry)
	if !ok {
		return out, false
	}
	out.Params = maps.Clone(params)
	delete(out.Params, "name")
	ok = l.checkCondition(t, c, out)
	properties, _ := entry.Schema["properties"].(map[string]any)
	for _, key := range []string{"condition", "conditions"} {
		nested, has := c.get(key)
		if _, declared := properties[key]; !has || !declared {
			continue
		}
		for _, item := range nestedForms(nested) {
			sub, valid := l.condition(t, item, policy)
			ok = ok && valid
			out.Nested = append(out.Nested, *sub)
		}
	}
	return out, ok
}

func nestedForms(c child) []child {
	if list, isList := c.value.([]any); isList {
		return children(c.node, list)
	}
	return []child{c}
}

// checkCondition makes the checks that a schema cannot express.
func (l *loader) checkCondition(t *tree, c child, out *Condition) bool {
	switch out.Name {
	case "pathMatch", "regexpmatch":
		key := map[string]string{"pathMatch": "pattern", "regexpmatch": "match"}[out.Name]
		before := len(l.problems)
		if re, ok := c.get(key); ok {
			l.checkRegexp(t, re, fmt.Sprintf("condition %q: %s", out.Name, key))
		}
		return len(l.problems) == before
	case "json-schema":
		doc, _ := out.Params["schema"].(map[string]any)
		where, _ := c.get("schema")
		if _, ok := doc["$id"].(string); !ok {
			l.report(t.childSpot(where), diag.Error, diag.Problem{Code: "missing-key", Message: `condition "json-schema": schema needs "$id"`})
			return false
		}
		if _, err := schema.Compile(doc); err != nil {
			p := diag.Problem{Code: "invalid-value", Message: fmt.Sprintf("condition \"json-schema\": %v", err)}
			if errors.Is(err, schema.ErrOutside) {
				p.Hint = `nothing is fetched when loading: put what it names below "definitions" of the schema`
			}
			l.report(t.childSpot(where), diag.Error, p)
			return false
		}
	}
	return true
}
