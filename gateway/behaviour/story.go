package behaviour

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/message"
)

// story is what happens to one request: the steps that it may meet, in order, up to the one that surely answers.
type story struct {
	effects  []effect
	end      string // what answers behind the last step; empty: a step surely answers
	endpoint string // the first apiEndpoint that is met
	key      string // equal for stories that are the same
}

// effect is one step.
type effect struct {
	policy    string
	condition string // canonical; empty: always
	action    string // canonical, with everything it refers to put in its place
	scopes    string // that the step asks of a credential; sorted
	raw       map[string]any
	key       string
}

// chapter is what one endpoint adds to a story.
type chapter struct {
	effects []effect
	answers bool // its last effect surely answers
}

// answering are the policies that end a request whenever their turn comes.
func answering(policy string, action map[string]any) bool {
	switch policy {
	case "proxy", "terminate":
		return true
	case "rewrite":
		return action["redirect"] != nil
	default:
		return false
	}
}

// authenticates tells whether a policy lets nobody unknown pass, unless told to.
func authenticates(policy string) bool {
	return slices.Contains([]string{"basic-auth", "key-auth", "jwt", "oauth2", "oauth2-introspect", "forward-auth"}, policy)
}

// story tells what happens to r.
func (s *side) story(r request) story {
	host := r.host
	if host == "" {
		host = "any.invalid"
	}
	way := s.routes.Meets(r.method, host, r.path)
	out := story{end: way.End}
	var key strings.Builder
	for i, e := range way.Endpoints {
		if i == 0 {
			out.endpoint = e.Name
		}
		c := s.chapter(e)
		out.effects = append(out.effects, c.effects...)
		if c.answers {
			out.end = ""
			break
		}
	}
	for _, e := range out.effects {
		key.WriteString(e.key + "\n")
	}
	out.key = key.String() + out.end
	return out
}

// chapter tells what an endpoint's pipeline does.
func (s *side) chapter(e *message.Endpoint) chapter {
	if c, known := s.chapters[e]; known {
		return c
	}
	var c chapter
	if p := s.byName[e.Pipeline]; e.Pipeline != "" && p != nil {
		for _, step := range p.Steps {
			f, ok := s.effect(e, step)
			if !ok {
				continue
			}
			c.effects = append(c.effects, f)
			if f.condition == "" && answering(f.policy, f.raw) {
				c.answers = true
				break
			}
		}
	}
	s.chapters[e] = c
	return c
}

// effect describes a step as an endpoint meets it; false: its turn never comes.
func (s *side) effect(e *message.Endpoint, step config.Step) (effect, bool) {
	f := effect{policy: step.Policy, raw: step.Action}
	if step.Condition != nil {
		switch step.Condition.Name {
		case "always":
		case "never":
			return effect{}, false
		default:
			f.condition = canonical(conditionOf(*step.Condition))
		}
	}
	action := maps.Clone(step.Action)
	if step.Policy == "proxy" {
		action = s.proxy(e, step.Action)
	}
	if f.action = canonical(action); strings.Contains(f.action+f.condition, "apiEndpoint") {
		f.action += " of " + canonical(e.Raw) // what an expression may look at
	}
	if authenticates(step.Policy) && (step.Policy != "jwt" || step.Action["enforceScopes"] == true) {
		scopes := slices.Clone(e.Scopes)
		slices.Sort(scopes)
		f.scopes = strings.Join(scopes, " ")
	}
	f.key = strings.Join([]string{f.policy, f.condition, f.action, f.scopes}, "\x00")
	return f, true
}

// proxy puts the service that a step names in the place of its name, and the options as they are in force.
func (s *side) proxy(e *message.Endpoint, action map[string]any) map[string]any {
	out := map[string]any{"prependPath": true, "changeOrigin": true, "secure": true}
	maps.Copy(out, action)
	delete(out, "proxyOptions")
	delete(out, "serviceEndpoint")
	name, _ := action["serviceEndpoint"].(string)
	service := s.cfg.ServiceEndpoints[name]
	for key, value := range service.Raw {
		if key != "url" && key != "urls" && key != "proxyOptions" {
			out["serviceEndpoint."+key] = value
		}
	}
	maps.Copy(out, service.ProxyOptions)
	if options, ok := action["proxyOptions"].(map[string]any); ok {
		maps.Copy(out, options)
	}
	out["urls"] = urls(service)
	if out["stripPath"] == true {
		out["stripPath"] = e.Pattern
	}
	return out
}

// urls are where a service is, as far as that is known.
func urls(service config.ServiceEndpoint) []any {
	list, ok := service.Raw["urls"].([]any)
	if !ok {
		list = []any{service.Raw["url"]}
	}
	out := make([]any, len(list))
	for i, u := range list {
		out[i] = u
		if text, isText := u.(string); isText {
			out[i] = strings.TrimSuffix(text, "/")
		}
	}
	return out
}

func conditionOf(c config.Condition) map[string]any {
	out := map[string]any{"name": c.Name, "params": c.Params}
	if len(c.Nested) > 0 {
		nested := make([]any, len(c.Nested))
		for i, n := range c.Nested {
			nested[i] = conditionOf(n)
		}
		out = map[string]any{"name": c.Name, "nested": nested}
	}
	return out
}

// canonical writes a value so that equal ones are equal texts.
func canonical(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func holdsUnknownPattern(e config.APIEndpoint) bool {
	for _, key := range []string{"host", "hostRegex", "path", "paths", "pathRegex", "methods"} {
		if schema.HoldsUnknown(e.Raw[key]) {
			return true
		}
	}
	return false
}
