package server

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/version"
)

// bounds are the upper ends of the duration histogram, in seconds.
func bounds() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
}

// metrics counts requests. Counting takes no lock but to find the counters of an endpoint.
type metrics struct {
	inFlight atomic.Int64
	limits   []time.Duration
	mu       sync.RWMutex
	series   map[seriesKey]*series
}

type seriesKey struct{ endpoint, pipeline string }

type series struct {
	classes [6]atomic.Uint64 // by the status's first digit; 0: no answer
	buckets []atomic.Uint64  // one for each bound, and one more
	nanos   atomic.Uint64
}

func newMetrics() *metrics {
	m := &metrics{series: map[seriesKey]*series{}}
	for _, b := range bounds() {
		m.limits = append(m.limits, time.Duration(b*float64(time.Second)))
	}
	return m
}

func (m *metrics) begin() { m.inFlight.Add(1) }

func (m *metrics) end(x *message.Exchange, took time.Duration) {
	m.inFlight.Add(-1)
	var key seriesKey
	if x.Endpoint != nil {
		key = seriesKey{endpoint: x.Endpoint.Name, pipeline: x.Endpoint.Pipeline}
	}
	s := m.find(key)
	class := x.Response.Status() / 100
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

func (m *metrics) find(key seriesKey) *series {
	m.mu.RLock()
	s := m.series[key]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.series[key]; s == nil {
		s = &series{buckets: make([]atomic.Uint64, len(m.limits)+1)}
		m.series[key] = s
	}
	return s
}

// write prints everything in Prometheus' text format.
func (m *metrics) write(w io.Writer, digest string) error {
	var b strings.Builder
	m.mu.RLock()
	keys := make([]seriesKey, 0, len(m.series))
	for key := range m.series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.pipeline, b.pipeline))
	})
	head(&b, "egk8s_requests_total", "counter", "Requests answered, by endpoint, pipeline and class of status.")
	for _, key := range keys {
		for class := range m.series[key].classes {
			if n := m.series[key].classes[class].Load(); n > 0 {
				fmt.Fprintf(&b, "egk8s_requests_total{%s,status=\"%dxx\"} %d\n", key.labels(), class, n)
			}
		}
	}
	head(&b, "egk8s_request_duration_seconds", "histogram", "Time from a request's head to the end of its answer.")
	for _, key := range keys {
		m.series[key].histogram(&b, key.labels())
	}
	m.mu.RUnlock()
	head(&b, "egk8s_requests_in_flight", "gauge", "Requests that are being answered.")
	fmt.Fprintf(&b, "egk8s_requests_in_flight %d\n", m.inFlight.Load())
	head(&b, "egk8s_config_info", "gauge", "The configuration in force, by the digest of its manifest.")
	fmt.Fprintf(&b, "egk8s_config_info{digest=\"%s\"} 1\n", label(digest))
	head(&b, "egk8s_build_info", "gauge", "The version of the gateway.")
	fmt.Fprintf(&b, "egk8s_build_info{version=\"%s\"} 1\n", label(version.Version))
	_, err := io.WriteString(w, b.String())
	return err
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

func head(b *strings.Builder, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (k seriesKey) labels() string {
	return fmt.Sprintf("endpoint=\"%s\",pipeline=\"%s\"", label(k.endpoint), label(k.pipeline))
}

func label(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
