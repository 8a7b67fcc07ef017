package config

import (
	"fmt"
	"maps"
	"slices"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// policyEntry reads one entry of a pipeline's policies: a map of one policy to its steps.
func (l *loader) policyEntry(t *tree, c child, pipeline string) []Step {
	list := children(c.node, c.value)
	if _, isMap := c.value.(map[string]any); !isMap || len(list) == 0 {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{
			Code: "invalid-step", Message: fmt.Sprintf("pipeline %q: an entry of policies must be a map with the name of a policy", pipeline),
			Hint: `write "- NAME:" with a colon`,
		})
		return nil
	}
	// EG: the first key is the policy; further ones are ignored from the second entry on.
	first := list[0]
	for _, other := range list[1:] {
		l.report(t.childSpot(other), diag.Warning, diag.Problem{
			Code: "two-policies", Message: fmt.Sprintf("pipeline %q: %q stands in the entry of %q and is ignored", pipeline, other.name, first.name),
			Label: "ignored", Hint: `put each policy behind a "- " of its own`,
		})
	}
	if !l.usable(t, first, pipeline) {
		return nil
	}
	var steps []Step
	for _, s := range stepForms(first) {
		if step, ok := l.step(t, s, first); ok {
			steps = append(steps, step)
		}
	}
	return steps
}

// usable checks the whitelist and the catalogue; false: the steps cannot be checked any further.
func (l *loader) usable(t *tree, c child, pipeline string) bool {
	if !slices.Contains(l.cfg.Policies, c.name) {
		p := diag.Problem{
			Code: "policy-not-declared", Message: fmt.Sprintf("pipeline %q uses the policy %q, which policies does not list", pipeline, c.name),
		}
		if _, exists := l.opts.Catalogue.Policies[c.name]; exists {
			p.Hint = fmt.Sprintf("add %q to the list policies at the top of the file", c.name)
		} else if p.Hint = pluginHint(c.name); p.Hint == "" {
			p.Suggestion = diag.Suggest(c.name, names(l.opts.Catalogue.Policies))
		}
		l.report(t.childSpot(c), diag.Error, p)
	}
	entry, ok := l.opts.Catalogue.Policies[c.name]
	if ok && l.opts.RequireBuilt && !entry.Built {
		l.notBuilt("policy", c.name, t.childSpot(c))
		return false
	}
	return ok
}

// stepForms lists the steps of a policy: a list, one map, or nothing for one step with defaults.
func stepForms(c child) []child {
	if list, isList := c.value.([]any); isList && len(list) > 0 {
		return children(c.node, list)
	}
	if truthy(c.value) {
		if _, isList := c.value.([]any); !isList {
			return []child{c}
		}
	}
	return []child{{name: c.name, pair: c.pair, node: c.node, value: map[string]any{}}}
}

// step reads one condition/action pair.
func (l *loader) step(t *tree, c, policy child) (Step, bool) {
	out := Step{Policy: policy.name, Pos: t.stepSpot(c, policy).Position}
	if c.value == nil {
		l.report(t.stepSpot(c, policy), diag.Error, diag.Problem{
			Code: "invalid-step", Message: fmt.Sprintf("policy %q: a step of a list cannot be empty", policy.name),
			Hint: "take the list out to run the policy with its defaults",
		})
		return out, false
	}
	if _, isMap := c.value.(map[string]any); !isMap {
		// EG: reads condition and action of whatever stands here, finds none, and runs the policy with its defaults.
		l.report(t.stepSpot(c, policy), diag.Warning, diag.Problem{
			Code: "invalid-step", Message: fmt.Sprintf("policy %q: a step is a map with condition and action; this one is not read", policy.name),
			Label: "ignored, the defaults apply",
		})
		c.value = map[string]any{}
	}
	ok := true
	if condition, has := c.get("condition"); has && truthy(condition.value) {
		out.Condition, ok = l.condition(t, condition, policy.name)
	}
	entry := l.opts.Catalogue.Policies[policy.name]
	action := l.action(t, c, policy)
	l.stepKeys(t, c, policy, entry)
	value, valid := l.validate(t, action, fmt.Sprintf("policy %q: ", policy.name), entry)
	out.Action, out.Order = value, order(action, "", nil)
	if !valid {
		return out, false
	}
	return out, l.checkPolicy(t, action, &out) && ok
}

// action returns the parameters of a step; nothing, or what is no map, stands for defaults only.
func (l *loader) action(t *tree, c, policy child) child {
	none := child{name: "action", pair: policy.pair, node: c.node, value: map[string]any{}}
	action, has := c.get("action")
	if !has || action.value == nil {
		return none
	}
	if _, isMap := action.value.(map[string]any); !isMap {
		l.report(t.pairOrItem(action), diag.Warning, diag.Problem{
			Code: "invalid-step", Message: fmt.Sprintf("policy %q: action is not a map and is not read", policy.name), Label: "ignored, the defaults apply",
		})
		return none
	}
	return action
}

// stepSpot is the place of a step: its item, or the policy's name.
func (t *tree) stepSpot(c, policy child) spot {
	if c.pair == nil && c.node.Kind != yaml.Null {
		return t.valueSpot(c.node)
	}
	return t.childSpot(policy)
}

// stepKeys warns of keys beside condition and action: nothing reads them.
func (l *loader) stepKeys(t *tree, c, policy child, entry Entry) {
	if c.node.Kind != yaml.Map {
		return
	}
	properties, _ := entry.Schema["properties"].(map[string]any)
	for i := range c.node.Pairs {
		p := &c.node.Pairs[i]
		if p.Name == "condition" || p.Name == "action" {
			continue
		}
		problem := diag.Problem{
			Code: "unknown-key", Message: fmt.Sprintf("policy %q: %q is not read: a step has condition and action", policy.name, p.Name),
			Label: "ignored", Suggestion: diag.Suggest(p.Name, []string{"condition", "action"}),
		}
		if _, isParameter := properties[p.Name]; isParameter {
			problem.Hint = fmt.Sprintf("put %q below action", p.Name)
		}
		l.report(t.keySpot(p), diag.Warning, problem)
	}
}

// validate checks parameters by their schema and fills in its defaults.
func (l *loader) validate(t *tree, c child, subject string, entry Entry) (map[string]any, bool) {
	s, err := l.compiled(entry)
	if err != nil {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{Code: "internal", Message: subject + err.Error()})
		return nil, false
	}
	value, violations := s.Validate(c.value)
	for _, v := range violations {
		p := t.problem(c.node, c.pair, subject, v)
		if len(v.Path) == 0 {
			p.Message = subject + c.name + " " + v.Message
		}
		l.violation(t, p, v, c.node)
	}
	told := s.Properties()
	for _, v := range violations {
		told = append(told, v.Key)
	}
	l.nearMisses(t, c, trimSubject(subject), told)
	m, _ := value.(map[string]any)
	if m == nil && len(violations) == 0 {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{Code: "invalid-value", Message: subject + c.name + " must be a map"})
		return nil, false
	}
	return m, len(violations) == 0
}

func trimSubject(s string) string { return s[:max(len(s)-len(": "), 0)] }

// compiled compiles a schema of the catalogue once per load.
func (l *loader) compiled(entry Entry) (*schema.Schema, error) {
	id, _ := entry.Schema["$id"].(string)
	if s, ok := l.schemas[id]; ok && id != "" {
		return s, nil
	}
	doc := entry.Schema
	if doc == nil {
		doc = map[string]any{}
	}
	s, err := schema.Compile(doc)
	if err != nil {
		return nil, err
	}
	if l.schemas == nil {
		l.schemas = map[string]*schema.Schema{}
	}
	l.schemas[id] = s
	return s, nil
}

// checkPolicy makes the checks that a schema cannot express.
func (l *loader) checkPolicy(t *tree, action child, step *Step) bool {
	if step.Policy != "proxy" {
		return true
	}
	name, ok := step.Action["serviceEndpoint"]
	if !ok || !truthy(name) {
		l.report(spot{Position: step.Pos, length: 1}, diag.Warning, diag.Problem{
			Code: "proxy-without-service", Message: `policy "proxy" has no serviceEndpoint: every request will be answered by 502`,
		})
		return true
	}
	if _, declared := l.cfg.ServiceEndpoints[text(name)]; declared || !known(name) {
		return true
	}
	where, _ := action.get("serviceEndpoint")
	p := diag.Problem{
		Code: "unknown-service-endpoint", Message: fmt.Sprintf("policy \"proxy\" names the serviceEndpoint %q, which does not exist", text(name)),
		Suggestion: diag.Suggest(text(name), names(l.cfg.ServiceEndpoints)),
	}
	if p.Suggestion == "" {
		p.Hint = "declare it in serviceEndpoints"
	}
	l.report(t.pairOrItem(where), diag.Error, p)
	return false
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
