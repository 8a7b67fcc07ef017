package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxTargets bounds the look-ups that one SRV answer may ask for.
const maxTargets = 64

// services asks for the SRV records of an absolute name and for the addresses of their targets.
func (q *query) services(ctx context.Context, name string) (Answer, error) {
	reply, err := q.ask(ctx, name, dnsmessage.TypeSRV)
	if err != nil {
		return Answer{}, err
	}
	targets, ttl := best(reply)
	if len(targets) == 0 {
		return Answer{}, fmt.Errorf("look up %s: %w", name, ErrNotFound)
	}
	a := Answer{Name: name}
	var failed error
	lookups := 0
	for _, t := range targets {
		host := strings.TrimSuffix(t.Target.String(), ".")
		found, ok := q.glue(reply, host)
		if !ok {
			if lookups++; lookups > maxTargets {
				break
			}
			if found, err = q.addresses(ctx, host); err != nil {
				if !errors.Is(err, ErrNotFound) {
					failed = err
				}
				continue // gone since, or not known: the others serve
			}
		}
		for _, e := range found.Endpoints {
			a.Endpoints = append(a.Endpoints, netip.AddrPortFrom(e.Addr(), t.Port))
		}
		ttl = min(ttl, found.TTL)
	}
	if len(a.Endpoints) == 0 {
		if failed != nil {
			return Answer{}, failed
		}
		return Answer{}, fmt.Errorf("look up %s: %w", name, ErrNotFound)
	}
	a.TTL = ttl
	a.sort()
	return a, nil
}

// best returns the SRV records of the lowest priority and the shortest time to live. The target "." says
// that the service is not there (RFC 2782).
func best(m *dnsmessage.Message) ([]*dnsmessage.SRVResource, time.Duration) {
	var list []*dnsmessage.SRVResource
	ttl := uint32(1 << 31)
	for i := range m.Answers {
		srv, ok := m.Answers[i].Body.(*dnsmessage.SRVResource)
		if !ok || srv.Target.String() == "." {
			continue
		}
		ttl = min(ttl, m.Answers[i].Header.TTL)
		switch {
		case len(list) == 0 || srv.Priority < list[0].Priority:
			list = []*dnsmessage.SRVResource{srv}
		case srv.Priority == list[0].Priority:
			list = append(list, srv)
		}
	}
	return list, time.Duration(ttl) * time.Second
}

// glue finds a target's addresses among the additional records.
func (q *query) glue(m *dnsmessage.Message, host string) (Answer, bool) {
	extra := &dnsmessage.Message{Answers: m.Additionals}
	kinds := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	if q.ipv6 {
		kinds[0], kinds[1] = kinds[1], kinds[0]
	}
	for _, kind := range kinds {
		if a, err := records(extra, host, kind); err == nil {
			return a, true
		}
	}
	return Answer{}, false
}
