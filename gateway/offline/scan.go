package offline

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

// Variable is a name that the files refer to by ${NAME}.
type Variable = config.Variable

// InlineSecret is a value that looks like a secret and stands in a file in the clear.
type InlineSecret = config.InlineSecret

// Scan finds the variables and the inline secrets of a folder, in the order of the files.
func Scan(dir string) ([]Variable, []InlineSecret) { return config.Scan(dir) }

// PluginHint says what to use instead of a policy that a plugin of Express Gateway brings; empty: nothing is known of it.
func PluginHint(policy string) string { return config.PluginHint(policy) }

// inlineSecrets warns of secrets in gateway.config.yml: that file goes into a ConfigMap, which more may read than a
// Secret. system.config.yml goes into a Secret.
func (r *Report) inlineSecrets(dir string) {
	_, secrets := config.Scan(dir)
	for _, s := range secrets {
		if !strings.HasPrefix(s.Pos.File, "gateway.config.") {
			continue
		}
		key := s.Key[strings.LastIndexByte(s.Key, '.')+1:]
		r.Problems = append(r.Problems, diag.Problem{
			Code: "inline-secret", Severity: diag.Warning, Position: s.Pos, Length: s.Length,
			Message: fmt.Sprintf("%s looks like a secret, and this file goes into a ConfigMap", key), Label: "in the clear",
			Hint: "put it into a Secret, name that in spec.secretEnv of egk8s.yaml, and write ${NAME} here",
		})
	}
}

// localUpstreams refuses service endpoints in use that would be looked for in the gateway's own pod.
func (r *Report) localUpstreams(cfg *config.Config) {
	used := map[string]bool{}
	for _, p := range cfg.Pipelines {
		for _, s := range p.Steps {
			if name, ok := s.Action["serviceEndpoint"].(string); ok {
				used[name] = true
			}
		}
	}
	for _, u := range r.Upstreams {
		if !used[u.Name] || !IsLoopback(u.Host) || r.IsAdmin(u) {
			continue
		}
		r.Problems = append(r.Problems, diag.Problem{
			Code: "localhost-upstream", Severity: diag.Error, Position: u.Pos,
			Message: fmt.Sprintf("service endpoint %q leads to %s, which in a pod is the gateway itself", u.Name, u.Host),
			Hint:    fmt.Sprintf("give its address in the cluster by spec.upstreams of egk8s.yaml, as upstreams: {%s: http://NAME.NAMESPACE.svc:PORT}", u.Name),
		})
	}
}

// IsAdmin tells whether a URL leads to the gateway's own Admin API, which listens on the pod's own address.
func (r *Report) IsAdmin(u Upstream) bool {
	return r.Admin != nil && r.Admin.Port != 0 && IsLoopback(u.Host) && strings.HasSuffix(u.Authority, fmt.Sprintf(":%d", r.Admin.Port))
}

// IsLoopback tells whether a host name or address means the machine itself.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if slices.Contains([]string{"localhost", "host.docker.internal"}, host) || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}
