package pipeline

import (
	"slices"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// group are the routes of one host pattern, in order.
type group struct {
	routes *routeTable
}

// route is one path of one apiEndpoint.
type route struct {
	endpoint    message.Endpoint
	path        *pattern.Path
	methods     []string // empty: all
	allow       []string // what an automatic answer to OPTIONS lists: methods but OPTIONS, HEAD behind GET
	steps       []step
	hasPipeline bool
}

type outcome int

const (
	noMatch outcome = iota
	otherMethod
	malformed
	matched
)

// match tells whether the route serves the request.
// EG: GET implies HEAD.
func (r *route) match(x *message.Exchange) outcome {
	switch r.path.Match(x.Request.Path()) {
	case pattern.No:
		return noMatch
	case pattern.Malformed:
		return malformed
	case pattern.Yes:
	}
	method := x.Request.Method
	switch {
	case len(r.methods) == 0 || slices.Contains(r.methods, method):
		return matched
	case method == "HEAD" && slices.Contains(r.methods, "GET"):
		return matched
	default:
		return otherMethod
	}
}
