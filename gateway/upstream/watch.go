package upstream

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/dns"
)

// Times between look-ups.
const (
	minInterval = time.Second
	// serviceInterval is for names of Services, whatever their time to live: a new pod must be used, and a gone one
	// left, within five seconds. The name server of a cluster keeps answers for as long, so that the time for one
	// turn of all variants must be longer.
	serviceInterval = 1300 * time.Millisecond
	otherInterval   = 30 * time.Second
	lookupTimeout   = 5 * time.Second
	// keepMissing is how long the last addresses stand when the name servers say that there are none any more:
	// a name server that starts may say so of every name, and an address that stays must not get somebody else's pod.
	keepMissing = 30 * time.Second
)

// lookup is a name that is looked up again and again.
type lookup struct {
	name     string
	srv      bool
	interval time.Duration // the longest; 0: by the name
}

// lookupOf tells what is looked up for a URL; false: its host is an address, or not ours to resolve.
func lookupOf(u *url.URL, d Discovery, o Options) (lookup, bool) {
	host := strings.ToLower(u.Hostname())
	_, err := netip.ParseAddr(host)
	if d.Off || o.ProxyURL != "" || host == "" || !isASCII(host) || err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return lookup{}, false
	}
	l := lookup{name: host, srv: strings.HasPrefix(host, "_"), interval: d.Interval}
	if d.SRV != "" {
		l.name, l.srv = d.SRV+"."+host, true
	}
	return l, true
}

// withoutService takes the labels _port._proto from the host of a URL: they say where to look, and are no part
// of a host's name (RFC 2782).
func withoutService(u *url.URL) *url.URL {
	host := u.Host
	for strings.HasPrefix(host, "_") {
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			break
		}
		host = rest
	}
	if host == u.Host {
		return u
	}
	bare := *u
	bare.Host = host
	return &bare
}

// watch looks one name up, for everybody who wants to know.
type watch struct {
	lookup
	cancel   context.CancelFunc
	resolver *dns.Resolver
	log      *slog.Logger
	counts   *lookupCounts

	mu      sync.Mutex // guards what follows
	origins []*Origin
	found   []netip.AddrPort // the last addresses; nil: none yet, or none any more
}

// isService tells whether an absolute name is that of a Service.
func isService(name string) bool { return strings.Contains(name+".", ".svc.") }

// serve makes origins those that follow the watch.
func (w *watch) serve(origins []*Origin) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.origins = origins
	if w.found == nil {
		return // by name, until something is known
	}
	for _, o := range origins {
		o.follow(w.found)
	}
}

func (w *watch) publish(found []netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(w.found, found) {
		return
	}
	w.found = found
	for _, o := range w.origins {
		o.follow(found)
	}
}

// run looks the name up until ctx ends.
func (w *watch) run(ctx context.Context) {
	state := watchState{variants: rand.Perm(dns.Variants)} //nolint:gosec // no secret
	for {
		wait := w.once(ctx, &state)
		wait += time.Duration(rand.Int64N(int64(wait)/10 + 1)) //nolint:gosec // jitter
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// watchState is what one look-up tells the next.
type watchState struct {
	known    string        // the absolute name
	longTTL  time.Duration // the longest time to live that was seen: what is missing of it is an answer's age
	asOf     time.Time     // how old the addresses in use are
	variants []int         // in the order in which they are asked
	good     bool          // there are addresses
	missing  time.Time     // since when the name servers say that there are none; zero: they do not
	failures int           // in a row
}

// variant returns the variant of the next question. The name server of a cluster keeps answers for some seconds, up
// to 30; asked for one variant after the other, none comes up again before an answer of the usual 5 s is forgotten.
func (s *watchState) variant() int {
	if !isService(s.known) {
		return 0
	}
	v := s.variants[0]
	copy(s.variants, s.variants[1:])
	s.variants[len(s.variants)-1] = v
	return v
}

// newer tells whether an answer with that time to live is newer than the addresses in use. Several caches are asked,
// of several servers and variants, and an old answer must not undo what a new one said.
func (s *watchState) newer(ttl time.Duration) bool {
	s.longTTL = max(s.longTTL, ttl)
	age := s.longTTL - ttl
	asOf := time.Now().Add(-age)
	if age > 0 && asOf.Before(s.asOf.Add(time.Second)) { // ages are whole seconds, rounded down
		return false
	}
	s.asOf = asOf
	return true
}

// once looks up once and returns when to do it again.
func (w *watch) once(ctx context.Context, state *watchState) time.Duration {
	limited, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answer, err := w.resolver.Lookup(limited, dns.Question{Name: w.name, SRV: w.srv, Known: state.known, Variant: state.variant()})
	switch {
	case ctx.Err() != nil:
		return minInterval
	case err == nil:
		if state.failures > 0 {
			w.log.Info("name is found again", "name", w.name)
		}
		state.known, state.failures, state.missing = answer.Name, 0, time.Time{}
		w.counts.found.Add(1)
		if state.newer(answer.TTL) {
			state.good = true
			w.publish(answer.Endpoints)
		}
		longest := w.longest(answer.Name)
		if isService(answer.Name) {
			return longest
		}
		return min(max(answer.TTL, min(minInterval, longest)), longest)
	}
	if state.failures++; state.failures == 1 {
		w.log.Warn("name is not found; the last addresses stay in use", "name", w.name, "error", err)
	}
	if errors.Is(err, dns.ErrNotFound) {
		w.counts.missing.Add(1)
		w.gone(state)
	} else {
		w.counts.failed.Add(1)
		state.missing = time.Time{}
	}
	longest := w.longest(cmp.Or(state.known, w.name))
	if state.known == "" && w.interval == 0 && strings.Count(w.name, ".") < 2 {
		longest = serviceInterval // "backend" or "backend.shop" may be a Service that is not there yet
	}
	return min(min(minInterval, longest)<<min(state.failures-1, 5), max(longest, lookupTimeout))
}

// gone gives the last addresses up when the name servers have said for a while that there are none.
func (w *watch) gone(state *watchState) {
	switch {
	case state.missing.IsZero():
		state.missing = time.Now()
	case state.good && time.Since(state.missing) > keepMissing:
		state.good, state.known, state.asOf = false, "", time.Time{}
		w.publish(nil)
	}
}

// longest is the longest time between two look-ups of the absolute name.
func (w *watch) longest(name string) time.Duration {
	switch {
	case w.interval > 0:
		return w.interval
	case isService(name):
		return serviceInterval
	default:
		return otherInterval
	}
}
