package offline

import (
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
)

// knownParts is the configuration without the endpoints and steps that hold a value which is only known in the pod.
func knownParts(cfg *config.Config) *config.Config {
	out := *cfg
	out.APIEndpoints = nil
	for _, e := range cfg.APIEndpoints {
		if !schema.HoldsUnknown(e.Raw) {
			out.APIEndpoints = append(out.APIEndpoints, e)
		}
	}
	out.ServiceEndpoints = map[string]config.ServiceEndpoint{}
	for name, s := range cfg.ServiceEndpoints {
		if len(s.URLs) > 0 && !schema.HoldsUnknown(s.Raw) {
			out.ServiceEndpoints[name] = s
		}
	}
	out.Pipelines = nil
	for _, p := range cfg.Pipelines {
		p.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(s config.Step) bool { return stepUnknown(&out, s) })
		out.Pipelines = append(out.Pipelines, p)
	}
	return &out
}

func stepUnknown(cfg *config.Config, s config.Step) bool {
	if schema.HoldsUnknown(s.Action) || s.Condition != nil && conditionUnknown(*s.Condition) {
		return true
	}
	name, named := s.Action["serviceEndpoint"].(string)
	if s.Policy != "proxy" || !named {
		return false
	}
	_, known := cfg.ServiceEndpoints[name]
	return !known
}

func conditionUnknown(c config.Condition) bool {
	return schema.HoldsUnknown(c.Params) || slices.ContainsFunc(c.Nested, conditionUnknown)
}
