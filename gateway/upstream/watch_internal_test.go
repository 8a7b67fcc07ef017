package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/dns"
)

func TestWhatIsLookedUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url  string
		d    Discovery
		o    Options
		want string // empty: nothing
	}{
		{"http://Backend.shop:8080", Discovery{}, Options{}, "backend.shop"},
		{"http://_http._tcp.backend.shop", Discovery{}, Options{}, "SRV _http._tcp.backend.shop"},
		{"http://backend", Discovery{SRV: "_http._tcp"}, Options{}, "SRV _http._tcp.backend"},
		{"http://10.0.0.1:80", Discovery{}, Options{}, ""},
		{"http://[fd00::1]:80", Discovery{}, Options{}, ""},
		{"http://localhost:80", Discovery{}, Options{}, ""},
		{"http://a.localhost:80", Discovery{}, Options{}, ""},
		{"http://backend", Discovery{Off: true}, Options{}, ""},
		{"http://b\u00fccher.test", Discovery{}, Options{}, ""}, // net/http knows its form in DNS
		{"http://backend", Discovery{}, Options{ProxyURL: "http://proxy:3128"}, ""},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		l, ok := lookupOf(u, tt.d, tt.o)
		got := l.name
		if l.srv {
			got = "SRV " + got
		}
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %+v: %q", tt.url, tt.d, got)
		}
	}
}

// nameServer is what a watch finds, without a network.
type nameServer struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	asked []time.Duration // when, since the beginning
	began time.Time
}

// says makes it answer with addrs, or err, from now on.
func (n *nameServer) says(err error, addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs, n.err = nil, err
	for _, a := range addrs {
		n.addrs = append(n.addrs, netip.MustParseAddr(a))
	}
}

func (n *nameServer) resolver() *dns.Resolver {
	n.began = time.Now()
	return &dns.Resolver{
		Config: func() (dns.Config, error) { return dns.Config{}, nil },
		System: func(context.Context, string) ([]netip.Addr, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.asked = append(n.asked, time.Since(n.began))
			return n.addrs, n.err
		},
		IPv6: func() bool { return false },
	}
}

func (s *Service) addresses() string {
	var list []string
	for _, e := range s.current.Load().all {
		list = append(list, e.address)
	}
	return strings.Join(list, " ")
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &nameServer{}
		n.says(nil, "10.0.0.1", "10.0.0.2")
		s := testService(DefaultBalance(), 1)
		s.origins[0].endpoints = []*Endpoint{s.origins[0].byName}
		s.rebuild()
		w := &watch{
			lookup: lookup{name: "backend.shop.svc.cluster.local"}, resolver: n.resolver(), counts: &lookupCounts{}, log: slog.New(slog.DiscardHandler),
		}
		w.serve(s.origins)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.run(ctx) }()
		expect := func(what, want string) {
			t.Helper()
			synctest.Wait()
			if got := s.addresses(); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		expect("at once", "10.0.0.1:80 10.0.0.2:80")
		kept := s.origins[0].endpoints[1]
		n.says(nil, "10.0.0.2")
		time.Sleep(3 * time.Second) // below the five that a change may take
		expect("one is gone", "10.0.0.2:80")
		if s.origins[0].endpoints[0] != kept {
			t.Error("what was known of an endpoint that stays is forgotten")
		}
		n.says(errors.New("no answer"))
		time.Sleep(10 * time.Minute)
		expect("nobody can tell", "10.0.0.2:80")
		n.says(nil)
		time.Sleep(20 * time.Second)
		expect("a name server that just started", "10.0.0.2:80")
		time.Sleep(20 * time.Second)
		expect("gone", "host0:80")
		n.says(nil, "10.0.0.3")
		time.Sleep(6 * time.Second)
		expect("there again", "10.0.0.3:80")
		n.says(nil)
		time.Sleep(20 * time.Second)
		expect("gone for a moment", "10.0.0.3:80")
		time.Sleep(20 * time.Second)
		expect("gone", "host0:80")
		cancel()
		<-done
	})
}

func TestWatchBacksOff(t *testing.T) {
	t.Parallel()
	for name, longest := range map[string]time.Duration{
		"backend.shop.svc.cluster.local": 5 * time.Second, "backend": 5 * time.Second, "backend.shop": 5 * time.Second, "api.example.com": 30 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &nameServer{err: errors.New("no answer")}
			w := &watch{lookup: lookup{name: name}, resolver: n.resolver(), counts: &lookupCounts{}, log: slog.New(slog.DiscardHandler)}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			w.run(ctx)
			want := min(time.Second, longest)
			for i := 1; i < len(n.asked); i++ {
				if gap := n.asked[i] - n.asked[i-1]; gap < want || gap > want+want/10 {
					t.Fatalf("%s: look-up %d came after %v, want %v and a little: %v", name, i, gap, want, fmt.Sprint(n.asked[:i+1]))
				}
				want = min(2*want, longest)
			}
		})
	}
}
