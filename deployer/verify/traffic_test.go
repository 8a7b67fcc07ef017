package verify_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/verify"
)

// TestTally: what counts as lost, and what does not.
func TestTally(t *testing.T) {
	t.Parallel()
	window := func(status string, n int) verify.Window {
		return verify.Window{Sent: n, Answers: map[string]map[string]int{"a": {status: n}}}
	}
	tests := map[string]struct {
		before, during verify.Window
		lost           int
	}{
		"all answered":                     {window("200", 10), window("200", 10), 0},
		"no answer":                        {window("200", 10), window("0", 3), 3},
		"nobody can serve it":              {window("200", 10), window("503", 3), 3},
		"nobody could before":              {window("502", 10), window("502", 3), 0},
		"an upstream's own mistake":        {window("200", 10), window("500", 3), 0},
		"another answer of the new config": {window("200", 10), window("404", 3), 0},
		"too slow to send":                 {window("200", 10), verify.Window{Missed: 4}, 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tally verify.Tally
			tally.Add(verify.Before, test.before)
			tally.Add(verify.During, test.during)
			if tally.Lost() != test.lost {
				t.Errorf("%d lost, want %d", tally.Lost(), test.lost)
			}
			if (len(tally.Errors) > 0) != (test.lost > 0 && test.during.Missed == 0) {
				t.Errorf("reasons %q for %d lost", tally.Errors, test.lost)
			}
		})
	}
}

// TestTallyLatency: percentiles over all windows of a period, in milliseconds.
func TestTallyLatency(t *testing.T) {
	t.Parallel()
	var tally verify.Tally
	for i := range 100 {
		tally.Add(verify.During, verify.Window{Sent: 1, Us: []int{(i + 1) * 1000}})
	}
	want := verify.Period{Sent: 100, P50Ms: 51, P99Ms: 100}
	if diff := cmp.Diff(want, tally.Result()[verify.During]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
