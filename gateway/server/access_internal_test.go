package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sampleEntry() entry {
	at := time.Date(2026, 1, 2, 3, 4, 5, 67_890_000, time.UTC)
	return entry{
		at: at, end: at.Add(1234567 * time.Nanosecond), id: "1aB", method: "GET", host: "api.example:80", target: "/a/b?apiKey=s3cret",
		status: 200, bytes: 12, client: netip.MustParseAddr("::ffff:192.0.2.1"), pipeline: "main", endpoint: "api", upstream: "users:8080",
	}
}

func TestAccessLineForms(t *testing.T) {
	t.Parallel()
	e := sampleEntry()
	hurt := sampleEntry()
	hurt.target, hurt.host, hurt.status, hurt.broken = "/\"\n\\\x7f\xffé\u2028", "a\x00b", 200, true
	nothing := entry{at: e.at, end: e.at, method: "GET"}
	tests := map[string]struct {
		format lineFormat
		entry  entry
		want   string
	}{
		"json":                     {jsonLine, e, `{"time":"2026-01-02T03:04:05.069Z","level":"INFO","msg":"request","request_id":"1aB","method":"GET","host":"api.example:80","path":"/a/b","status":200,"duration_ms":1.234,"bytes":12,"client":"192.0.2.1","pipeline":"main","endpoint":"api","upstream":"users:8080"}`},
		"text":                     {textLine, e, `2026-01-02T03:04:05.069Z [EG:access] info: GET /a/b 200 1.234ms 12B client=192.0.2.1 host=api.example:80 endpoint=api pipeline=main upstream=users:8080 request_id=1aB`},
		"json of a hostile client": {jsonLine, hurt, `{"time":"2026-01-02T03:04:05.069Z","level":"ERROR","msg":"request","request_id":"1aB","method":"GET","host":"a\u0000b","path":"/\"\u000a\\\u007f\ufffdé\ufffd\ufffd\ufffd","status":200,"duration_ms":1.234,"bytes":12,"client":"192.0.2.1","pipeline":"main","endpoint":"api","upstream":"users:8080","broken":true}`},
		"text without answer":      {textLine, nothing, `2026-01-02T03:04:05.067Z [EG:access] info: GET  0 0.000ms 0B client=`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(tt.format(nil, &clock{}, &tt.entry))
			if diff := cmp.Diff(tt.want+"\n", got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.HasPrefix(got, "{") && !json.Valid([]byte(got)) {
				t.Error("not JSON")
			}
		})
	}
}

// gate is an output that takes nothing until it is opened.
type gate struct {
	open    chan struct{}
	waiting chan struct{}
	mu      sync.Mutex
	got     bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	select {
	case g.waiting <- struct{}{}:
	default:
	}
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.got.Write(p)
}

// TestAccessLogNeverHoldsUpRequests fills the log while nobody reads its output.
func TestAccessLogNeverHoldsUpRequests(t *testing.T) {
	t.Parallel()
	out := &gate{open: make(chan struct{}), waiting: make(chan struct{}, 1)}
	l := newAccessLog(out, accessOn, jsonLine)
	e := sampleEntry()
	l.add(0, &e)
	<-out.waiting // the writer is stuck
	const lines = 10_000
	for range lines {
		l.add(0, &e)
	}
	dropped := l.dropped.Load()
	if dropped == 0 {
		t.Error("lines without end are kept for an output that takes none")
	}
	if size := len(l.shards[0].lines); size > accessMaxPending+1024 {
		t.Errorf("a shard holds %d bytes", size)
	}
	close(out.open)
	l.close()
	if got := uint64(bytes.Count(out.got.Bytes(), []byte("\n"))); got+dropped != lines+1 {
		t.Errorf("%d lines written and %d dropped of %d", got, dropped, lines+1)
	}
	var b strings.Builder
	l.collect(&b)
	if !strings.Contains(b.String(), "egk8s_access_log_dropped_total ") || strings.HasSuffix(b.String(), " 0\n") {
		t.Errorf("the loss does not show in the metrics: %s", &b)
	}
}

func TestAccessLogModes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"on": 3, "errors": 2, "off": 0} {
		mode, err := parseAccessMode(name, accessOff)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		l := newAccessLog(&out, mode, textLine)
		ok, failed, broken := sampleEntry(), sampleEntry(), sampleEntry()
		failed.status, broken.broken = 502, true
		for _, e := range []*entry{&ok, &failed, &broken} {
			l.add(0, e)
		}
		l.close()
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%s: %d lines, want %d", name, got, want)
		}
	}
	if _, err := parseAccessMode("all", accessOn); err == nil {
		t.Error("an unknown mode is accepted")
	}
}

func TestAccessLogAllocatesNothing(t *testing.T) {
	l := newAccessLog(io.Discard, accessOn, jsonLine)
	t.Cleanup(l.close)
	e := sampleEntry()
	for range 2000 {
		l.add(0, &e)
	}
	if n := testing.AllocsPerRun(1000, func() { l.add(0, &e) }); n > 0.5 {
		t.Errorf("%v allocations a line", n)
	}
}

func BenchmarkAccessLine(b *testing.B) {
	e := sampleEntry()
	var c clock
	var to []byte
	b.ReportAllocs()
	for b.Loop() {
		to = jsonLine(to[:0], &c, &e)
	}
}

func BenchmarkMetrics(b *testing.B) {
	m := newMetrics()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.begin()
			m.end(m.of(nil), 200, time.Millisecond)
		}
	})
}
