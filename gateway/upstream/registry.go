package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"

	"egk8s.dev/egk8s/gateway/upstream/dns"
)

// registry is the services of a process and what runs beside their requests: look-ups and checks.
type registry struct {
	// Resolver finds endpoints; nil: that of the system's configuration. Set it before the first Commit.
	Resolver *dns.Resolver
	// Log receives what changes; nil: nobody does. Set it before the first Draft.
	Log *slog.Logger

	lookups lookupCounts

	guard    sync.Mutex // guards what follows; held for the whole of a commit
	services map[serviceKey]*Service
	watches  map[lookup]*watch
	running  sync.WaitGroup
	ended    bool
}

func newRegistry() registry {
	return registry{services: map[serviceKey]*Service{}, watches: map[lookup]*watch{}}
}

// serviceKey is what tells services apart.
type serviceKey struct {
	name, urls string
	Options
	Balance
}

// Service returns the service of that name, the one in use where its URLs and options are the same.
// An unreadable or broken certificate file is an error.
func (d *Draft) Service(name string, urls []*url.URL, o Options, b Balance) (*Service, error) {
	var texts strings.Builder
	for _, u := range urls {
		fmt.Fprintf(&texts, "%s\n", u)
	}
	k := serviceKey{name: name, urls: texts.String(), Options: o, Balance: b}
	if s := d.services[k]; s != nil {
		return s, nil
	}
	targets := make([]*Target, len(urls))
	for i, u := range urls {
		var err error
		if targets[i], err = d.Target(withoutService(u), o); err != nil { // also to keep the pool
			return nil, err
		}
	}
	s := d.pools.service(k)
	if s == nil {
		log := d.pools.Log
		if log == nil {
			log = slog.New(slog.DiscardHandler)
		}
		s = newService(name, urls, targets, b, log)
		for i, u := range urls {
			s.origins[i].lookup, s.origins[i].looksUp = lookupOf(u, b.Discovery, o)
		}
	}
	d.services[k] = s
	return s, nil
}

func (r *registry) service(k serviceKey) *Service {
	r.guard.Lock()
	defer r.guard.Unlock()
	return r.services[k]
}

// commit starts the services that are new and ends those that are not used any more.
func (r *registry) commit(used map[serviceKey]*Service) {
	r.guard.Lock()
	defer r.guard.Unlock()
	if r.ended {
		return
	}
	before := r.services
	r.services = used
	wanted := map[lookup][]*Origin{}
	for _, s := range used {
		s.start(context.Background(), &r.running)
		for _, o := range s.origins {
			if o.looksUp {
				wanted[o.lookup] = append(wanted[o.lookup], o)
			}
		}
	}
	for l, origins := range wanted {
		r.watch(l).serve(origins)
	}
	for l, w := range r.watches {
		if wanted[l] == nil {
			w.cancel()
			delete(r.watches, l)
		}
	}
	for k, s := range before {
		if used[k] != s {
			s.end()
		}
	}
}

// watch returns the watch of a name, a new one where there is none.
func (r *registry) watch(l lookup) *watch {
	if w := r.watches[l]; w != nil {
		return w
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{lookup: l, cancel: cancel, resolver: r.Resolver, log: r.Log, counts: &r.lookups}
	if w.resolver == nil {
		w.resolver = &dns.Resolver{}
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	r.watches[l] = w
	r.running.Go(func() { w.run(ctx) })
	return w
}

// end ends everything and waits for it. Services serve on with the endpoints that they have.
func (r *registry) end() {
	r.guard.Lock()
	r.ended = true
	for _, w := range r.watches {
		w.cancel()
	}
	for _, s := range r.services {
		s.end()
	}
	r.guard.Unlock()
	r.running.Wait()
}
