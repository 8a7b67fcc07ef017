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

	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/version"
)

// bounds are the upper ends of the duration histogram, in seconds.
func bounds() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
}

// metrics are what /metrics answers.
type metrics struct {
	inFlight  atomic.Int64
	limits    []time.Duration
	unmatched *series // of requests that met no endpoint

	// collectors print what other parts count, in Prometheus' text format; set before the gateway serves.
	collectors []func(b *strings.Builder)

	mu      sync.Mutex // guards what follows; no request takes it
	series  map[seriesKey]*series
	answers map[answersKey]*pipeline.Answers
}

func newMetrics() *metrics {
	m := &metrics{}
	for _, b := range bounds() {
		m.limits = append(m.limits, time.Duration(b*float64(time.Second)))
	}
	m.unmatched = m.newSeries()
	m.series = map[seriesKey]*series{{}: m.unmatched}
	return m
}

// write prints everything in Prometheus' text format.
func (m *metrics) write(w io.Writer, digest string) error {
	var b strings.Builder
	m.requests(&b)
	m.policies(&b)
	head(&b, "egk8s_requests_in_flight", "gauge", "Requests that are being answered.")
	fmt.Fprintf(&b, "egk8s_requests_in_flight %d\n", m.inFlight.Load())
	head(&b, "egk8s_config_info", "gauge", "The configuration in force, by the digest of its manifest.")
	fmt.Fprintf(&b, "egk8s_config_info{digest=\"%s\"} 1\n", label(digest))
	head(&b, "egk8s_build_info", "gauge", "The version of the gateway.")
	fmt.Fprintf(&b, "egk8s_build_info{version=\"%s\"} 1\n", label(version.Version))
	for _, collect := range m.collectors {
		collect(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// requests prints the series of endpoints that had a request.
func (m *metrics) requests(b *strings.Builder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []seriesKey
	for key, s := range m.series {
		if s.total() > 0 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.pipeline, b.pipeline))
	})
	head(b, "egk8s_requests_total", "counter", "Requests answered, by endpoint, pipeline and class of status.")
	for _, key := range keys {
		m.series[key].requests(b, key.labels())
	}
	head(b, "egk8s_request_duration_seconds", "histogram", "Time from a request's head to the end of its answer.")
	for _, key := range keys {
		m.series[key].histogram(b, key.labels())
	}
}

func head(b *strings.Builder, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func label(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
