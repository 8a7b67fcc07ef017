package offline

import (
	"maps"
	"slices"
	"strings"

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

// places are the places of the files that deviations touch, by the ID of the deviation.
type places map[string][]diag.Position

func (p places) note(id string, at diag.Position, touched bool) {
	if touched {
		p[id] = append(p[id], at)
	}
}

// touches finds the places of every deviation that files can show.
func touches(cfg *config.Config) places {
	found := places{}
	found.system(cfg.System.Raw)
	if cfg.HTTPS != nil {
		found.note("newer-http", cfg.HTTPS.Pos, true)
	}
	for i := range cfg.Pipelines {
		p := &cfg.Pipelines[i]
		var served []config.APIEndpoint
		for _, e := range cfg.APIEndpoints {
			if slices.Contains(p.APIEndpoints, e.Name) {
				served = append(served, e)
			}
		}
		written := writtenSteps(p)
		authenticated := false
		for j, s := range p.Steps {
			found.condition(s)
			switch s.Policy {
			case "basic-auth", "key-auth", "oauth2", "oauth2-introspect", "jwt":
				found.authentication(s, served)
				authenticated = authenticated || s.Condition == nil && !set(s.Action["passThrough"]) && identifies(s)
			case "rate-limit":
				found.note("rate-limit-delay", s.Pos, written[j]["delayAfter"] == nil && written[j]["delayMs"] == nil)
			case "request-transformer", "response-transformer":
				found.transformer(s)
			case "proxy":
				found.note("consumer-header", s.Pos, !authenticated)
				found.proxy(cfg, s, served)
			}
		}
	}
	return found
}

func (p places) system(raw map[string]any) {
	at := diag.Position{File: "system.config.yml"}
	tokens, _ := raw["accessTokens"].(map[string]any)
	p.note("oauth-jwt-life", at, tokens["tokenType"] == "jwt")
	session, _ := raw["session"].(map[string]any)
	p.note("oauth-sessions", at, set(session["storeProvider"]))
}

func (p places) condition(s config.Step) {
	if s.Condition == nil {
		return
	}
	p.note("json-schema-order", s.Pos, slices.ContainsFunc(conditions(*s.Condition), func(c config.Condition) bool { return c.Name == "json-schema" }))
}

// conditions are a condition and all that are nested in it.
func conditions(c config.Condition) []config.Condition {
	list := []config.Condition{c}
	for _, n := range c.Nested {
		list = append(list, conditions(n)...)
	}
	return list
}

func (p places) authentication(s config.Step, served []config.APIEndpoint) {
	scoped := slices.ContainsFunc(served, func(e config.APIEndpoint) bool { return len(e.Scopes) > 0 })
	p.note("jwt-scopes", s.Pos, s.Policy == "jwt" && scoped && !set(s.Action["enforceScopes"]))
	p.note("token-id", s.Pos, s.Policy == "oauth2-introspect" || !identifies(s))
}

func (p places) transformer(s config.Step) {
	p.note("response-body-chunks", s.Pos, s.Policy == "response-transformer" && set(s.Action["body"]))
	headers, _ := s.Action["headers"].(map[string]any)
	added, _ := headers["add"].(map[string]any)
	removed, _ := headers["remove"].([]any)
	names := slices.Collect(maps.Keys(added))
	for _, name := range removed {
		text, _ := name.(string)
		names = append(names, text)
	}
	p.note("transformer-framing", s.Pos, slices.ContainsFunc(names, func(name string) bool {
		return slices.Contains([]string{"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer"}, strings.ToLower(name))
	}))
}

func (p places) proxy(cfg *config.Config, s config.Step, served []config.APIEndpoint) {
	o := proxyOptions(cfg, s)
	byRegexp := slices.ContainsFunc(served, func(e config.APIEndpoint) bool { return e.PathRegex != "" })
	name, _ := s.Action["serviceEndpoint"].(string)
	p.note("redirect-rewrite", s.Pos, set(o["autoRewrite"]) || set(o["hostRewrite"]) || set(o["protocolRewrite"]))
	p.note("follow-redirects", s.Pos, set(o["followRedirects"]))
	p.note("strip-path-regex", s.Pos, set(o["stripPath"]) && byRegexp)
	p.note("websocket", s.Pos, set(o["ws"]))
	p.note("upstream-dead", s.Pos, len(cfg.ServiceEndpoints[name].URLs) > 1)
}

// identifies tells whether an authentication step always sets the consumer header itself.
func identifies(s config.Step) bool {
	check, said := s.Action["checkCredentialExistence"].(bool)
	return s.Policy != "oauth2-introspect" && (s.Policy != "jwt" || check || !said)
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
	case map[string]any:
		return len(v) > 0
	default:
		return v != nil
	}
}
