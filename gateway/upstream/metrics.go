package upstream

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// lookupCounts are the look-ups of a process by their outcome.
type lookupCounts struct{ found, missing, failed atomic.Uint64 }

// histogram counts durations without a lock.
type histogram struct {
	buckets [15]atomic.Uint64
	nanos   atomic.Uint64
}

func (h *histogram) observe(took time.Duration) {
	i := 0
	for ; i < len(h.buckets)-1; i++ {
		if took <= bound(i) {
			break
		}
	}
	h.buckets[i].Add(1)
	h.nanos.Add(uint64(max(took, 0)))
}

// bound is the upper end of bucket i, those of histogramBounds.
func bound(i int) time.Duration {
	return [...]time.Duration{
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
		50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	}[i]
}

// endpointState is what /metrics says of one endpoint; where several services of one name share an address, their sum.
type endpointState struct {
	service, address string
	out, ill         bool
	active           int64
	sent, ejections  uint64
	answers          [6]uint64
	failed           [failureKinds]uint64
}

func (s *Service) states(into map[[2]string]*endpointState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.origins {
		for _, e := range o.endpoints {
			key := [2]string{s.name, e.address}
			st := into[key]
			if st == nil {
				st = &endpointState{service: s.name, address: e.address}
				into[key] = st
			}
			st.out, st.ill = st.out || e.out.Load(), st.ill || e.unhealthy.Load()
			st.active += e.active.Load()
			st.sent += e.sent.Load()
			st.ejections += e.ejections.Load()
			for i := range e.answers {
				st.answers[i] += e.answers[i].Load()
			}
			for i := range e.failed {
				st.failed[i] += e.failed[i].Load()
			}
		}
	}
}

// serviceState is what /metrics says of the services of one name.
type serviceState struct {
	name                    string
	open                    bool
	retried, spent, refused uint64
	buckets                 [15]uint64
	nanos                   uint64
}

func (s *Service) state(into map[string]*serviceState) {
	st := into[s.name]
	if st == nil {
		st = &serviceState{name: s.name}
		into[s.name] = st
	}
	st.open = st.open || s.breaker.open(s.now())
	st.retried += s.retried.Load()
	st.spent += s.spent.Load()
	st.refused += s.breaker.refused.Load()
	st.nanos += s.latency.nanos.Load()
	for i := range s.latency.buckets {
		st.buckets[i] += s.latency.buckets[i].Load()
	}
}

// WriteMetrics prints the state of all services in Prometheus' text format.
func (p *Pools) WriteMetrics(w io.Writer) {
	p.guard.Lock()
	services := slices.Collect(maps.Values(p.services))
	p.guard.Unlock()
	byEndpoint, byName := map[[2]string]*endpointState{}, map[string]*serviceState{}
	for _, s := range services {
		s.states(byEndpoint)
		s.state(byName)
	}
	writeEndpoints(w, sorted(byEndpoint, func(a, b *endpointState) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.address, b.address))
	}))
	writeServices(w, sorted(byName, func(a, b *serviceState) int { return cmp.Compare(a.name, b.name) }))
	head(w, "egk8s_upstream_lookups_total", "counter", "Look-ups of the hosts of services, by result.")
	fmt.Fprintf(w, "egk8s_upstream_lookups_total{result=\"found\"} %d\n", p.lookups.found.Load())
	fmt.Fprintf(w, "egk8s_upstream_lookups_total{result=\"missing\"} %d\n", p.lookups.missing.Load())
	fmt.Fprintf(w, "egk8s_upstream_lookups_total{result=\"failed\"} %d\n", p.lookups.failed.Load())
}

func sorted[K comparable, V any](m map[K]V, compare func(a, b V) int) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	slices.SortFunc(list, compare)
	return list
}

func writeEndpoints(w io.Writer, list []*endpointState) {
	each := func(name, kind, help string, write func(e *endpointState, name, labels string)) {
		head(w, name, kind, help)
		for _, e := range list {
			write(e, name, fmt.Sprintf("service=\"%s\",endpoint=\"%s\"", label(e.service), label(e.address)))
		}
	}
	each("egk8s_upstream_endpoint_state", "gauge", "1 for the state that an endpoint is in: healthy, ejected (after failures) or unhealthy (by the active check).", func(e *endpointState, name, labels string) {
		state := "healthy"
		switch {
		case e.ill:
			state = "unhealthy"
		case e.out:
			state = "ejected"
		}
		for _, one := range []string{"healthy", "ejected", "unhealthy"} {
			fmt.Fprintf(w, "%s{%s,state=\"%s\"} %d\n", name, labels, one, map[bool]int{true: 1}[one == state])
		}
	})
	each("egk8s_upstream_active_requests", "gauge", "Requests in flight, by endpoint.", func(e *endpointState, name, labels string) {
		fmt.Fprintf(w, "%s{%s} %d\n", name, labels, e.active)
	})
	each("egk8s_upstream_requests_total", "counter", "Requests sent, retries included, by endpoint.", func(e *endpointState, name, labels string) {
		fmt.Fprintf(w, "%s{%s} %d\n", name, labels, e.sent)
	})
	each("egk8s_upstream_answers_total", "counter", "Answers, by endpoint and class of status.", func(e *endpointState, name, labels string) {
		for class, n := range e.answers {
			if n > 0 {
				fmt.Fprintf(w, "%s{%s,status=\"%dxx\"} %d\n", name, labels, class, n)
			}
		}
	})
	each("egk8s_upstream_failures_total", "counter", "Requests without an answer, by endpoint and kind.", func(e *endpointState, name, labels string) {
		for kind, n := range e.failed {
			if n > 0 {
				fmt.Fprintf(w, "%s{%s,kind=\"%s\"} %d\n", name, labels, failure(kind), n)
			}
		}
	})
	each("egk8s_upstream_ejections_total", "counter", "How often an endpoint sat out after failures.", func(e *endpointState, name, labels string) {
		fmt.Fprintf(w, "%s{%s} %d\n", name, labels, e.ejections)
	})
}

func writeServices(w io.Writer, list []*serviceState) {
	each := func(name, kind, help string, value func(s *serviceState) uint64) {
		head(w, name, kind, help)
		for _, s := range list {
			fmt.Fprintf(w, "%s{service=\"%s\"} %d\n", name, label(s.name), value(s))
		}
	}
	each("egk8s_upstream_retries_total", "counter", "Requests sent again.", func(s *serviceState) uint64 { return s.retried })
	each("egk8s_upstream_retries_over_budget_total", "counter", "Requests that the retry budget did not allow to be sent again.", func(s *serviceState) uint64 { return s.spent })
	each("egk8s_upstream_circuit_refused_total", "counter", "Requests that an open circuit refused.", func(s *serviceState) uint64 { return s.refused })
	each("egk8s_upstream_circuit_open", "gauge", "1 while failures keep the circuit open.", func(s *serviceState) uint64 {
		if s.open {
			return 1
		}
		return 0
	})
	const name = "egk8s_upstream_request_duration_seconds"
	head(w, name, "histogram", "Time from a request to the head of its answer, retries included.")
	for _, s := range list {
		var sum uint64
		for i, n := range s.buckets {
			sum += n
			le := "+Inf"
			if i < len(s.buckets)-1 {
				le = fmt.Sprintf("%g", bound(i).Seconds())
			}
			fmt.Fprintf(w, "%s_bucket{service=\"%s\",le=\"%s\"} %d\n", name, label(s.name), le, sum)
		}
		fmt.Fprintf(w, "%s_sum{service=\"%s\"} %g\n", name, label(s.name), time.Duration(s.nanos).Seconds()) //nolint:gosec // 292 years of requests
		fmt.Fprintf(w, "%s_count{service=\"%s\"} %d\n", name, label(s.name), sum)
	}
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func label(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
