package offline

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/pattern"
)

// routes lists one request for every apiEndpoint with a pipeline, in the order in which the gateway
// tries them: endpoints by host, hosts as they first appear.
func routes(cfg *config.Config) []Route {
	pipelines := map[string]*config.Pipeline{} // the last one that names an endpoint serves it
	for i := range cfg.Pipelines {
		for _, name := range cfg.Pipelines[i].APIEndpoints {
			pipelines[name] = &cfg.Pipelines[i]
		}
	}
	var hosts []string
	groups := map[string][]Route{}
	for _, e := range cfg.APIEndpoints {
		p := pipelines[e.Name]
		if p == nil {
			continue
		}
		key := cmp.Or(e.HostRegex, e.Host, "*")
		if !slices.Contains(hosts, key) {
			hosts = append(hosts, key)
		}
		groups[key] = append(groups[key], route(e, p))
	}
	var list []Route
	for _, h := range hosts {
		list = append(list, groups[h]...)
	}
	return list
}

func route(e config.APIEndpoint, p *config.Pipeline) Route {
	r := Route{Endpoint: e.Name, Pipeline: p.Name, Method: method(e.Methods), Pos: e.Pos}
	unknownHost := schema.HoldsUnknown(e.Raw["host"]) || schema.HoldsUnknown(e.Raw["hostRegex"])
	host, ok := hostExample(e)
	if ok && !unknownHost {
		r.Host = host
		r.Path = path(e)
	}
	for _, s := range p.Steps {
		switch s.Policy {
		case "basic-auth", "key-auth", "jwt", "oauth2", "oauth2-introspect", "forward-auth":
			passThrough, _ := s.Action["passThrough"].(bool)
			r.Auth = r.Auth || !passThrough
		case "proxy":
			r.Proxy, _ = s.Action["serviceEndpoint"].(string)
			return r
		case "terminate":
			return r
		}
	}
	return r
}

func method(methods []string) string {
	if len(methods) == 0 || slices.Contains(methods, "GET") {
		return "GET"
	}
	return methods[0]
}

// hostExample is a name that the endpoint's host matches; empty for every name.
func hostExample(e config.APIEndpoint) (string, bool) {
	if e.HostRegex != "" {
		host, err := pattern.NewHostRegexp(e.HostRegex)
		if err != nil {
			return "", false
		}
		re, err := pattern.Regexp(e.HostRegex, false)
		if err != nil {
			return "", false
		}
		name, ok := pattern.Example(re)
		return name, ok && name != "" && host.Match(name)
	}
	if e.Host == "" || e.Host == "*" {
		return "", true
	}
	return strings.ReplaceAll(e.Host, "*", "x"), true
}

// path is a concrete path that the endpoint matches, empty when none could be derived.
func path(e config.APIEndpoint) string {
	if e.PathRegex != "" {
		re, err := pattern.Regexp(e.PathRegex, false)
		if err != nil || schema.HoldsUnknown(e.Raw["pathRegex"]) {
			return ""
		}
		return examplePath(re)
	}
	if len(e.Paths) == 0 {
		return "/"
	}
	for i, p := range e.Paths {
		if pathUnknown(e, i) {
			continue
		}
		re, err := pattern.Regexp(pattern.PathExpression(p), false)
		if err != nil {
			continue
		}
		if found := examplePath(re); found != "" {
			return found
		}
	}
	return ""
}

// pathUnknown tells whether the endpoint's i-th path holds a value that is only known in the pod.
func pathUnknown(e config.APIEndpoint, i int) bool {
	v := cmp.Or(e.Raw["paths"], e.Raw["path"])
	if list, ok := v.([]any); ok && i < len(list) {
		v = list[i]
	}
	_, unknown := v.(schema.Unknown)
	return unknown
}

// examplePath is a path that the expression matches.
func examplePath(re *regexp.Regexp) string {
	found, ok := pattern.Example(re)
	if !ok {
		return ""
	}
	for _, p := range []string{found, "/" + found, "/" + found + "/x"} {
		if strings.HasPrefix(p, "/") && re.MatchString(p) {
			return p
		}
	}
	return ""
}
