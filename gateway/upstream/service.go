package upstream

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Service is a serviceEndpoint: its URLs, the endpoints behind them, and how requests are spread over these.
// It lives as long as configurations use it with the same URLs and options; it is safe for concurrent use.
type Service struct {
	name    string
	balance Balance
	chooser chooser
	log     *slog.Logger
	began   time.Time

	current atomic.Pointer[set]
	breaker breaker
	budget  budget
	latency histogram
	retried atomic.Uint64
	spent   atomic.Uint64 // retries that the budget did not allow

	mu      sync.Mutex // guards what follows, and what an Endpoint says it does
	running bool
	origins []*Origin
	stop    context.CancelFunc // ends the active check; nil: there is none
}

// Origin is one URL of a service.
type Origin struct {
	*Target
	// Path is the URL's path and query.
	Path string

	service   *Service
	port      uint16
	lookup    lookup // what finds the endpoints
	looksUp   bool   // false: the host is its only endpoint
	byName    *Endpoint
	endpoints []*Endpoint // guarded by Service.mu
}

// newService makes a service whose endpoints are its URLs. Nothing runs before start.
func newService(name string, urls []*url.URL, targets []*Target, b Balance, log *slog.Logger) *Service {
	s := &Service{
		name: name, balance: b, log: log, began: time.Now(),
		chooser: chooser{strategy: b.Strategy, limit: int64(b.Breaker.MaxPerEndpoint)},
	}
	for i, t := range targets {
		o := &Origin{Target: t, Path: pathOf(urls[i]), service: s, port: portOf(urls[i])}
		o.byName = &Endpoint{origin: o, target: t, address: t.Host()}
		o.endpoints = []*Endpoint{o.byName}
		s.origins = append(s.origins, o)
	}
	s.rebuild()
	return s
}

func pathOf(u *url.URL) string {
	path := u.EscapedPath()
	if path != "" && path[0] != '/' {
		path = "/" + path // of a URL that was put together, not parsed
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery // EG: stands in front of the request's path
	}
	return path
}

func portOf(u *url.URL) uint16 {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && n > 0 {
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// now is the time for what only compares times.
func (s *Service) now() time.Duration { return time.Since(s.began) }

// rebuild puts the set together anew; the caller holds the lock, or has the service for itself.
func (s *Service) rebuild() { s.current.Store(newSet(s.origins)) }

// start begins what runs beside the requests.
func (s *Service) start(ctx context.Context, group *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return
	}
	s.running = true
	if s.balance.Health.Path == "" {
		return
	}
	ctx, s.stop = context.WithCancel(ctx)
	group.Go(func() { s.check(ctx) })
}

// end stops what start began and closes idle connections. Requests in flight end as usual.
func (s *Service) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop()
	}
	s.running, s.stop = false, nil
	for _, o := range s.origins {
		for _, e := range o.endpoints {
			if e.readmit != nil {
				e.readmit.Stop()
			}
			e.out.Store(false) // for what is still in flight: nobody would readmit it
			if e != o.byName { // whose connections belong to Pools
				e.target.Close()
			}
		}
	}
	s.rebuild()
}

// follow makes the addresses the endpoints of o: new ones are used and gone ones left from the next request on.
// What is known of those that stay is kept. No address: the host is dialled by its name.
func (o *Origin) follow(addresses []netip.AddrPort) {
	s := o.service
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]*Endpoint{}
	for _, e := range o.endpoints {
		known[e.address] = e
	}
	var next []*Endpoint
	var added []string
	for _, a := range addresses {
		if a.Port() == 0 {
			a = netip.AddrPortFrom(a.Addr(), o.port)
		}
		e := known[a.String()]
		if e == nil || e == o.byName {
			e = &Endpoint{origin: o, target: o.Dial(a.String()), address: a.String()}
			added = append(added, e.address)
		}
		delete(known, e.address)
		next = append(next, e)
	}
	if len(next) == 0 {
		next = []*Endpoint{o.byName}
		delete(known, o.byName.address)
	}
	if len(added)+len(known) == 0 {
		return
	}
	o.endpoints = next
	s.rebuild()
	var left []string
	for address, e := range known {
		left = append(left, address)
		if e.readmit != nil {
			e.readmit.Stop()
		}
		if e == o.byName { // which may come back
			e.target.CloseIdle()
			continue
		}
		e.gone = true
		e.target.Close()
	}
	s.log.Info("endpoints changed", "service", s.name, "host", o.Host(), "endpoints", len(next),
		"new", strings.Join(added, " "), "gone", strings.Join(left, " "))
}
