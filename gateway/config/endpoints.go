package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// apiEndpoints reads apiEndpoints, or apiEndpoint where that is missing.
func (l *loader) apiEndpoints(t *tree) {
	c, ok := t.top().get("apiEndpoints")
	if !ok || !truthy(c.value) {
		if c, ok = t.top().get("apiEndpoint"); !ok || !truthy(c.value) {
			return
		}
		if _, isList := c.value.([]any); !isList {
			c = child{name: "0", pair: c.pair, node: c.node, value: c.value}
			l.endpointForms(t, c)
			return
		}
	}
	for _, e := range children(c.node, c.value) {
		l.endpointForms(t, e)
	}
}

// endpointForms reads one endpoint, or the list of endpoints that share a name.
func (l *loader) endpointForms(t *tree, c child) {
	switch v := c.value.(type) {
	case map[string]any:
		l.cfg.APIEndpoints = append(l.cfg.APIEndpoints, l.apiEndpoint(t, c, c.name))
	case []any:
		for _, item := range children(c.node, v) {
			if _, ok := item.value.(map[string]any); ok {
				l.cfg.APIEndpoints = append(l.cfg.APIEndpoints, l.apiEndpoint(t, item, c.name))
			}
		}
	}
}

func (l *loader) apiEndpoint(t *tree, c child, name string) APIEndpoint {
	out := APIEndpoint{Name: name, Pos: t.childSpot(c).Position}
	out.Raw, _ = c.value.(map[string]any)
	if host, ok := c.get("host"); ok {
		out.Host = text(host.value)
	}
	for key, target := range map[string]*string{"hostRegex": &out.HostRegex, "pathRegex": &out.PathRegex} {
		if re, ok := c.get(key); ok {
			*target = text(re.value)
			l.checkRegexp(t, re, fmt.Sprintf("%s of api endpoint %q", key, name))
		}
	}
	paths, ok := c.get("paths")
	if !ok || !truthy(paths.value) {
		paths, ok = c.get("path") // EG: path is an undocumented synonym
	}
	if ok && truthy(paths.value) {
		out.Paths = l.paths(t, paths, name)
	}
	if methods, ok := c.get("methods"); ok && truthy(methods.value) {
		out.Methods = l.methods(t, methods, name)
		if out.Methods != nil && len(out.Methods) == 0 {
			l.report(t.pairOrItem(methods), diag.Warning, diag.Problem{
				Code: "no-methods", Message: fmt.Sprintf("methods of api endpoint %q name none: it never matches", name),
				Hint: "take the key out for every method",
			})
		}
	}
	if scopes, ok := c.get("scopes"); ok {
		out.Scopes = texts(scopes.value)
	}
	l.nearMisses(t, c, "api endpoint "+fmt.Sprintf("%q", name), []string{"host", "hostRegex", "paths", "path", "pathRegex", "methods", "scopes"})
	return out
}

// paths reads a path or a list of them; nil: every path.
// EG: an empty path of a list is the root; of path, which no schema turns into text, numbers and maps are every path.
func (l *loader) paths(t *tree, c child, name string) []string {
	list := []child{c}
	switch v := c.value.(type) {
	case []any:
		list = children(c.node, v)
	case string, schema.Unknown:
	default:
		return nil
	}
	var out []string
	for _, item := range list {
		switch v := item.value.(type) {
		case []any:
			out = append(out, l.paths(t, item, name)...)
			continue
		case string, schema.Unknown:
			out = append(out, cmp.Or(text(v), "/"))
		default:
			if item.value != nil || c.name == "path" {
				l.report(t.pairOrItem(item), diag.Error, diag.Problem{
					Code: "invalid-path", Message: fmt.Sprintf("path of api endpoint %q must be a text", name),
				})
				continue
			}
			out = append(out, "/")
		}
		l.checkPath(t, item, name)
	}
	return out
}

// items is an element that may be one value or a list of them.
func items(c child) []child {
	if list := children(c.node, c.value); list != nil {
		return list
	}
	return []child{c}
}

// methods reads a comma list or a list; nil: every method; empty: none.
func (l *loader) methods(t *tree, c child, name string) []string {
	if s, ok := c.value.(string); ok && (s == "*" || s == "") || !known(c.value) {
		return nil
	}
	out, wrong := []string{}, false
	for _, item := range items(c) {
		words := []string{text(item.value)}
		if _, isList := c.value.([]any); !isList {
			words = strings.Split(words[0], ",")
		}
		for _, w := range words {
			method := strings.ToUpper(strings.TrimSpace(w))
			switch {
			case method == "" || !known(item.value):
			case method == "ALL": // EG: router.all is a method of the router like any other
				return nil
			case !slices.Contains(nodeMethods(), method):
				wrong = true
				l.report(t.pairOrItem(item), diag.Error, diag.Problem{
					Code: "unknown-method", Message: fmt.Sprintf("api endpoint %q names a method that HTTP does not have", name),
					Suggestion: diag.Suggest(method, nodeMethods()),
				})
			case !slices.Contains(out, method):
				out = append(out, method)
			}
		}
	}
	if wrong {
		return nil
	}
	return out
}

// nodeMethods are the methods that Express routes, those of Node's HTTP parser.
func nodeMethods() []string {
	return strings.Fields(`GET POST PUT PATCH DELETE HEAD OPTIONS ACL BIND CHECKOUT CONNECT COPY LINK LOCK M-SEARCH MERGE
		MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE
		UNBIND UNLINK UNLOCK UNSUBSCRIBE`)
}

// nearMisses warns of keys that nothing reads and that look like one that something does.
func (l *loader) nearMisses(t *tree, c child, subject string, readable []string) {
	if c.node.Kind != yaml.Map {
		return
	}
	for i := range c.node.Pairs {
		p := &c.node.Pairs[i]
		if slices.Contains(readable, p.Name) {
			continue
		}
		if s := diag.Suggest(p.Name, readable); s != "" && c.node.Pair(s) == nil {
			l.report(t.keySpot(p), diag.Warning, diag.Problem{
				Code: "unknown-key", Message: fmt.Sprintf("%s: %q is not read", subject, p.Name), Label: "ignored", Suggestion: s,
			})
		}
	}
}
