package upstream

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// testService is a service with so many endpoints for each URL, that nothing runs beside.
func testService(b Balance, sizes ...int) *Service {
	var urls []*url.URL
	var targets []*Target
	for i := range sizes {
		u := &url.URL{Scheme: "http", Host: fmt.Sprintf("host%d:80", i)}
		target, err := NewPools().Draft().Target(u, Options{})
		if err != nil {
			panic(err) // there is nothing to go wrong
		}
		urls, targets = append(urls, u), append(targets, target)
	}
	s := newService("s", urls, targets, b, slog.New(slog.DiscardHandler))
	for i, size := range sizes {
		o := s.origins[i]
		o.endpoints = nil
		for j := range size {
			o.endpoints = append(o.endpoints, &Endpoint{origin: o, target: o.Target, address: fmt.Sprintf("%d.%d", i, j)})
		}
	}
	s.running = true
	s.rebuild()
	return s
}

func (s *Service) order(n int) string {
	b := s.Balancer()
	var list []string
	for range n {
		list = append(list, s.chooser.pick(s.current.Load(), b.turn.Add(1)-1, &tries{}).address)
	}
	return strings.Join(list, " ")
}

func TestRoundRobinOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		sizes []int
		want  string
	}{
		{"EG: one URL after the other", []int{1, 1, 1}, "0.0 1.0 2.0 0.0 1.0 2.0"},
		{"the pods of one URL", []int{3}, "0.0 0.1 0.2 0.0 0.1 0.2"},
		{"a URL is one turn, its pods take turns in it", []int{2, 1}, "0.0 1.0 0.1 1.0 0.0 1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := testService(DefaultBalance(), tt.sizes...).order(6); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestRoundRobinIsFair holds that whatever endpoints sit out, every URL that has one left gets the same number
// of turns, and inside a URL so does every endpoint.
func TestRoundRobinIsFair(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		sizes := make([]int, 1+r.IntN(4))
		for i := range sizes {
			sizes[i] = 1 + r.IntN(5)
		}
		s := testService(DefaultBalance(), sizes...)
		rounds := 1
		for i, o := range s.origins {
			left := 0
			for _, e := range o.endpoints {
				e.out.Store(r.IntN(3) == 0)
				if !e.out.Load() {
					left++
				}
			}
			if left > 0 {
				rounds *= left // a multiple of every URL's number
			}
			sizes[i] = left
		}
		s.rebuild()
		if len(s.current.Load().all) == 0 {
			t.Fatal("a service without an endpoint in use")
		}
		usable := 0
		for _, n := range sizes {
			if n > 0 {
				usable++
			}
		}
		if usable == 0 {
			continue // all are used then
		}
		counts := map[string]int{}
		for address := range strings.FieldsSeq(s.order(rounds * usable)) {
			counts[address]++
		}
		for _, o := range s.origins {
			for _, e := range o.endpoints {
				want := 0
				if !e.out.Load() {
					want = rounds / sizes[slices.Index(s.origins, o)]
				}
				if counts[e.address] != want {
					t.Fatalf("seed %d: %s had %d turns, want %d", seed, e.address, counts[e.address], want)
				}
			}
		}
	}
}

func TestLeastRequest(t *testing.T) {
	t.Parallel()
	b := DefaultBalance()
	b.Strategy = LeastRequest
	s := testService(b, 3)
	list := s.origins[0].endpoints
	list[0].active.Store(2)
	list[1].active.Store(1)
	list[2].active.Store(5)
	if got := s.order(3); got != "0.1 0.1 0.1" {
		t.Errorf("few endpoints: %s", got)
	}
	list[0].active.Store(1)
	if got := s.order(4); !strings.Contains(got, "0.0") || !strings.Contains(got, "0.1") || strings.Contains(got, "0.2") {
		t.Errorf("those with the same load take turns: %s", got)
	}
	many := testService(b, 100)
	busy := many.origins[0].endpoints[:50]
	for _, e := range busy {
		e.active.Store(100)
	}
	toBusy := 0
	for address := range strings.FieldsSeq(many.order(4000)) {
		var n int
		_, _ = fmt.Sscanf(address, "0.%d", &n)
		if n < 50 {
			toBusy++
		}
	}
	if toBusy < 500 || toBusy > 1500 { // two busy ones of two: a quarter
		t.Errorf("%d of 4000 requests went to busy endpoints", toBusy)
	}
}

func TestPickLeavesOut(t *testing.T) {
	t.Parallel()
	for _, strategy := range []Strategy{RoundRobin, LeastRequest} {
		s := testService(Balance{Strategy: strategy, Breaker: Breaker{MaxPerEndpoint: 2}}, 2, 2)
		s.origins[0].endpoints[0].active.Store(2) // full
		met := &tries{}
		met.add(s.origins[0].endpoints[1])
		met.add(s.origins[1].endpoints[0])
		for turn := range uint64(8) {
			if e := s.chooser.pick(s.current.Load(), turn, met); e != s.origins[1].endpoints[1] {
				t.Errorf("strategy %v, turn %d: %+v", strategy, turn, e)
			}
		}
		met.add(s.origins[1].endpoints[1])
		if e := s.chooser.pick(s.current.Load(), 0, met); e != nil {
			t.Errorf("strategy %v: %s is left, want nothing", strategy, e.address)
		}
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	for _, strategy := range []Strategy{RoundRobin, LeastRequest} {
		s := testService(Balance{Strategy: strategy}, 20, 20)
		turn := uint64(0)
		if n := testing.AllocsPerRun(100, func() {
			var met tries
			s.chooser.pick(s.current.Load(), turn, &met)
			turn++
		}); n != 0 {
			t.Errorf("strategy %v: %v allocations", strategy, n)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for name, strategy := range map[string]Strategy{"round-robin": RoundRobin, "least-request": LeastRequest} {
		b.Run(name, func(b *testing.B) {
			s := testService(Balance{Strategy: strategy}, 10, 10)
			balancer := s.Balancer()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var met tries
					s.chooser.pick(s.current.Load(), balancer.turn.Add(1), &met)
				}
			})
		})
	}
}

// out tells which endpoints sit out.
func (s *Service) outs() string {
	var list []string
	for _, o := range s.origins {
		for _, e := range o.endpoints {
			if e.out.Load() {
				list = append(list, e.address)
			}
		}
	}
	return strings.Join(list, " ")
}

func TestEjection(t *testing.T) {
	t.Parallel()
	fail := func(s *Service, which, n int) {
		for range n {
			s.missed(s.origins[0].endpoints[which], dialFailure, syscall.ECONNREFUSED)
		}
	}
	tests := []struct {
		name    string
		size    int
		change  func(*Ejection)
		do      func(*Service)
		want    string
		wantAll bool // every endpoint is in use
	}{
		{"too few failures", 3, nil, func(s *Service) { fail(s, 0, 2) }, "", true},
		{"enough", 3, nil, func(s *Service) { fail(s, 0, 3) }, "0.0", false},
		{"an answer in between", 3, nil, func(s *Service) {
			fail(s, 0, 2)
			s.answered(s.origins[0].endpoints[0], 500)
			fail(s, 0, 2)
		}, "", true},
		{"the last one stays", 1, nil, func(s *Service) { fail(s, 0, 9) }, "", true},
		{"one of two", 2, nil, func(s *Service) { fail(s, 0, 3); fail(s, 1, 9) }, "0.0", false},
		{"not more than half", 4, nil, func(s *Service) { fail(s, 0, 3); fail(s, 1, 3); fail(s, 2, 30) }, "0.0 0.1", false},
		{"another share, but the last", 3, func(e *Ejection) { e.MaxShare = 100 }, func(s *Service) { fail(s, 0, 3); fail(s, 1, 3); fail(s, 2, 3) }, "0.0 0.1", false},
		{"at least one of several", 3, func(e *Ejection) { e.MaxShare = 0 }, func(s *Service) { fail(s, 2, 3) }, "0.2", false},
		{"switched off", 3, func(e *Ejection) { e.Failures = 0 }, func(s *Service) { fail(s, 0, 99) }, "", true},
		{"answers of 503 do not count by default", 3, nil, func(s *Service) {
			for range 20 {
				s.answered(s.origins[0].endpoints[0], 503)
			}
		}, "", true},
		{"answers of 503 by choice, 500 not", 3, func(e *Ejection) { e.ServerErrors = 2 }, func(s *Service) {
			for range 3 {
				s.answered(s.origins[0].endpoints[0], 503)
				s.answered(s.origins[0].endpoints[1], 503)
				s.answered(s.origins[0].endpoints[1], 500)
			}
		}, "0.0", false},
		{"who sits out stops nobody from coming in when more are asked for", 6, nil, func(s *Service) {
			fail(s, 0, 3)
			fail(s, 1, 3)
			fail(s, 2, 3)
			fail(s, 3, 3)
		}, "0.0 0.1 0.2", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := DefaultBalance()
			b.Ejection.Time = time.Hour
			if tt.change != nil {
				tt.change(&b.Ejection)
			}
			s := testService(b, tt.size)
			defer s.end()
			tt.do(s)
			if got := s.outs(); got != tt.want {
				t.Errorf("out: %q, want %q", got, tt.want)
			}
			if all := len(s.current.Load().all) == tt.size; all != tt.wantAll {
				t.Errorf("%d of %d in use", len(s.current.Load().all), tt.size)
			}
		})
	}
}

func TestEjectionGrowsAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testService(DefaultBalance(), 2)
		e := s.origins[0].endpoints[0]
		fail := func() { s.missed(e, dialFailure, syscall.ECONNREFUSED) }
		stays := func(d time.Duration) {
			t.Helper()
			time.Sleep(d - time.Millisecond)
			if synctest.Wait(); !e.out.Load() {
				t.Fatalf("it is back before %v", d)
			}
			time.Sleep(2 * time.Millisecond)
			if synctest.Wait(); e.out.Load() || len(s.current.Load().all) != 2 {
				t.Fatalf("it is not back after %v", d)
			}
		}
		fail()
		fail()
		fail()
		for _, d := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			stays(d * time.Second)
			fail() // one is enough now
		}
		stays(30 * time.Second)
		s.answered(e, 200)
		fail()
		if e.out.Load() {
			t.Fatal("after an answer one failure is one failure")
		}
		time.Sleep(time.Minute)
		fail()
		fail()
		stays(time.Second) // it did well for a while: from the beginning
		s.end()
	})
}

func TestAServiceThatEndedLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	s := testService(DefaultBalance(), 2)
	for range 3 {
		s.missed(s.origins[0].endpoints[0], brokenFailure, io.EOF)
	}
	s.end()
	if len(s.current.Load().all) != 2 {
		t.Error("an endpoint sits out for ever")
	}
	for range 3 {
		s.missed(s.origins[0].endpoints[0], brokenFailure, io.EOF)
	}
	if s.outs() != "" {
		t.Error("an endpoint sits out, and nobody will bring it back")
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	r := Retries{Budget: 20, MinPerSecond: 2}
	tests := []struct {
		name     string
		requests []int // in each second
		want     int   // retries allowed in the last one
	}{
		{"nothing else", []int{0}, 2},
		{"a fifth", []int{100}, 20},
		{"of the last ten seconds", []int{50, 50}, 20},
		{"not of what was before", []int{1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b budget
			now := 7 * time.Second
			for _, n := range tt.requests {
				now += time.Second
				for range n {
					b.request(now)
				}
			}
			allowed := 0
			for range 1000 {
				if b.allow(now, r) {
					allowed++
				}
			}
			if allowed != tt.want {
				t.Errorf("%d retries, want %d", allowed, tt.want)
			}
		})
	}
}

func TestBreakerBoundsRequests(t *testing.T) {
	t.Parallel()
	var b breaker
	o := Breaker{MaxRequests: 2}
	for range 2 {
		if err := b.enter(0, o); err != nil {
			t.Fatalf("two may enter: %v", err)
		}
	}
	var open *OpenError
	if err := b.enter(0, o); !errors.As(err, &open) || open.RetryAfter <= 0 {
		t.Errorf("the third: %v", err)
	}
	b.leave()
	if err := b.enter(0, o); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

func TestBreakerOpensAfterFailures(t *testing.T) {
	t.Parallel()
	var b breaker
	o := Breaker{Failures: 2, Time: 5 * time.Second}
	enter := func(now time.Duration) bool {
		err := b.enter(now, o)
		if err == nil {
			b.leave()
		}
		return err == nil
	}
	var got []bool
	b.failed(0, o)
	got = append(got, enter(0))
	b.failed(0, o)
	got = append(got, enter(0), enter(4*time.Second))
	got = append(got, enter(6*time.Second), enter(6*time.Second)) // one tries
	b.failed(6*time.Second, o)
	got = append(got, enter(10*time.Second), enter(12*time.Second))
	b.succeeded()
	got = append(got, enter(12*time.Second))
	want := []bool{true, false, false, true, false, false, true, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := b.active.Load(); n != 0 {
		t.Errorf("%d requests are left", n)
	}
}

func TestRepeatable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method string
		why    Error
		want   bool
	}{
		{"GET", Error{Stage: h1.Waiting}, true},
		{"PUT", Error{Stage: h1.Waiting}, true},
		{"DELETE", Error{Stage: h1.Waiting, Reused: true}, true},
		{"PUT", Error{Stage: h1.Waiting, BodyUsed: true}, false},
		{"POST", Error{Stage: h1.Waiting}, false},
		{"PATCH", Error{Stage: h1.Waiting, Reused: true}, false},
		{"POST", Error{Stage: h1.Connecting}, true},
		{"POST", Error{Stage: h1.Connecting, BodyUsed: true}, false},
		{"GET", Error{Stage: h1.GaveUp}, false},
		{"GET", Error{Stage: h1.Answering}, false},
		{"GET", Error{Stage: h1.Refused}, false},
	}
	for _, tt := range tests {
		if got := repeatable(&Request{Method: tt.method}, fmt.Errorf("ask: %w", &tt.why)); got != tt.want {
			t.Errorf("%s after %+v: %v", tt.method, tt.why, got)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	e := &Endpoint{}
	var got []bool
	for _, r := range "..xx.xxxx.x.." {
		var err error
		if r == 'x' {
			err = io.EOF
		}
		e.judge(err, Health{Healthy: 2, Unhealthy: 3})
		got = append(got, !e.unhealthy.Load())
	}
	want := []bool{true, true, true, true, true, true, true, false, false, false, false, false, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
