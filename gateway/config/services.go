package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// serviceEndpoints reads the upstreams.
func (l *loader) serviceEndpoints(t *tree) {
	c, ok := t.top().get("serviceEndpoints")
	if !ok {
		return
	}
	for _, e := range children(c.node, c.value) {
		raw, ok := e.value.(map[string]any)
		if !ok {
			continue
		}
		out := ServiceEndpoint{Name: e.name, Raw: raw, Pos: t.childSpot(e).Position}
		out.ProxyOptions, _ = raw["proxyOptions"].(map[string]any)
		urls, ok := e.get("url")
		if !ok {
			urls, ok = e.get("urls")
		}
		if list, isList := urls.value.([]any); ok && isList && len(list) == 0 {
			l.report(t.childSpot(urls), diag.Error, diag.Problem{Code: "missing-url", Message: fmt.Sprintf("service endpoint %q has no url", e.name)})
		}
		if ok {
			for _, item := range items(urls) {
				if u := l.serviceURL(t, item, e.name); u != nil {
					out.URLs = append(out.URLs, u)
				}
			}
		}
		l.nearMisses(t, e, fmt.Sprintf("service endpoint %q", e.name), serviceKeys())
		l.cfg.ServiceEndpoints[e.name] = out
	}
}

// serviceKeys are those that are read; the ones behind proxyOptions are not Express Gateway's.
func serviceKeys() []string {
	return []string{
		"url", "urls", "proxyOptions",
		"strategy", "discovery", "ejection", "timeouts", "retries", "healthCheck", "circuitBreaker",
	}
}

func (l *loader) serviceURL(t *tree, c child, name string) *url.URL {
	raw, ok := c.value.(string)
	if !ok || !known(c.value) {
		return nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{
			Code: "invalid-url", Message: fmt.Sprintf("service endpoint %q: this is not a URL that can be called", name),
			Hint: "write it as http://host:port/path",
		})
		return nil
	case u.Scheme != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == ""):
		// EG: starts, and answers every request with 502.
		l.report(t.pairOrItem(c), diag.Warning, diag.Problem{
			Code: "url-without-scheme", Message: fmt.Sprintf("service endpoint %q: the URL does not begin with http:// or https://, every request will be answered by 502", name),
			Hint: "put http:// in front",
		})
	}
	return u
}

// overrideUpstreams puts the URLs of the settings in place of the file's, before anything is checked:
// a URL that makes no sense in the pod does not matter then.
func (l *loader) overrideUpstreams(t *tree, value any) {
	if l.settings == nil || len(l.settings.Upstreams) == 0 {
		return
	}
	file, _ := value.(map[string]any)
	endpoints, _ := file["serviceEndpoints"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(l.settings.Upstreams)) {
		endpoint, ok := endpoints[name].(map[string]any)
		if !ok {
			l.problem(diag.Problem{
				Code: "unknown-upstream", Severity: diag.Error, Position: diag.Position{File: l.settingsFile()},
				Message:    fmt.Sprintf("upstream %q: serviceEndpoints has no such name", name),
				Suggestion: diag.Suggest(name, slices.Sorted(maps.Keys(endpoints))),
				Hint:       "serviceEndpoints are: " + strings.Join(slices.Sorted(maps.Keys(endpoints)), ", "),
			})
			continue
		}
		for _, key := range []string{"url", "urls"} {
			if _, n := find(t.root, schema.Path{"serviceEndpoints", name, key}); n != nil {
				from := t.src.back(n.Start)
				l.forget(t.src.file, t.src.original, from, t.src.backEnd(n.End)-from)
			}
		}
		delete(endpoint, "urls")
		endpoint["url"] = l.settings.Upstreams[name]
	}
}
