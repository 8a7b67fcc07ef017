// Package pipeline compiles a configuration into a Runtime: hosts, paths and steps, ready to serve.
//
// A Runtime never changes. A reload compiles a complete new one beside the old one and swaps one pointer.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// Runtime serves the requests of one configuration. It is safe for concurrent use.
type Runtime struct {
	// Config is what the runtime was compiled from.
	Config *config.Config

	hosts  *hostTable
	groups []*group
	routes policy.Routes // before every endpoint; nil: none
}

// Endpoints yields every endpoint once for each of its paths. Before the Runtime serves, its Stats may be set.
func (r *Runtime) Endpoints() iter.Seq[*message.Endpoint] {
	return func(yield func(*message.Endpoint) bool) {
		for _, g := range r.groups {
			for _, route := range g.routes.list {
				if !yield(&route.endpoint) {
					return
				}
			}
		}
	}
}

// step is one policy with its condition.
type step struct {
	name      string
	condition condition.Condition // nil: always
	policy    policy.Policy
	answers   *Answers // nil: nobody counts
}

// StepError is an error of a step; it ended the request.
type StepError struct {
	Pipeline, Policy string
	Err              error
}

// Error names the step and says what went wrong.
func (e *StepError) Error() string {
	return fmt.Sprintf("pipeline %s: policy %s: %v", e.Pipeline, e.Policy, e.Err)
}

// Unwrap returns the step's own error.
func (e *StepError) Unwrap() error { return e.Err }

// Serve answers the exchange. It always answers, also when it returns an error: that one is for the log,
// and when the answer had begun already, the answer is not whole and its connection must be cut.
//
// EG: groups of hosts in the order in which they first appear; in a group the endpoints in file order
// with their paths in order; a pipeline that does not answer falls through to the next match.
func (r *Runtime) Serve(ctx context.Context, x *message.Exchange) error {
	policy.Sanitize(x.Request.Header)
	if r.routes != nil {
		if handle := r.routes.Route(x.Request.Method, x.Request.Path()); handle != nil {
			return own(ctx, x, handle)
		}
	}
	name := x.Request.Hostname()
	for i := range r.hosts.match(name) {
		answered, err := r.groups[i].serve(ctx, x)
		if answered && err == nil {
			x.Response.Finish()
		}
		if answered || err != nil {
			return err
		}
	}
	x.Endpoint = nil
	if allow := r.ownMethods(x); allow != "" {
		x.Response.Header.Set("Allow", allow)
		x.Response.SendHTML(200, allow)
		return nil
	}
	x.NotFound()
	return nil
}

// ownMethods is the answer to OPTIONS where only a route of the gateway itself has the path; else "".
// EG: Express collects the methods of whatever matches, and answers when nothing else does.
func (r *Runtime) ownMethods(x *message.Exchange) string {
	if r.routes == nil || x.Request.Method != "OPTIONS" {
		return ""
	}
	var allow []string
	if r.routes.Route("GET", x.Request.Path()) != nil {
		allow = append(allow, "GET", "HEAD")
	}
	if r.routes.Route("POST", x.Request.Path()) != nil {
		allow = append(allow, "POST")
	}
	return strings.Join(allow, ",")
}

// own answers by a route of the gateway itself.
func own(ctx context.Context, x *message.Exchange, handle func(context.Context, *message.Exchange) error) error {
	err := handle(ctx, x)
	if err == nil || x.Response.Started() {
		return err
	}
	if mistake, ok := errors.AsType[*message.StatusError](err); ok {
		x.ErrorPage(mistake.Status, mistake.Text)
		return nil
	}
	x.ErrorPage(500, "Internal Server Error")
	return fmt.Errorf("authorization server: %w", err)
}

// serve tries the routes of one group of hosts.
func (g *group) serve(ctx context.Context, x *message.Exchange) (bool, error) {
	var options []string // methods of the routes whose path matches, for an automatic answer to OPTIONS
	url := ""
	var found candidates
	last := -1
	for {
		if url != x.Request.URL { // at first, and after a policy rewrote it
			url = x.Request.URL
			found = g.routes.candidates(x.Request.Path())
		}
		i := found.next(last)
		if i < 0 {
			break
		}
		last = i
		route := g.routes.list[i]
		switch route.match(x) {
		case noMatch:
		case malformed:
			x.ErrorPage(400, "Bad Request")
			return true, nil
		case otherMethod:
			if x.Request.Method == "OPTIONS" {
				options = append(options, route.allow...)
			}
		case matched:
			if x.Request.Method == "OPTIONS" { // in case that it falls through
				options = append(options, route.allow...)
			}
			answered, err := route.serve(ctx, x)
			if answered || err != nil {
				return true, err
			}
		}
	}
	if x.Request.Method == "OPTIONS" && len(options) > 0 {
		allow := strings.Join(unique(options), ",")
		x.Response.Header.Set("Allow", allow)
		x.Response.SendHTML(200, allow)
		return true, nil
	}
	return false, nil
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// serve runs the pipeline of a route that matched.
func (r *route) serve(ctx context.Context, x *message.Exchange) (bool, error) {
	x.Endpoint = &r.endpoint
	if !r.hasPipeline {
		x.Response.SendText(404, "Not Found") // EG: an endpoint without pipeline
		return true, nil
	}
	for i := range r.steps {
		s := &r.steps[i]
		if s.condition != nil {
			holds, err := s.condition.Holds(x)
			if err != nil {
				return s.end(x, r.failed(x, s, err))
			}
			if !holds {
				continue
			}
		}
		verdict, err := s.policy.Apply(ctx, x)
		if err != nil {
			return s.end(x, r.failed(x, s, err))
		}
		if verdict == message.Answered {
			return s.end(x, nil)
		}
	}
	return false, nil
}

// end counts the answer of a step; what it returns, route.serve does.
func (s *step) end(x *message.Exchange, err error) (bool, error) {
	s.answers.add(x.Response.Status())
	return true, err
}

// failed answers for a step that failed, unless an answer has begun: 500, or the status of a client's mistake,
// which is no error of the gateway.
func (r *route) failed(x *message.Exchange, s *step, err error) error {
	if !x.Response.Started() {
		if mistake, ok := errors.AsType[*message.StatusError](err); ok {
			x.ErrorPage(mistake.Status, mistake.Text)
			return nil
		}
		x.ErrorPage(500, "Internal Server Error")
	}
	return &StepError{Pipeline: r.endpoint.Pipeline, Policy: s.name, Err: err}
}
