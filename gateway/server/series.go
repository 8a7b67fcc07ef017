package server

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
)

// seriesKey names the requests that are counted together.
type seriesKey struct{ endpoint, pipeline string }

// series counts the requests of one endpoint. Counting takes no lock and allocates nothing.
type series struct {
	classes [6]atomic.Uint64 // by the status's first digit; 0: no answer
	buckets []atomic.Uint64  // one for each bound, and one more
	nanos   atomic.Uint64
}

// bind gives every endpoint of rt, which does not serve yet, the series of its name, and forgets those of
// endpoints that are gone: a thousand reloads take no more room than one.
func (m *metrics) bind(rt *pipeline.Runtime) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := map[seriesKey]*series{{}: m.unmatched}
	for e := range rt.Endpoints() {
		key := seriesKey{endpoint: e.Name, pipeline: e.Pipeline}
		s := used[key]
		if s == nil {
			if s = m.series[key]; s == nil {
				s = m.newSeries()
			}
			used[key] = s
		}
		e.Stats = s
	}
	m.series = used
	m.bindAnswers(rt)
}

func (m *metrics) newSeries() *series {
	return &series{buckets: make([]atomic.Uint64, len(m.limits)+1)}
}

// of returns the series of an endpoint; nil stands for requests that no endpoint matched.
func (m *metrics) of(e *message.Endpoint) *series {
	if e != nil {
		if s, ok := e.Stats.(*series); ok {
			return s
		}
	}
	return m.unmatched
}

// begin counts a request in.
func (m *metrics) begin() { m.inFlight.Add(1) }

// end counts a request with its answer out.
func (m *metrics) end(s *series, status int, took time.Duration) {
	m.inFlight.Add(-1)
	class := status / 100
	if class < 0 || class >= len(s.classes) {
		class = 0
	}
	s.classes[class].Add(1)
	i := 0
	for i < len(m.limits) && took > m.limits[i] {
		i++
	}
	s.buckets[i].Add(1)
	s.nanos.Add(uint64(max(0, took)))
}

func (s *series) requests(b *strings.Builder, labels string) {
	for class := range s.classes {
		if n := s.classes[class].Load(); n > 0 {
			fmt.Fprintf(b, "egk8s_requests_total{%s,status=\"%dxx\"} %d\n", labels, class, n)
		}
	}
}

func (s *series) histogram(b *strings.Builder, labels string) {
	var sum uint64
	for i, bound := range bounds() {
		sum += s.buckets[i].Load()
		fmt.Fprintf(b, "egk8s_request_duration_seconds_bucket{%s,le=\"%g\"} %d\n", labels, bound, sum)
	}
	sum += s.buckets[len(s.buckets)-1].Load()
	fmt.Fprintf(b, "egk8s_request_duration_seconds_bucket{%s,le=\"+Inf\"} %d\n", labels, sum)
	fmt.Fprintf(b, "egk8s_request_duration_seconds_sum{%s} %g\n", labels, time.Duration(s.nanos.Load()).Seconds()) //nolint:gosec // 292 years of requests
	fmt.Fprintf(b, "egk8s_request_duration_seconds_count{%s} %d\n", labels, sum)
}

func (s *series) total() uint64 {
	var n uint64
	for class := range s.classes {
		n += s.classes[class].Load()
	}
	return n
}

func (k seriesKey) labels() string {
	return fmt.Sprintf("endpoint=\"%s\",pipeline=\"%s\"", label(k.endpoint), label(k.pipeline))
}
