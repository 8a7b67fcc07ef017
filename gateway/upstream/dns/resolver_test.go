package dns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"egk8s.dev/egk8s/gateway/upstream/dns"
	"egk8s.dev/egk8s/gateway/upstream/dns/dnstest"
)

// resolver asks s, with the search list that a pod of the namespace "shop" has.
func resolver(s ...*dnstest.Server) *dns.Resolver {
	c := dns.Config{
		Search: []string{"shop.svc.cluster.local", "svc.cluster.local", "cluster.local"},
		Ndots:  5, Attempts: 2, Timeout: 2 * time.Second,
	}
	for _, one := range s {
		c.Servers = append(c.Servers, one.Addr)
	}
	return &dns.Resolver{Config: func() (dns.Config, error) { return c, nil }, IPv6: func() bool { return false }}
}

func found(a dns.Answer) []string {
	var list []string
	for _, e := range a.Endpoints {
		list = append(list, e.String())
	}
	return list
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := dnstest.New(t)
	s.Set("backend.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.2", "10.0.0.1", "10.0.0.1"}, TTL: 30 * time.Second})
	s.Set("dual.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.3", "fd00::3"}, TTL: 5 * time.Second})
	s.Set("six.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"fd00::4"}, TTL: 5 * time.Second})
	s.Set("api.example.com", &dnstest.Name{CNAME: "edge.example.net", TTL: 3 * time.Second})
	s.Set("edge.example.net", &dnstest.Name{Addrs: []string{"192.0.2.1"}, TTL: 60 * time.Second})
	s.Set("big.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.9"}, Truncate: true})
	s.Set("empty.shop.svc.cluster.local", &dnstest.Name{})
	s.Set("ill.shop.svc.cluster.local", &dnstest.Name{Code: dnsmessage.RCodeServerFailure})
	s.Set("part.shop.svc.cluster.local", &dnstest.Name{Code: dnsmessage.RCodeServerFailure})
	s.Set("part", &dnstest.Name{Addrs: []string{"10.0.0.7"}})
	tests := []struct {
		name, ask string
		want      []string
		ttl       time.Duration
		fqdn      string
		missing   bool // ErrNotFound
		failed    bool // another error
	}{
		{name: "pods of a headless service, by search", ask: "backend", want: []string{"10.0.0.1:0", "10.0.0.2:0"}, ttl: 30 * time.Second, fqdn: "backend.shop.svc.cluster.local"},
		{name: "with the namespace", ask: "backend.shop", want: []string{"10.0.0.1:0", "10.0.0.2:0"}, ttl: 30 * time.Second, fqdn: "backend.shop.svc.cluster.local"},
		{name: "absolute", ask: "backend.shop.svc.cluster.local.", want: []string{"10.0.0.1:0", "10.0.0.2:0"}, ttl: 30 * time.Second, fqdn: "backend.shop.svc.cluster.local"},
		{name: "absolute is not searched", ask: "backend.", missing: true},
		{name: "one family", ask: "dual", want: []string{"10.0.0.3:0"}, ttl: 5 * time.Second, fqdn: "dual.shop.svc.cluster.local"},
		{name: "the only family", ask: "six", want: []string{"[fd00::4]:0"}, ttl: 5 * time.Second, fqdn: "six.shop.svc.cluster.local"},
		{name: "alias, shortest time", ask: "api.example.com", want: []string{"192.0.2.1:0"}, ttl: 3 * time.Second, fqdn: "api.example.com"},
		{name: "truncated: over TCP", ask: "big", want: []string{"10.0.0.9:0"}, fqdn: "big.shop.svc.cluster.local"},
		{name: "no such name", ask: "none", missing: true},
		{name: "a name without address", ask: "empty", missing: true},
		{name: "a server that fails", ask: "ill", failed: true},
		{name: "a domain that fails does not hide the next", ask: "part", want: []string{"10.0.0.7:0"}, fqdn: "part"},
		{name: "no name at all", ask: "a..b", failed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := resolver(s).Lookup(t.Context(), dns.Question{Name: tt.ask})
			if missing := errors.Is(err, dns.ErrNotFound); missing != tt.missing || (err != nil && !missing) != tt.failed {
				t.Fatalf("error: %v", err)
			}
			if diff := cmp.Diff(tt.want, found(a)); diff != "" || a.TTL != tt.ttl || a.Name != tt.fqdn {
				t.Errorf("%v %q %s", a.TTL, a.Name, diff)
			}
		})
	}
}

func TestLookupSRV(t *testing.T) {
	t.Parallel()
	s := dnstest.New(t)
	s.Set("a.backend.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.1"}, TTL: 2 * time.Second})
	s.Set("b.backend.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.2"}, TTL: 9 * time.Second})
	s.Set("_http._tcp.backend.shop.svc.cluster.local", &dnstest.Name{TTL: 5 * time.Second, SRV: []dnstest.SRV{
		{Target: "a.backend.shop.svc.cluster.local", Port: 8080, Glue: true},
		{Target: "b.backend.shop.svc.cluster.local", Port: 8081},
		{Target: "gone.backend.shop.svc.cluster.local", Port: 8082},
		{Target: "b.backend.shop.svc.cluster.local", Port: 9, Priority: 1},
	}})
	s.Set("_none._tcp.backend.shop.svc.cluster.local", &dnstest.Name{SRV: []dnstest.SRV{{Target: ".", Port: 0}}})
	a, err := resolver(s).Lookup(t.Context(), dns.Question{Name: "_http._tcp.backend", SRV: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.2:8081"}, found(a)); diff != "" || a.TTL != 2*time.Second {
		t.Errorf("%v %s", a.TTL, diff)
	}
	if n := s.Asked("a.backend.shop.svc.cluster.local. TypeA"); n != 0 {
		t.Errorf("an address that came with the answer was asked for %d times", n)
	}
	if _, err := resolver(s).Lookup(t.Context(), dns.Question{Name: "_none._tcp.backend", SRV: true}); !errors.Is(err, dns.ErrNotFound) {
		t.Errorf("a service that is not there: %v", err)
	}
}

func TestLookupAsksTheKnownNameFirst(t *testing.T) {
	t.Parallel()
	s := dnstest.New(t)
	s.Set("backend.other.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.1"}})
	r := resolver(s)
	first, err := r.Lookup(t.Context(), dns.Question{Name: "backend.other"})
	if err != nil || first.Name != "backend.other.svc.cluster.local" {
		t.Fatal(first, err)
	}
	walked := s.Asked("backend.other.shop.svc.cluster.local. TypeA")
	if _, err := r.Lookup(t.Context(), dns.Question{Name: "backend.other", Known: first.Name}); err != nil {
		t.Fatal(err)
	}
	if n := s.Asked("backend.other.shop.svc.cluster.local. TypeA"); walked != 1 || n != 1 {
		t.Errorf("the search list was walked %d, then %d times, want once", walked, n)
	}
	s.Set("backend.other.svc.cluster.local", &dnstest.Name{Code: dnsmessage.RCodeServerFailure})
	s.Set("backend.other.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.6.6.6"}})
	if a, err := r.Lookup(t.Context(), dns.Question{Name: "backend.other", Known: first.Name}); err == nil {
		t.Errorf("while the known name fails another one is taken: %v", a)
	}
}

func TestLookupAsksTheNextServer(t *testing.T) {
	t.Parallel()
	ill, well := dnstest.New(t), dnstest.New(t)
	ill.Set("backend.shop.svc.cluster.local", &dnstest.Name{Code: dnsmessage.RCodeRefused})
	well.Set("backend.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.1"}})
	if a, err := resolver(ill, well).Lookup(t.Context(), dns.Question{Name: "backend"}); err != nil || len(a.Endpoints) != 1 {
		t.Errorf("%v %v", a, err)
	}
}

func TestLookupEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := dnstest.New(t)
	s.Set("backend.shop.svc.cluster.local", &dnstest.Name{Silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := resolver(s).Lookup(ctx, dns.Question{Name: "backend"}); err == nil || errors.Is(err, dns.ErrNotFound) {
		t.Errorf("silence: %v", err)
	}
}

func TestLookupWithoutServers(t *testing.T) {
	t.Parallel()
	var answer error
	r := &dns.Resolver{
		Config: func() (dns.Config, error) {
			return dns.Config{Hosts: map[string][]netip.Addr{"fixed": {netip.MustParseAddr("10.1.1.1")}}}, nil
		},
		System: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1")}, answer
		},
	}
	a, err := r.Lookup(t.Context(), dns.Question{Name: "backend"})
	if err != nil || cmp.Diff([]string{"10.0.0.1:0"}, found(a)) != "" || a.TTL == 0 {
		t.Errorf("%v %v", a, err)
	}
	if a, err := r.Lookup(t.Context(), dns.Question{Name: "Fixed"}); err != nil || cmp.Diff([]string{"10.1.1.1:0"}, found(a)) != "" {
		t.Errorf("/etc/hosts: %v %v", a, err)
	}
	answer = &net.DNSError{IsNotFound: true}
	if _, err := r.Lookup(t.Context(), dns.Question{Name: "backend"}); !errors.Is(err, dns.ErrNotFound) {
		t.Errorf("no such name: %v", err)
	}
	answer = errors.New("broken")
	if _, err := r.Lookup(t.Context(), dns.Question{Name: "backend"}); err == nil || errors.Is(err, dns.ErrNotFound) {
		t.Errorf("broken: %v", err)
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	resolv, hosts := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts")
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(resolv, "# pod\n;old\nnameserver 10.96.0.10\nnameserver fd00::a # six\nnameserver nonsense\n"+
		"search shop.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:9 attempts:0 use-vc edns0\n")
	write(hosts, "10.0.0.1 One one.test\n::1 one\nnonsense two\n")
	got, err := dns.ReadConfig(resolv, hosts)
	want := dns.Config{
		Servers: []string{"10.96.0.10:53", "[fd00::a]:53"}, Search: []string{"shop.svc.cluster.local", "svc.cluster.local"},
		Ndots: 5, Timeout: time.Second, Attempts: 1, TCP: true,
		Hosts: map[string][]netip.Addr{
			"one": {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1")}, "one.test": {netip.MustParseAddr("10.0.0.1")},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err = dns.ReadConfig(dir+"/none", dir+"/none"); err != nil || len(got.Servers) != 0 || got.Ndots != 1 {
		t.Errorf("no files: %+v %v", got, err)
	}
}

func TestVariantsAreKeptApart(t *testing.T) {
	t.Parallel()
	s := dnstest.New(t)
	s.Set("backend.shop.svc.cluster.local", &dnstest.Name{Addrs: []string{"10.0.0.1"}})
	for v := range dns.Variants {
		if _, err := resolver(s).Lookup(t.Context(), dns.Question{Name: "backend", Variant: v}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"", "DO", "CD", "DO CD"}, s.Flags("backend.shop.svc.cluster.local. TypeA")); diff != "" {
		t.Error(diff)
	}
}
