package config

import (
	"fmt"
	"slices"

	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// whitelist reads policies: the names that pipelines may use. Express Gateway does not start without the list.
func (l *loader) whitelist(t *tree) {
	c, ok := t.top().get("policies")
	if !ok {
		if root, isMap := t.value.(map[string]any); isMap && root != nil {
			l.problem(diag.Problem{
				Code: "missing-key", Severity: diag.Error, Position: diag.Position{File: t.src.file, Line: 1, Column: 1},
				Message: `needs "policies", the list of policies that pipelines may use`,
			})
		}
		return
	}
	for _, item := range children(c.node, c.value) {
		name := text(item.value)
		l.cfg.Policies = append(l.cfg.Policies, name)
		if _, ok := l.opts.Catalogue.Policies[name]; !ok && known(item.value) {
			l.report(t.pairOrItem(item), diag.Error, l.unknownPolicy(name))
		}
	}
}

func (l *loader) unknownPolicy(name string) diag.Problem {
	p := diag.Problem{Code: "unknown-policy", Message: fmt.Sprintf("unknown policy %q", name), Suggestion: diag.Suggest(name, names(l.opts.Catalogue.Policies))}
	if hint := pluginHint(name); hint != "" {
		p.Suggestion, p.Label, p.Hint = "", "a plugin's policy", hint
	} else if p.Suggestion == "" {
		p.Label = "not one of Express Gateway's policies"
		p.Hint = "a policy of a plugin cannot run here: take it out of policies and of the pipelines, or replace it by a policy of the gateway"
	}
	return p
}

// pipelines reads pipelines, or pipeline where that is missing. Without endpoints nothing is read, as in the reference.
func (l *loader) pipelines(t *tree) {
	c, ok := t.top().get("pipelines")
	if !ok || !truthy(c.value) {
		c, ok = t.top().get("pipeline")
	}
	if !ok || !truthy(c.value) || !l.hasEndpoints(t) {
		l.unrouted = true
		return
	}
	list := children(c.node, c.value)
	if c.name == "pipeline" && c.node.Kind == yaml.Map {
		list = []child{{name: "0", pair: c.pair, node: c.node, value: c.value}}
	}
	for _, e := range list {
		l.pipeline(t, e)
	}
}

func (l *loader) hasEndpoints(t *tree) bool {
	for _, name := range []string{"apiEndpoints", "apiEndpoint"} {
		if c, ok := t.top().get(name); ok && truthy(c.value) {
			return true
		}
	}
	return false
}

func (l *loader) pipeline(t *tree, c child) {
	raw, ok := c.value.(map[string]any)
	if !ok {
		l.report(t.childSpot(c), diag.Error, diag.Problem{Code: "invalid-value", Message: fmt.Sprintf("pipeline %q must be a map", c.name)})
		return
	}
	out := Pipeline{Name: c.name, Raw: raw, Pos: t.childSpot(c).Position}
	out.APIEndpoints = l.pipelineEndpoints(t, c)
	policies, ok := c.get("policies")
	if !ok || !truthy(policies.value) {
		policies, ok = c.get("policy")
	}
	if !ok || !truthy(policies.value) {
		l.report(t.childSpot(c), diag.Error, diag.Problem{Code: "missing-key", Message: fmt.Sprintf("pipeline %q needs \"policies\"", c.name)})
		return
	}
	entries := []child{policies}
	if list, isList := policies.value.([]any); isList {
		entries = children(policies.node, list)
	}
	for _, e := range entries {
		out.Steps = append(out.Steps, l.policyEntry(t, e, c.name)...)
	}
	l.nearMisses(t, c, fmt.Sprintf("pipeline %q", c.name), []string{"apiEndpoints", "apiEndpoint", "policies", "policy"})
	l.cfg.Pipelines = append(l.cfg.Pipelines, out)
}

// pipelineEndpoints reads the names of the endpoints that a pipeline serves. Names that nothing declares are ignored.
func (l *loader) pipelineEndpoints(t *tree, c child) []string {
	list, ok := c.get("apiEndpoints")
	if !ok || !truthy(list.value) {
		list, ok = c.get("apiEndpoint")
	}
	if !ok || !truthy(list.value) {
		l.report(t.childSpot(c), diag.Warning, diag.Problem{Code: "unused-pipeline", Message: fmt.Sprintf("pipeline %q serves no apiEndpoint", c.name)})
		return nil
	}
	declared := make([]string, 0, len(l.cfg.APIEndpoints))
	for _, e := range l.cfg.APIEndpoints {
		declared = append(declared, e.Name)
	}
	var out []string
	for _, item := range items(list) {
		name := text(item.value)
		out = append(out, name)
		if !slices.Contains(declared, name) && known(item.value) {
			l.report(t.pairOrItem(item), diag.Warning, diag.Problem{
				Code: "unknown-api-endpoint", Message: fmt.Sprintf("pipeline %q names the apiEndpoint %q, which does not exist", c.name, name),
				Suggestion: diag.Suggest(name, declared), Label: "ignored",
			})
			continue
		}
		if other, taken := l.endpoints[name]; taken && other != c.name {
			l.report(t.pairOrItem(item), diag.Warning, diag.Problem{
				Code: "endpoint-in-two-pipelines", Message: fmt.Sprintf("apiEndpoint %q is also in pipeline %q: the last pipeline, %q, serves it", name, other, c.name),
			})
		}
		if l.endpoints == nil {
			l.endpoints = map[string]string{}
		}
		l.endpoints[name] = c.name
	}
	return out
}

// checkEndpointUse warns of endpoints that no pipeline serves.
func (l *loader) checkEndpointUse() {
	warned := map[string]bool{}
	for _, e := range l.cfg.APIEndpoints {
		if _, used := l.endpoints[e.Name]; used || warned[e.Name] {
			continue
		}
		warned[e.Name] = true
		l.problem(diag.Problem{
			Code: "endpoint-without-pipeline", Severity: diag.Warning, Position: e.Pos,
			Message: fmt.Sprintf("apiEndpoint %q is in no pipeline: it answers 404", e.Name), Length: len(e.Name),
		})
	}
}

// dropUnreachable takes out the endpoints that no request can meet.
// EG: without pipelines there are no routes at all, and no route for an endpoint whose methods name none.
func (l *loader) dropUnreachable() {
	l.cfg.APIEndpoints = slices.DeleteFunc(l.cfg.APIEndpoints, func(e APIEndpoint) bool {
		return l.unrouted || e.Methods != nil && len(e.Methods) == 0
	})
}
