package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
	"egk8s.dev/egk8s/gateway/upstream/dns"
	"egk8s.dev/egk8s/gateway/upstream/dns/dnstest"
)

const headless = "backend.shop.svc.cluster.local"

// pod answers on an address of its own of loopback.
type pod struct {
	address string
	server  *http.Server
	asked   atomic.Int64
	host    atomic.Value  // the last Host header
	slow    chan struct{} // until it is closed, answers wait; nil: they do not
}

// newPods starts pods at 127.0.0.2 and following, all on one port, which it returns.
func newPods(t *testing.T, n int) ([]*pod, int) {
	t.Helper()
	for range 20 {
		port := 0
		var pods []*pod
		for i := range n {
			p := &pod{address: fmt.Sprintf("127.0.0.%d", i+2)}
			got, err := p.listen(port)
			if err != nil {
				break
			}
			port, pods = got, append(pods, p)
		}
		t.Cleanup(func() {
			for _, p := range pods {
				p.kill()
			}
		})
		if len(pods) == n {
			return pods, port
		}
	}
	t.Skip("this system has no further loopback addresses")
	return nil, 0
}

func (p *pod) listen(port int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(p.address, strconv.Itoa(port)))
	if err != nil {
		return 0, err
	}
	p.server = &http.Server{Handler: p}
	go func(s *http.Server) { _ = s.Serve(l) }(p.server)
	return l.Addr().(*net.TCPAddr).Port, nil
}

// kill cuts everything at once.
func (p *pod) kill() { _ = p.server.Close() }

func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	p.host.Store(r.Host)
	if p.slow != nil {
		<-p.slow
	}
	_, _ = io.WriteString(w, p.address)
}

// address makes the requests of a test.
type address struct{}

func (address) Address(r *upstream.Request, to *upstream.Origin) { r.Path, r.Host = "/", to.Host() }

// ask sends one request and returns who answered.
func ask(b *upstream.Balancer, method string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, lease, err := b.Send(ctx, &upstream.Request{Method: method, Header: message.NewHeader(2)}, address{})
	if err != nil {
		return "", err
	}
	defer lease.End()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// fast looks names up often enough for a test.
func fast() upstream.Balance {
	b := upstream.DefaultBalance()
	b.Discovery.Interval = 10 * time.Millisecond
	return b
}

// newBalancer commits a configuration with one service whose name server is s.
func newBalancer(t *testing.T, s *dnstest.Server, b upstream.Balance, urls ...string) (*upstream.Balancer, *upstream.Pools) {
	t.Helper()
	pools := upstream.NewPools()
	t.Cleanup(pools.Close)
	if s != nil {
		c := dns.Config{Servers: []string{s.Addr}, Search: []string{"shop.svc.cluster.local"}, Ndots: 5, Attempts: 1, Timeout: time.Second}
		pools.Resolver = &dns.Resolver{Config: func() (dns.Config, error) { return c, nil }}
	}
	return commit(t, pools, b, urls...), pools
}

func commit(t *testing.T, pools *upstream.Pools, b upstream.Balance, urls ...string) *upstream.Balancer {
	t.Helper()
	var list []*url.URL
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u)
	}
	draft := pools.Draft()
	service, err := draft.Service("s", list, upstream.Options{}, b)
	if err != nil {
		t.Fatal(err)
	}
	draft.Commit()
	return service.Balancer()
}

func TestPodsOfAHeadlessServiceAreFollowed(t *testing.T) {
	t.Parallel()
	pods, port := newPods(t, 3)
	s := dnstest.New(t)
	set := func(list ...int) {
		n := &dnstest.Name{TTL: 30 * time.Second} // longer than the test: it must not decide
		for _, i := range list {
			n.Addrs = append(n.Addrs, pods[i].address)
		}
		s.Set(headless, n)
	}
	set(0, 1)
	b, _ := newBalancer(t, s, fast(), fmt.Sprintf("http://backend:%d", port))
	// Until the first answer the name goes to the system's resolver, which does not know it here.
	eventually(t, "the name is known", func() bool { _, err := ask(b, "GET"); return err == nil })
	var enough atomic.Bool
	var failed atomic.Int64
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for !enough.Load() {
				if _, err := ask(b, "POST"); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	stop := func() { enough.Store(true); load.Wait() }
	defer stop()
	more := func(p *pod) func() bool {
		from := p.asked.Load()
		return func() bool { return p.asked.Load() > from+20 }
	}
	eventually(t, "both pods are asked", func() bool { return pods[0].asked.Load() > 20 && pods[1].asked.Load() > 20 })
	if pods[2].asked.Load() > 0 {
		t.Error("a pod that is not listed was asked")
	}
	set(0, 1, 2)
	eventually(t, "the new pod is asked", more(pods[2]))
	set(1, 2)
	lookups := s.Asked(headless + ". TypeA")
	eventually(t, "the change is seen", func() bool { return s.Asked(headless+". TypeA") > lookups+2 })
	eventually(t, "requests go on", more(pods[1]))
	left := pods[0].asked.Load()
	eventually(t, "requests go on", more(pods[1]))
	if n := pods[0].asked.Load(); n != left {
		t.Errorf("the pod that is gone was asked %d times more", n-left)
	}
	stop()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d requests failed", n)
	}
	if host := pods[1].host.Load(); host != fmt.Sprintf("backend:%d", port) {
		t.Errorf("the Host header is %q, want the configured one", host)
	}
}

func TestTheLastAddressesStayWhenTheNameServerFails(t *testing.T) {
	t.Parallel()
	pods, port := newPods(t, 2)
	s := dnstest.New(t)
	s.Set(headless, &dnstest.Name{Addrs: []string{pods[0].address, pods[1].address}})
	b, _ := newBalancer(t, s, fast(), fmt.Sprintf("http://backend:%d", port))
	both := func() bool {
		before := [2]int64{pods[0].asked.Load(), pods[1].asked.Load()}
		for range 4 {
			_, _ = ask(b, "GET")
		}
		return pods[0].asked.Load() == before[0]+2 && pods[1].asked.Load() == before[1]+2
	}
	eventually(t, "both pods are asked", both)
	for name, n := range map[string]*dnstest.Name{
		"SERVFAIL": {Code: dnsmessage.RCodeServerFailure}, "no such name": nil, "no address": {},
	} {
		s.Set(headless, n)
		asked := s.Asked(headless + ". TypeA")
		eventually(t, "it is asked again", func() bool { return s.Asked(headless+". TypeA") > asked+1 })
		if !both() {
			t.Errorf("%s: the pods are not asked any more", name)
		}
	}
}

func TestServiceRecords(t *testing.T) {
	t.Parallel()
	pods, port := newPods(t, 2)
	s := dnstest.New(t)
	srv := &dnstest.Name{TTL: time.Second}
	for i, p := range pods {
		name := fmt.Sprintf("pod%d.%s", i, headless)
		s.Set(name, &dnstest.Name{Addrs: []string{p.address}, TTL: time.Second})
		srv.SRV = append(srv.SRV, dnstest.SRV{Target: name, Port: uint16(port), Glue: i == 0})
	}
	s.Set("_http._tcp."+headless, srv)
	byOption := fast()
	byOption.Discovery.SRV = "_http._tcp"
	for name, tt := range map[string]struct {
		url string
		b   upstream.Balance
	}{
		"in the host": {"http://_http._tcp." + headless + ":1", fast()}, "by option": {"http://" + headless + ":1", byOption},
	} {
		b, _ := newBalancer(t, s, tt.b, tt.url) // port 1: nobody listens there
		eventually(t, name+": both pods answer", func() bool {
			first, _ := ask(b, "GET")
			second, _ := ask(b, "GET")
			return first != "" && second != "" && first != second
		})
		if host := pods[0].host.Load(); host != headless+":1" {
			t.Errorf("%s: the Host header is %q", name, host)
		}
	}
}

func TestOneOfThreeUpstreamsDies(t *testing.T) {
	t.Parallel()
	pods, port := newPods(t, 3)
	var urls []string
	for _, p := range pods {
		urls = append(urls, fmt.Sprintf("http://%s", net.JoinHostPort(p.address, strconv.Itoa(port))))
	}
	balance := upstream.DefaultBalance()
	balance.Ejection.Time = 50 * time.Millisecond
	b, _ := newBalancer(t, nil, balance, urls...)
	load := func(n int) (failed int64) {
		var count atomic.Int64
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for range n / 8 {
					if _, err := ask(b, "GET"); err != nil {
						count.Add(1)
					}
				}
			})
		}
		workers.Wait()
		return count.Load()
	}
	var whole sync.WaitGroup
	var failed atomic.Int64
	whole.Go(func() { failed.Add(load(2000)) })
	eventually(t, "the load is on", func() bool { return pods[1].asked.Load() > 50 })
	pods[1].kill()
	whole.Wait()
	failed.Add(load(2000))
	if n := failed.Load(); n > 20 {
		t.Errorf("%d of 4000 requests failed when a pod died, want at most 0.5 %%", n)
	}
	if _, err := pods[1].listen(port); err != nil {
		t.Skipf("the port was taken by somebody else: %v", err)
	}
	eventually(t, "the pod that came back is asked", func() bool {
		before := pods[1].asked.Load()
		if n := load(80); n > 0 {
			t.Fatalf("%d requests failed after the pod was known to be dead", n)
		}
		return pods[1].asked.Load() >= before+80/3
	})
}

func TestRetriesOfABrokenConnection(t *testing.T) {
	t.Parallel()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	var cut atomic.Int64
	go func() { // it takes requests and answers none
		for {
			c, err := dead.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			cut.Add(1)
			_ = c.Close()
		}
	}()
	alive := newService(t, false, echo)
	balance := upstream.DefaultBalance()
	balance.Ejection.Failures = 0
	tests := []struct {
		method string
		change func(*upstream.Balance)
		want   bool
	}{
		{"GET", nil, true},
		{"POST", nil, false},
		{"GET", func(b *upstream.Balance) { b.Retries.Attempts = 0 }, false},
		{"GET", func(b *upstream.Balance) { b.Retries.Budget, b.Retries.MinPerSecond = 0, 0 }, false},
	}
	for _, tt := range tests {
		one := balance
		if tt.change != nil {
			tt.change(&one)
		}
		b, _ := newBalancer(t, nil, one, "http://"+dead.Addr().String(), alive.URL)
		before := cut.Load()
		if _, err := ask(b, tt.method); (err == nil) != tt.want || cut.Load() == before {
			t.Errorf("%s with %+v: %v, %d cut", tt.method, one.Retries, err, cut.Load()-before)
		}
	}
}

func TestAClosedPortIsNoReasonToFail(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	alive := newService(t, false, echo)
	balance := upstream.DefaultBalance()
	balance.Retries.Budget, balance.Retries.MinPerSecond, balance.Ejection.Failures = 0, 0, 0
	b, _ := newBalancer(t, nil, balance, "http://"+l.Addr().String(), alive.URL)
	for range 6 {
		if _, err := ask(b, "POST"); err != nil {
			t.Errorf("a request that no connection was found for: %v", err)
		}
	}
}

func TestCircuitBreaker(t *testing.T) {
	t.Parallel()
	pods, port := newPods(t, 1)
	pods[0].slow = make(chan struct{})
	balance := upstream.DefaultBalance()
	balance.Breaker.MaxRequests = 2
	b, _ := newBalancer(t, nil, balance, "http://"+net.JoinHostPort(pods[0].address, strconv.Itoa(port)))
	var inFlight sync.WaitGroup
	for range 2 {
		inFlight.Go(func() {
			if _, err := ask(b, "GET"); err != nil {
				t.Errorf("one of those that fit: %v", err)
			}
		})
	}
	eventually(t, "two are in flight", func() bool { return pods[0].asked.Load() == 2 })
	var open *upstream.OpenError
	if _, err := ask(b, "GET"); !errors.As(err, &open) || pods[0].asked.Load() != 2 {
		t.Errorf("one too many: %v", err)
	}
	close(pods[0].slow)
	inFlight.Wait()
	if _, err := ask(b, "GET"); err != nil {
		t.Errorf("after they ended: %v", err)
	}
}

func TestHealthCheck(t *testing.T) {
	t.Parallel()
	var ill atomic.Bool
	sick := newService(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" && ill.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, "sick")
	})
	well := newService(t, false, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "well") })
	balance := upstream.DefaultBalance()
	balance.Health = upstream.Health{Path: "/healthz", Interval: 5 * time.Millisecond, Timeout: time.Second, Healthy: 2, Unhealthy: 2, From: 200, To: 299}
	b, pools := newBalancer(t, nil, balance, sick.URL, well.URL)
	only := func(want int) func() bool {
		return func() bool {
			seen := 0
			for range 4 {
				if text, _ := ask(b, "GET"); text == "sick" {
					seen++
				}
			}
			return seen == want
		}
	}
	eventually(t, "both are asked", only(2))
	ill.Store(true)
	eventually(t, "the sick one is left", only(0))
	var text strings.Builder
	pools.WriteMetrics(&text)
	if want := fmt.Sprintf("egk8s_upstream_endpoint_state{service=\"s\",endpoint=%q,state=\"unhealthy\"} 1\n", sick.url.Host); !strings.Contains(text.String(), want) {
		t.Errorf("%s does not hold %s", text.String(), want)
	}
	ill.Store(false)
	eventually(t, "it is asked again", only(2))
}

// TestReloadsLeaveNothingBehind holds that look-ups and checks end with the configurations that need them, and that
// those which stay are not begun anew.
func TestReloadsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	var running, keptAsked, draftAsked atomic.Int64
	pools := upstream.NewPools()
	pools.Resolver = &dns.Resolver{
		Config: func() (dns.Config, error) { return dns.Config{}, nil },
		System: func(ctx context.Context, name string) ([]netip.Addr, error) {
			switch name {
			case "kept.test":
				keptAsked.Add(1)
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil // the next time is an hour away
			case "draft.test":
				draftAsked.Add(1)
			}
			running.Add(1)
			defer running.Add(-1)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}
	balance := upstream.DefaultBalance()
	balance.Health.Path = "/"
	balance.Discovery.Interval = time.Hour
	for i := range 1000 {
		commit(t, pools, balance, "http://kept.test:1", fmt.Sprintf("http://h%d.test:1", i))
	}
	eventually(t, "the others end", func() bool { return keptAsked.Load() > 0 && running.Load() <= 1 })
	draft := pools.Draft()
	if _, err := draft.Service("draft", []*url.URL{{Scheme: "http", Host: "draft.test"}}, upstream.Options{}, balance); err != nil {
		t.Fatal(err)
	}
	pools.Close() // waits for everything
	if n := running.Load(); n != 0 {
		t.Errorf("%d look-ups are left", n)
	}
	if n := keptAsked.Load(); n != 1 {
		t.Errorf("a name that stays was begun %d times", n)
	}
	if draftAsked.Load() > 0 {
		t.Error("a draft that is not committed looks names up")
	}
}
