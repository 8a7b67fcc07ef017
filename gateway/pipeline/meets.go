package pipeline

import (
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// Sketch makes a Runtime that routes and whose pipelines have no steps: for tools that ask which endpoints a
// request meets. It needs nothing of the world that policies need.
func Sketch(cfg *config.Config) (*Runtime, diag.Problems) {
	c := &compiler{cfg: cfg, env: &policy.Environment{}, unbuilt: map[string]bool{}, byName: map[string]*compiled{}}
	for _, p := range cfg.Pipelines {
		for _, endpoint := range p.APIEndpoints {
			c.byName[endpoint] = &compiled{name: p.Name}
		}
	}
	rt := c.runtime()
	c.problems.Sort()
	return rt, c.problems
}

// Way is what a request meets in a Runtime, were no step to answer it and none to rewrite its URL.
type Way struct {
	Endpoints []*message.Endpoint // in order; the last one may have no pipeline, which ends the way
	End       string              // "" behind an endpoint without pipeline, "400", "404", or "200 Allow: GET,HEAD"
}

// Meets returns the way of a request through the routes.
func (r *Runtime) Meets(method, host, target string) Way {
	x := &message.Exchange{Request: message.Request{Method: method, URL: target, OriginalURL: target, Host: host}}
	var w Way
	for i := range r.hosts.match(x.Request.Hostname()) {
		if r.groups[i].meets(x, &w) {
			return w
		}
	}
	w.End = "404"
	return w
}

// meets adds the routes of one group of hosts; true: the way ends here.
func (g *group) meets(x *message.Exchange, w *Way) bool {
	var options []string
	found := g.routes.candidates(x.Request.Path())
	for i := found.next(-1); i >= 0; i = found.next(i) {
		route := g.routes.list[i]
		switch route.match(x) {
		case noMatch:
		case malformed:
			w.End = strconv.Itoa(400)
			return true
		case otherMethod:
			options = append(options, route.allow...)
		case matched:
			options = append(options, route.allow...) // in case that it falls through
			w.Endpoints = append(w.Endpoints, &route.endpoint)
			if !route.hasPipeline {
				return true
			}
		}
	}
	if x.Request.Method == "OPTIONS" && len(options) > 0 {
		w.End = "200 Allow: " + strings.Join(unique(options), ",")
		return true
	}
	return false
}
