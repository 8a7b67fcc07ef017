package probe_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/probe"
)

// TestRun: a request is repeated until its answer is final, redirects are answers, a host that does
// not answer is reported as open.
func TestRun(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case r.Host == "api.example.com" && r.Header.Get("Authorization") == "apiKey a:b":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("hello"))
		case asked.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	spec := probe.Spec{IntervalMs: 5, DeadlineMs: 400, Requests: []probe.Request{
		{ID: "late", URL: server.URL + "/late", Retry: []int{0, 503}},
		{ID: "moved", URL: server.URL + "/moved", Expect: 302},
		{ID: "keyed", URL: server.URL, Host: "api.example.com", Headers: map[string]string{"Authorization": "apiKey a:b"}, Expect: 200},
		{ID: "dead", URL: "http://127.0.0.1:1/", Retry: []int{0}},
	}}
	var out bytes.Buffer
	if err := probe.Run(t.Context(), spec, &out); err != nil {
		t.Fatal(err)
	}
	type result struct {
		Status int
		Body   string
	}
	got, attempts, end := map[string]result{}, map[string]int{}, probe.End{}
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		var a probe.Answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if a.ID == "" {
			_ = json.Unmarshal(lines.Bytes(), &end)
			continue
		}
		attempts[a.ID] = a.Attempt
		if a.Final {
			got[a.ID] = result{a.Status, a.Body}
		}
	}
	want := map[string]result{"late": {401, ""}, "moved": {302, "<a href=\"/elsewhere\">Found</a>.\n\n"}, "keyed": {200, "hello"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if attempts["late"] != 3 || attempts["dead"] < 2 {
		t.Errorf("attempts: %v", attempts)
	}
	if d := cmp.Diff(probe.End{End: true, Open: 1}, end); d != "" {
		t.Error(d)
	}
}

// TestTimeout: an attempt that took too long says so, one that was refused does not.
func TestTimeout(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	spec := probe.Spec{IntervalMs: 5, TimeoutMs: 20, DeadlineMs: 10_000, Requests: []probe.Request{
		{ID: "slow", URL: server.URL}, {ID: "dead", URL: "http://127.0.0.1:1/"},
	}}
	var out bytes.Buffer
	if err := probe.Run(t.Context(), spec, &out); err != nil {
		t.Fatal(err)
	}
	timeouts := map[string]bool{}
	for line := range bytes.Lines(out.Bytes()) {
		var a probe.Answer
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		timeouts[a.ID] = a.Timeout
	}
	if d := cmp.Diff(map[string]bool{"slow": true, "dead": false, "": false}, timeouts); d != "" {
		t.Error(d)
	}
}

// TestOnlyTheNewConfigCounts holds that an answer of another configuration ends no attempts, and that
// one of the service behind the gateway does, whatever its status.
func TestOnlyTheNewConfigCounts(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 { // an old replica: it does not know the digest that the probe carries
			w.WriteHeader(http.StatusOK)
			return
		}
		w.Header().Set("Egk8s-Answer", "upstream")
		w.Header().Set("Egk8s-Config", r.Header.Get("Egk8s-Probe"))
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	var report bytes.Buffer
	spec := probe.Spec{
		Config: "new", IntervalMs: 1, DeadlineMs: 10_000,
		Requests: []probe.Request{{ID: "orders", URL: server.URL, Retry: []int{http.StatusNotFound}}},
	}
	if err := probe.Run(t.Context(), spec, &report); err != nil {
		t.Fatal(err)
	}
	var last probe.Answer
	for line := range strings.Lines(report.String()) {
		var a probe.Answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.ID != "" {
			last = a
		}
	}
	if !last.Final || last.Attempt != 3 || last.By != "upstream" || last.Config != "new" {
		t.Errorf("the last answer is %+v, want the third, by the upstream, with the new config", last)
	}
}
