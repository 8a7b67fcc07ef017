// Package probe sends requests from inside a cluster and reports what came back: it is what
// `egk8s-gateway probe --spec FILE` runs in a short-lived pod. It decides nothing: who started it
// reads the report.
//
// The report is one JSON object a line on the writer: an Answer for every attempt, and at the end an
// End. docs/reference/prober.md describes both formats.
package probe

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Spec is what to send.
type Spec struct {
	Requests []Request `json:"requests"`
	// Config is the digest of the configuration that must answer: it goes with every request, and an
	// answer of any other configuration, of a replica that is leaving say, is never final.
	Config string `json:"config,omitempty"`
	// IntervalMs lies between two attempts of one request; 250.
	IntervalMs int `json:"intervalMs,omitempty"`
	// TimeoutMs bounds one attempt; 2000.
	TimeoutMs int `json:"timeoutMs,omitempty"`
	// DeadlineMs bounds all; 60000.
	DeadlineMs int `json:"deadlineMs,omitempty"`
	// Steady asks for steady traffic instead; nil: for answers.
	Steady *Steady `json:"steady,omitempty"`
}

// Request is one request, sent until its answer needs no other attempt.
type Request struct {
	ID      string            `json:"id"`
	Method  string            `json:"method,omitempty"` // GET
	URL     string            `json:"url"`
	Host    string            `json:"host,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	// Expect is the only status that ends the attempts; 0: every one that is not in Retry does, and
	// those in Retry too when the service behind the gateway gave them.
	Expect int   `json:"expect,omitempty"`
	Retry  []int `json:"retry,omitempty"` // 0 stands for no answer
}

// Answer is what one attempt gave.
type Answer struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Status  int    `json:"status"` // 0: no answer
	Ms      int64  `json:"ms"`
	Type    string `json:"type,omitempty"` // Content-Type
	Body    string `json:"body,omitempty"` // its first 4096 bytes
	Error   string `json:"error,omitempty"`
	By      string `json:"by,omitempty"`      // whose answer it is: gateway or upstream
	Config  string `json:"config,omitempty"`  // the digest of the configuration that routed it
	Timeout bool   `json:"timeout,omitempty"` // there was no answer within TimeoutMs
	Final   bool   `json:"final"`             // no other attempt follows
}

// End is the last line.
type End struct {
	End  bool `json:"end"`
	Open int  `json:"open"` // requests whose attempts the deadline ended
}

// Read reads a Spec from a file.
func Read(file string) (Spec, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return Spec{}, fmt.Errorf("read probe spec: %w", err)
	}
	var s Spec
	if err := json.Unmarshal(raw, &s); err != nil {
		return Spec{}, fmt.Errorf("read probe spec %s: %w", file, err)
	}
	return s, nil
}

// Run sends all requests at the same time, each until it is final, the deadline, or the end of ctx; or steady
// traffic, where the spec asks for that.
func Run(ctx context.Context, s Spec, report io.Writer) error {
	if s.Steady != nil {
		return Traffic(ctx, s, report)
	}
	deadline := time.Duration(orElse(s.DeadlineMs, 60_000)) * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	r := &runner{spec: s, out: json.NewEncoder(report), client: newClient()}
	var all sync.WaitGroup
	for _, req := range s.Requests {
		all.Go(func() { r.repeat(ctx, req) })
	}
	all.Wait()
	return r.write(End{End: true, Open: r.open})
}

// newClient follows no redirect: that is an answer too. It accepts any certificate: it asks by address
// whether the gateway routes, not whether a client would trust it.
func newClient() *http.Client {
	transport := &http.Transport{
		MaxIdleConnsPerHost: 4, DisableCompression: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above; probes carry credentials to the own Service only
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// The fields of the gateway that tell a probe who answered (docs/reference/gateway.md).
const (
	probeField  = "Egk8s-Probe"
	answerField = "Egk8s-Answer"
	configField = "Egk8s-Config"

	upstream = "upstream"
)

type runner struct {
	spec   Spec
	client *http.Client

	mu   sync.Mutex
	out  *json.Encoder
	open int
	err  error
}

func (r *runner) write(v any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.out.Encode(v); err != nil && r.err == nil {
		r.err = fmt.Errorf("write probe report: %w", err)
	}
	return r.err
}

func (r *runner) repeat(ctx context.Context, req Request) {
	tick := time.NewTicker(time.Duration(orElse(r.spec.IntervalMs, 250)) * time.Millisecond)
	defer tick.Stop()
	for attempt := 1; ; attempt++ {
		a := r.once(ctx, req)
		a.ID, a.Attempt = req.ID, attempt
		a.Final = a.Config == r.spec.Config && req.final(a)
		if r.write(a) != nil || a.Final {
			return
		}
		select {
		case <-ctx.Done():
			r.mu.Lock()
			r.open++
			r.mu.Unlock()
			return
		case <-tick.C:
		}
	}
}

func (q Request) final(a Answer) bool {
	if q.Expect != 0 {
		return a.Status == q.Expect
	}
	return a.By == upstream || !slices.Contains(q.Retry, a.Status)
}

func (r *runner) once(ctx context.Context, q Request) (a Answer) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(orElse(r.spec.TimeoutMs, 2000))*time.Millisecond)
	defer cancel()
	start := time.Now()
	defer func() { a.Ms = time.Since(start).Milliseconds() }()
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, q.URL, http.NoBody)
	if err != nil {
		return Answer{Error: err.Error()}
	}
	req.Host = q.Host
	req.Header.Set("User-Agent", "egk8s-probe")
	if r.spec.Config != "" {
		req.Header.Set(probeField, r.spec.Config)
	}
	for name, value := range q.Headers {
		req.Header.Set(name, value)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return Answer{Error: err.Error(), Timeout: errors.Is(err, context.DeadlineExceeded)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	a = Answer{
		Status: resp.StatusCode, Type: resp.Header.Get("Content-Type"), Body: strings.ToValidUTF8(string(body), "�"),
		By: resp.Header.Get(answerField), Config: resp.Header.Get(configField),
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func orElse(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}
