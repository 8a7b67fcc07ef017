// Package dns looks up where a service is: the addresses of a name, or its SRV records, and for how long that holds.
//
// It is a stub resolver (RFC 1034, section 5.3.1): it asks the servers of /etc/resolv.conf, as Go's own does, and beside
// the addresses it says their time to live, which Go's hides.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ErrNotFound says that the name servers know: there is no such name, or it has no address.
var ErrNotFound = errors.New("no such host")

// maxAliases is how many aliases may lead to each other. A reply may hold thousands, in a circle.
const maxAliases = 16

// unknownTTL stands where nobody says how long an answer holds.
const unknownTTL = 5 * time.Second

// Answer is what a look-up found.
type Answer struct {
	// Endpoints are the addresses, sorted, each once. The port is 0 unless an SRV record says it.
	Endpoints []netip.AddrPort
	// TTL is how long the answer holds; the shortest of all records that it rests on.
	TTL time.Duration
	// Name is the absolute name that was found, without the last dot: the one to ask for first next time.
	Name string
}

// Question is what is looked up.
type Question struct {
	Name string
	// SRV asks for the targets of the name's SRV records, such as those of _http._tcp.backend.shop.svc.cluster.local,
	// of the best priority only (RFC 2782). Weights are not looked at: Kubernetes gives every pod the same.
	SRV bool
	// Known is the Name of an earlier answer; it is tried first.
	Known string
	// Variant, 0 to 3, sets flags that change nothing in what a cluster's name server knows, DO and CD. Caches keep
	// answers apart by them: what one variant finds in a cache was put there for the same variant.
	Variant int
}

// Variants is how many there are.
const Variants = 4

// Resolver looks names up. It is safe for concurrent use; it keeps nothing.
type Resolver struct {
	// Config returns the servers; nil: those of /etc/resolv.conf and /etc/hosts.
	Config func() (Config, error)
	// System resolves where Config names no server; nil: Go's resolver.
	System func(ctx context.Context, name string) ([]netip.Addr, error)
	// IPv6 prefers IPv6 addresses where a name has both kinds; nil: when this machine has no IPv4 address.
	IPv6 func() bool
}

// query is one look-up.
type query struct {
	Config
	ipv6    bool
	variant int
}

// Lookup finds the addresses of a name, or its services. An error that is not ErrNotFound says that nobody could tell.
func (r *Resolver) Lookup(ctx context.Context, question Question) (Answer, error) {
	name, q := question.Name, &query{variant: question.Variant}
	find := q.addresses
	if question.SRV {
		find = q.services
	}
	var err error
	if r.Config != nil {
		q.Config, err = r.Config()
	} else {
		q.Config, err = ReadConfig("/etc/resolv.conf", "/etc/hosts")
	}
	if err != nil {
		return Answer{}, err
	}
	q.ipv6 = r.preferIPv6()
	bare := strings.ToLower(strings.TrimSuffix(name, "."))
	if fixed := q.Hosts[bare]; len(fixed) > 0 {
		return q.answer(fixed, unknownTTL, bare), nil
	}
	if len(q.Servers) == 0 {
		return r.system(ctx, q, name)
	}
	if question.Known != "" {
		if a, err := find(ctx, question.Known); !errors.Is(err, ErrNotFound) {
			return a, err
		}
	}
	var failed error
	for _, candidate := range q.candidates(name) {
		a, err := find(ctx, candidate)
		if err == nil {
			return a, nil
		}
		if !errors.Is(err, ErrNotFound) {
			failed = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if failed != nil {
		return Answer{}, failed
	}
	return Answer{}, fmt.Errorf("look up %s: %w", name, ErrNotFound)
}

// addresses asks for both kinds of addresses of an absolute name at the same time.
func (q *query) addresses(ctx context.Context, name string) (Answer, error) {
	var found [2]Answer
	var errs [2]error
	var both sync.WaitGroup
	for i, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		both.Go(func() {
			reply, err := q.ask(ctx, name, kind)
			if err != nil {
				errs[i] = err
				return
			}
			found[i], errs[i] = records(reply, name, kind)
		})
	}
	both.Wait()
	first := 0
	if q.ipv6 {
		first = 1
	}
	// What is not known of the preferred kind is not made up for by the other, which may lead nowhere from here.
	if errors.Is(errs[first], ErrNotFound) {
		first = 1 - first
	}
	return found[first], errs[first]
}

// records reads the addresses of a reply, along its aliases.
func records(m *dnsmessage.Message, name string, kind dnsmessage.Type) (Answer, error) {
	owner, ttl := name+".", uint32(1<<31)
	for range min(len(m.Answers), maxAliases) { // an alias may stand behind what it leads to
		for i := range m.Answers {
			if alias, ok := m.Answers[i].Body.(*dnsmessage.CNAMEResource); ok && strings.EqualFold(m.Answers[i].Header.Name.String(), owner) {
				owner, ttl = alias.CNAME.String(), min(ttl, m.Answers[i].Header.TTL)
			}
		}
	}
	a := Answer{Name: name}
	for i := range m.Answers {
		r := &m.Answers[i]
		if r.Header.Type != kind || !strings.EqualFold(r.Header.Name.String(), owner) {
			continue
		}
		if addr, ok := address(r.Body); ok {
			a.Endpoints = append(a.Endpoints, netip.AddrPortFrom(addr, 0))
			ttl = min(ttl, r.Header.TTL)
		}
	}
	if len(a.Endpoints) == 0 {
		return Answer{}, fmt.Errorf("look up %s: %w", name, ErrNotFound)
	}
	a.TTL = time.Duration(ttl) * time.Second
	a.sort()
	return a, nil
}

func address(body dnsmessage.ResourceBody) (netip.Addr, bool) {
	switch body := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(body.A), true
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(body.AAAA), true
	default:
		return netip.Addr{}, false
	}
}

// answer is one of fixed addresses.
func (q *query) answer(addrs []netip.Addr, ttl time.Duration, name string) Answer {
	a := Answer{TTL: ttl, Name: name}
	for _, ipv6 := range []bool{q.ipv6, !q.ipv6} {
		for _, addr := range addrs {
			if addr = addr.Unmap(); addr.Is6() == ipv6 {
				a.Endpoints = append(a.Endpoints, netip.AddrPortFrom(addr, 0))
			}
		}
		if len(a.Endpoints) > 0 {
			break
		}
	}
	a.sort()
	return a
}

func (a *Answer) sort() {
	slices.SortFunc(a.Endpoints, netip.AddrPort.Compare)
	a.Endpoints = slices.Compact(a.Endpoints)
}

// system leaves the work to the operating system.
func (r *Resolver) system(ctx context.Context, q *query, name string) (Answer, error) {
	resolve := r.System
	if resolve == nil {
		resolve = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	addrs, err := resolve(ctx, name)
	var none *net.DNSError
	if errors.As(err, &none) && none.IsNotFound || err == nil && len(addrs) == 0 {
		return Answer{}, fmt.Errorf("look up %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("look up %s: %w", name, err)
	}
	return q.answer(addrs, unknownTTL, name), nil
}

// preferIPv6 tells whether this machine can reach IPv6 addresses only.
func (r *Resolver) preferIPv6() bool {
	if r.IPv6 != nil {
		return r.IPv6()
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	has4, has6 := false, false
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().IsGlobalUnicast() {
			continue
		}
		if prefix.Addr().Is4() {
			has4 = true
		} else {
			has6 = true
		}
	}
	return has6 && !has4
}
