package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// steady is what the prober is told of steady traffic; see gateway/probe.
type steady struct {
	Rate int `json:"rate"`
}

// Window is what the traffic of a short while met, as the prober reports it.
type Window struct {
	Sent    int                       `json:"sent"`
	Missed  int                       `json:"missed"` // not sent: too many were waiting for answers
	Us      []int                     `json:"us"`
	Answers map[string]map[string]int `json:"answers"` // by request and status; "0": no answer
	Errors  []string                  `json:"errors"`
}

// StartTraffic makes the Secret with the requests and the pod that sends them at a rate, requests a second.
func (p *Prober) StartTraffic(ctx context.Context, probes []Probe, rate int) error {
	return p.start(ctx, spec{Requests: requestsOf(probes), Steady: &steady{Rate: rate}})
}

// Windows gives every window of the traffic to next until that returns false, the prober ends, or ctx does.
func (p *Prober) Windows(ctx context.Context, next func(Window) bool) error {
	return p.lines(ctx, func(line []byte) (bool, error) {
		var w Window
		if err := json.Unmarshal(line, &w); err != nil {
			return false, fmt.Errorf("read prober: %q is no window of traffic", line)
		}
		return next(w), nil
	})
}

// Period is what the traffic met before, during or after a change.
type Period struct {
	Sent  int     `json:"sent"`
	Lost  int     `json:"lost"`
	P50Ms float64 `json:"p50Ms"`
	P99Ms float64 `json:"p99Ms"`
}

// Tally sums windows up. A request is lost when it got no answer, or one that says that nobody could serve it
// (502, 503, 504) where that request had other answers before the change. The zero value is empty.
type Tally struct {
	Periods [3]Period // before, during, after
	// Errors are reasons why there was no answer, and statuses that nobody met before; a few of them.
	Errors []string

	us     [3][]int
	before map[string]map[string]bool // answers by request that were met before the change
}

// The periods of a Tally.
const (
	Before = iota
	During
	After
)

// Add adds a window to a period.
func (t *Tally) Add(period int, w Window) {
	p := &t.Periods[period]
	p.Sent += w.Sent + w.Missed
	if period > Before {
		p.Lost += w.Missed
	}
	t.us[period] = append(t.us[period], w.Us...)
	for id, answers := range w.Answers {
		for status, n := range answers {
			if period == Before {
				t.met(id, status)
			}
			if t.lost(id, status) {
				p.Lost += n
				t.note("status " + status + " of " + id)
			}
		}
	}
	for _, e := range w.Errors {
		t.note(e)
	}
}

func (t *Tally) met(id, status string) {
	if t.before == nil {
		t.before = map[string]map[string]bool{}
	}
	if t.before[id] == nil {
		t.before[id] = map[string]bool{}
	}
	t.before[id][status] = true
}

// lost tells whether an answer is none.
func (t *Tally) lost(id, status string) bool {
	switch n, _ := strconv.Atoi(status); n {
	case 0:
		return true
	case 502, 503, 504:
		return !t.before[id][status]
	default:
		return false
	}
}

func (t *Tally) note(reason string) {
	const most = 5
	if len(t.Errors) < most && !slices.Contains(t.Errors, reason) {
		t.Errors = append(t.Errors, reason)
	}
}

// Lost counts the requests that were lost while the change was made, and after it.
func (t *Tally) Lost() int { return t.Periods[During].Lost + t.Periods[After].Lost }

// Result returns the periods with their latencies.
func (t *Tally) Result() [3]Period {
	out := t.Periods
	for i := range out {
		us := slices.Clone(t.us[i])
		slices.Sort(us)
		out[i].P50Ms, out[i].P99Ms = quantile(us, 50), quantile(us, 99)
	}
	return out
}

// quantile returns the q-th percentile of sorted microseconds, in milliseconds.
func quantile(us []int, q int) float64 {
	if len(us) == 0 {
		return 0
	}
	at := len(us) * q / 100
	return float64(time.Duration(us[min(at, len(us)-1)])*time.Microsecond) / float64(time.Millisecond)
}
