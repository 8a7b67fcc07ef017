package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Steady asks for traffic at a steady rate instead of for answers: it shows what clients meet while something
// changes. The requests of the Spec take turns, every other time all of them on new connections.
type Steady struct {
	Rate     int `json:"rate"`               // requests a second
	WindowMs int `json:"windowMs,omitempty"` // of one line of the report; 500
}

// Window is what one stretch of steady traffic met: one line of the report.
type Window struct {
	Window bool  `json:"window"`
	Sent   int   `json:"sent"` // requests that were answered, or not, in this window
	Missed int   `json:"missed,omitempty"`
	Us     []int `json:"us,omitempty"` // how long each answer took, in microseconds, sorted
	// Answers counts by request and status; status "0" is no answer.
	Answers map[string]map[string]int `json:"answers"`
	// Errors says why there was no answer, each reason once.
	Errors []string `json:"errors,omitempty"`
}

// mostInFlight bounds the requests that wait for answers. Beyond it they are not sent but counted as missed.
const mostInFlight = 512

// Traffic sends steady traffic until the deadline or the end of ctx.
func Traffic(ctx context.Context, s Spec, report io.Writer) error {
	deadline := time.Duration(orElse(s.DeadlineMs, 60_000)) * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	t := &traffic{runner: runner{spec: s, out: json.NewEncoder(report)}, room: make(chan struct{}, mostInFlight)}
	t.kept, t.fresh = newClient(), newClient()
	t.kept.Transport = trafficTransport(false)
	t.fresh.Transport = trafficTransport(true)
	t.next = t.empty()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { t.flush(ctx) })
	if len(s.Requests) > 0 && s.Steady.Rate > 0 {
		t.pace(ctx, &all)
	}
	return nil
}

func trafficTransport(fresh bool) *http.Transport {
	return &http.Transport{
		MaxIdleConnsPerHost: mostInFlight, DisableCompression: true, DisableKeepAlives: fresh,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as newClient
	}
}

// traffic is steady traffic under way.
type traffic struct {
	runner
	kept, fresh *http.Client
	room        chan struct{}

	counting sync.Mutex
	next     Window
}

func (t *traffic) empty() Window { return Window{Window: true, Answers: map[string]map[string]int{}} }

// pace sends at the rate whatever the answers take: a slow answer holds no other request back.
func (t *traffic) pace(ctx context.Context, all *sync.WaitGroup) {
	tick := time.NewTicker(time.Second / time.Duration(t.spec.Steady.Rate))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q := t.spec.Requests[n%len(t.spec.Requests)]
		fresh := n/len(t.spec.Requests)%2 == 1
		select {
		case t.room <- struct{}{}:
			all.Go(func() {
				defer func() { <-t.room }()
				t.send(ctx, q, fresh)
			})
		default:
			t.counting.Lock()
			t.next.Missed++
			t.counting.Unlock()
		}
	}
}

// send sends one request; one that the end of the traffic cuts off counts for nothing.
func (t *traffic) send(ctx context.Context, q Request, fresh bool) {
	r := runner{spec: t.spec, client: t.kept}
	if fresh {
		r.client = t.fresh
	}
	start := time.Now()
	a := r.once(context.WithoutCancel(ctx), q)
	took := time.Since(start)
	if a.Status == 0 && ctx.Err() != nil {
		return
	}
	t.counting.Lock()
	defer t.counting.Unlock()
	w := &t.next
	w.Sent++
	w.Us = append(w.Us, int(took.Microseconds()))
	if w.Answers[q.ID] == nil {
		w.Answers[q.ID] = map[string]int{}
	}
	w.Answers[q.ID][strconv.Itoa(a.Status)]++
	if a.Error != "" && !slices.Contains(w.Errors, a.Error) && len(w.Errors) < 5 {
		w.Errors = append(w.Errors, a.Error)
	}
}

// flush writes a line for every window, and one for the rest.
func (t *traffic) flush(ctx context.Context) {
	tick := time.NewTicker(time.Duration(cmp.Or(t.spec.Steady.WindowMs, 500)) * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = t.write(t.take())
			return
		case <-tick.C:
			if t.write(t.take()) != nil {
				return
			}
		}
	}
}

func (t *traffic) take() Window {
	t.counting.Lock()
	defer t.counting.Unlock()
	w := t.next
	t.next = t.empty()
	slices.Sort(w.Us)
	return w
}
