package offline

import (
	"maps"
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/deviation"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
)

// Touched is a deviation from Express Gateway that changes what a user's files do.
type Touched struct {
	deviation.Deviation
	// At are the places of the files that it touches, in order; at least one.
	At []diag.Position
}

// Deviations tells which deviations touch the files of a folder, in the order of the page. Files that are
// wrong are looked at as far as they can be read; Check tells what is wrong with them.
func Deviations(dir string) ([]Touched, error) {
	catalogue, err := policy.Catalogue()
	if err != nil {
		return nil, err
	}
	cfg, _ := config.Inspect(dir, Options{}.load(catalogue))
	var list []Touched
	found := touches(cfg)
	for _, d := range deviation.All() {
		if at := found[d.ID]; len(at) > 0 {
			slices.SortFunc(at, diag.ComparePositions)
			list = append(list, Touched{Deviation: d, At: slices.Compact(at)})
		}
	}
	return list, nil
}

// touches finds the places of every deviation that files can show, by its ID.
func touches(cfg *config.Config) map[string][]diag.Position {
	found := map[string][]diag.Position{}
	for i := range cfg.Pipelines {
		p := &cfg.Pipelines[i]
		regexpPaths := slices.ContainsFunc(cfg.APIEndpoints, func(e config.APIEndpoint) bool {
			return e.PathRegex != "" && slices.Contains(p.APIEndpoints, e.Name)
		})
		written := writtenSteps(p)
		authenticated := false
		for j, s := range p.Steps {
			note := func(id string, touched bool) {
				if touched {
					found[id] = append(found[id], s.Pos)
				}
			}
			note("json-schema-order", s.Condition != nil && usesCondition(*s.Condition, "json-schema"))
			switch s.Policy {
			case "basic-auth", "key-auth", "oauth2", "jwt":
				authenticated = authenticated || s.Condition == nil && !set(s.Action["passThrough"]) && identifies(s)
			case "rate-limit":
				note("rate-limit-delay", written[j]["delayAfter"] == nil && written[j]["delayMs"] == nil)
			case "proxy":
				o := proxyOptions(cfg, s)
				note("consumer-header", !authenticated)
				note("redirect-rewrite", set(o["autoRewrite"]) || set(o["hostRewrite"]) || set(o["protocolRewrite"]))
				note("follow-redirects", set(o["followRedirects"]))
				note("strip-path-regex", set(o["stripPath"]) && regexpPaths)
				note("websocket", set(o["ws"]))
			}
		}
	}
	return found
}

// identifies tells whether an authentication step always sets the consumer header itself.
func identifies(s config.Step) bool {
	check, said := s.Action["checkCredentialExistence"].(bool)
	return s.Policy != "jwt" || check || !said
}

// proxyOptions are the options of a proxy step, merged as the policy merges them.
func proxyOptions(cfg *config.Config, s config.Step) map[string]any {
	name, _ := s.Action["serviceEndpoint"].(string)
	merged := maps.Clone(s.Action)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, cfg.ServiceEndpoints[name].ProxyOptions)
	own, _ := s.Action["proxyOptions"].(map[string]any)
	maps.Copy(merged, own)
	return merged
}

func usesCondition(c config.Condition, name string) bool {
	return c.Name == name || slices.ContainsFunc(c.Nested, func(n config.Condition) bool { return usesCondition(n, name) })
}

// writtenSteps are the actions of a pipeline's steps as the file says them, without the defaults of the
// policies' schemas. Where they cannot be told apart, as beside a step that is wrong, defaults are included.
func writtenSteps(p *config.Pipeline) []map[string]any {
	out := make([]map[string]any, len(p.Steps))
	raw := map[string][]map[string]any{}
	entries, _ := p.Raw["policies"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		for name, steps := range entry {
			raw[name] = append(raw[name], rawActions(steps)...)
		}
	}
	turn := map[string]int{}
	for i, s := range p.Steps {
		out[i] = s.Action
		same := 0
		for _, other := range p.Steps {
			if other.Policy == s.Policy {
				same++
			}
		}
		if same == len(raw[s.Policy]) {
			out[i] = raw[s.Policy][turn[s.Policy]]
		}
		turn[s.Policy]++
	}
	return out
}

// rawActions are the actions of one policy's entry: a list of steps, one step, or none.
func rawActions(steps any) []map[string]any {
	list, isList := steps.([]any)
	if !isList || len(list) == 0 {
		list = []any{steps}
	}
	out := make([]map[string]any, len(list))
	for i, s := range list {
		step, _ := s.(map[string]any)
		out[i], _ = step["action"].(map[string]any)
	}
	return out
}

// set tells whether an option is switched on, or holds a text.
func set(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	default:
		return v != nil
	}
}
