package upstream

import (
	"context"
	"sync/atomic"
	"time"
)

// Balancer spreads the requests of one proxy step over a service. EG: the turn is counted by proxy step.
type Balancer struct {
	service *Service
	turn    atomic.Uint64
}

// Balancer returns one whose first turn is the first URL's.
func (s *Service) Balancer() *Balancer { return &Balancer{service: s} }

// Addresser makes a request one to a URL of the service: it sets what depends on the URL.
type Addresser interface {
	Address(r *Request, to *Origin)
}

// Lease is a request in flight at an endpoint.
type Lease struct{ endpoint *Endpoint }

// Origin returns the URL that the request went to.
func (l Lease) Origin() *Origin { return l.endpoint.origin }

// Endpoint returns the address that answered.
func (l Lease) Endpoint() string { return l.endpoint.address }

// End says that the answer is read, or nobody reads on. It is called once.
func (l Lease) End() {
	l.endpoint.active.Add(-1)
	l.endpoint.origin.service.breaker.leave()
}

// Send sends r to the endpoint whose turn it is, as Target.Send does, and where that is safe once more to
// another one when it gave no answer: see repeatable and Retries. With an answer, the lease must be ended.
// An *OpenError says that nothing was sent.
func (b *Balancer) Send(ctx context.Context, r *Request, a Addresser) (*Response, Lease, error) {
	s := b.service
	began := s.now()
	if err := s.breaker.enter(began, s.balance.Breaker); err != nil {
		return nil, Lease{}, err
	}
	s.budget.request(began)
	turn := b.turn.Add(1) - 1
	r.HeadTimeout = s.balance.Response
	var met tries
	e := s.chooser.pick(s.current.Load(), turn, &met)
	if e == nil {
		return nil, Lease{}, s.breaker.refuse(time.Second, "every endpoint has as many requests in flight as circuitBreaker.maxPerEndpoint allows")
	}
	for {
		a.Address(r, e.origin)
		resp, err := s.try(ctx, r, e)
		if err == nil {
			s.breaker.succeeded()
			s.latency.observe(s.now() - began)
			return resp, Lease{e}, nil
		}
		met.add(e)
		if e = s.again(ctx, r, err, turn, &met); e != nil {
			continue
		}
		if !gone(ctx) && classify(err) != noFailure {
			s.breaker.failed(s.now(), s.balance.Breaker)
		}
		s.breaker.leave()
		return nil, Lease{}, err
	}
}

// try sends r to e once. With an answer, the request stays in flight until its lease ends.
func (s *Service) try(ctx context.Context, r *Request, e *Endpoint) (*Response, error) {
	e.active.Add(1)
	e.sent.Add(1)
	resp, err := e.target.Send(ctx, r)
	if err == nil {
		s.answered(e, resp.Status)
		return resp, nil
	}
	e.active.Add(-1)
	if kind := classify(err); !gone(ctx) && kind != noFailure {
		s.missed(e, kind, err)
	}
	return nil, err
}

// gone tells whether the client left: then nobody is to blame.
func gone(ctx context.Context) bool { return ctx.Err() != nil }

// again returns the endpoint to which r goes after the failure err; nil: nowhere.
func (s *Service) again(ctx context.Context, r *Request, err error, turn uint64, met *tries) *Endpoint {
	if ctx.Err() != nil || met.n > s.balance.Retries.Attempts || met.n >= maxTries || !repeatable(r, err) {
		return nil
	}
	next := s.chooser.pick(s.current.Load(), turn+1, met)
	if next == nil && !Unsent(err) && met.n == 1 {
		next = met.list[0] // the only one there is: it may have closed an idle connection
	}
	if next == nil {
		return nil
	}
	// A connection that could not be opened cost the service nothing: its request only moves on.
	if !Unsent(err) && !s.budget.allow(s.now(), s.balance.Retries) {
		s.spent.Add(1)
		return nil
	}
	s.retried.Add(1)
	return next
}
