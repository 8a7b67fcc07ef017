package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
	"egk8s.dev/egk8s/gateway/policy"
)

// Compile makes a Runtime of a configuration. All problems are reported at once, with positions;
// the Runtime is nil when one of them is an error. What env says of cfg itself is filled in from there.
func Compile(cfg *config.Config, env *policy.Environment) (*Runtime, diag.Problems) {
	env.Services, env.JWTTokens = cfg.ServiceEndpoints, cfg.System.OAuth2.JWT != nil
	c := &compiler{cfg: cfg, env: env, unbuilt: map[string]bool{}}
	c.pipelines()
	c.scopes()
	rt := c.runtime()
	c.problems.Sort()
	if c.problems.HasErrors() {
		return nil, c.problems
	}
	return rt, c.problems
}

type compiler struct {
	cfg      *config.Config
	env      *policy.Environment
	byName   map[string]*compiled // by apiEndpoint name
	unbuilt  map[string]bool      // policies and conditions that were reported already
	problems diag.Problems
}

// compiled is a pipeline.
type compiled struct {
	name  string
	steps []step
}

// pipelines compiles every pipeline and notes which one serves an endpoint.
// EG: the last pipeline that names an endpoint wins; names of no endpoint are ignored.
func (c *compiler) pipelines() {
	c.byName = map[string]*compiled{}
	for _, p := range c.cfg.Pipelines {
		one := &compiled{name: p.Name}
		for _, s := range p.Steps {
			if compiledStep, ok := c.step(s); ok {
				one.steps = append(one.steps, compiledStep)
			}
		}
		for _, endpoint := range p.APIEndpoints {
			c.byName[endpoint] = one
		}
	}
}

func (c *compiler) step(s config.Step) (step, bool) {
	out := step{name: s.Policy}
	built, problems := policy.New(s, c.env)
	c.report(s.Policy, problems)
	out.policy = built
	ok := built != nil
	if s.Condition != nil {
		built, problems := condition.New(s.Condition, &condition.Environment{Log: c.env.Log})
		c.report("condition "+s.Condition.Name, problems)
		out.condition = built
		ok = ok && built != nil
	}
	return out, ok
}

// report keeps problems; that something is not built is told once, at its first use.
func (c *compiler) report(what string, problems diag.Problems) {
	for _, p := range problems {
		if p.Code == "policy-not-built" || p.Code == "condition-not-built" {
			if c.unbuilt[what] {
				continue
			}
			c.unbuilt[what] = true
		}
		c.problems = append(c.problems, p)
	}
}

func (c *compiler) runtime() *Runtime {
	keys := map[string]int{} // of hosts, to their place
	hosts := []*pattern.Host{}
	routes := [][]*route{}
	for i := range c.cfg.APIEndpoints {
		e := &c.cfg.APIEndpoints[i]
		// EG: an expression and a name of the same letters are one host, of the kind that comes first.
		key := cmp.Or(e.HostRegex, e.Host, "*")
		at, known := keys[key]
		if !known {
			host := c.host(e)
			if host == nil {
				continue
			}
			at = len(hosts)
			keys[key], hosts, routes = at, append(hosts, host), append(routes, nil)
		}
		routes[at] = append(routes[at], c.routes(e)...)
	}
	rt := &Runtime{Config: c.cfg, hosts: newHostTable(hosts)}
	if slices.Contains(c.cfg.Policies, "oauth2") { // EG: listed, though no pipeline uses it
		rt.routes = c.env.OAuth2
	}
	for _, list := range routes {
		rt.groups = append(rt.groups, &group{routes: newRouteTable(list)})
	}
	return rt
}

// host returns the pattern of an endpoint's host; nil: it is none.
func (c *compiler) host(e *config.APIEndpoint) *pattern.Host {
	if e.HostRegex == "" {
		return pattern.NewHost(cmp.Or(e.Host, "*"))
	}
	host, err := pattern.NewHostRegexp(e.HostRegex)
	if err != nil {
		c.invalid(e, "hostRegex", err)
		return nil
	}
	return host
}

func (c *compiler) invalid(e *config.APIEndpoint, key string, err error) {
	c.problems = append(c.problems, diag.Problem{
		Code: "endpoint-pattern", Severity: diag.Error, Position: e.Pos,
		Message: fmt.Sprintf("apiEndpoint %q: %s: %v", e.Name, key, err),
	})
}

// routes returns one route for every path of an endpoint.
func (c *compiler) routes(e *config.APIEndpoint) []*route {
	paths := e.Paths
	if len(paths) == 0 || e.PathRegex != "" {
		paths = []string{"*"}
	}
	var out []*route
	for _, source := range paths {
		var path *pattern.Path
		var err error
		if e.PathRegex != "" {
			path, err = pattern.NewPathRegexp(e.PathRegex)
		} else {
			path, err = pattern.NewPath(source)
		}
		if err != nil {
			c.invalid(e, "path", err)
			continue
		}
		out = append(out, c.route(e, path))
	}
	return out
}

func (c *compiler) route(e *config.APIEndpoint, path *pattern.Path) *route {
	r := &route{path: path, methods: methods(e.Methods)}
	r.endpoint = message.Endpoint{
		Name: e.Name, Scopes: e.Scopes, Raw: e.Raw, Params: path.Params,
		Pattern: path.String(), Regexp: e.PathRegex != "",
	}
	if r.endpoint.Regexp {
		r.endpoint.Pattern = ""
	}
	if p := c.byName[e.Name]; p != nil {
		r.hasPipeline, r.steps, r.endpoint.Pipeline = true, p.steps, p.name
	}
	for _, m := range r.methods { // EG: each method is a route of its own, and that of GET answers HEAD
		switch m {
		case "OPTIONS":
		case "GET":
			r.allow = append(r.allow, m, "HEAD")
		default:
			r.allow = append(r.allow, m)
		}
	}
	return r
}

// methods returns the names in upper case; nil stands for all.
func methods(list []string) []string {
	var out []string
	for _, m := range list {
		if m == "*" {
			return nil
		}
		out = append(out, strings.ToUpper(m))
	}
	return out
}
