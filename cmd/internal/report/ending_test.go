package report_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/verify"
)

func TestHeadline(t *testing.T) {
	t.Parallel()
	changes := []deployer.Change{{Kind: "Deployment", Action: event.Configured}, {Kind: "Service", Action: event.Unchanged}}
	tests := []struct {
		verb   string
		result deployer.Result
		want   string
	}{
		{"deploy", deployer.Result{Outcome: deployer.Succeeded, Revision: 4, Replicas: 3, Ready: 3, DurationMs: 58210}, "✓ shop deployed to kind in 58s   revision 4   3/3 ready"},
		{"deploy", deployer.Result{Outcome: deployer.Unchanged, Revision: 4, Replicas: 3, Ready: 3}, "✓ shop is unchanged on kind   revision 4   3/3 ready"},
		{"deploy", deployer.Result{Outcome: deployer.Planned, Changes: changes}, "· shop: 1 change on kind, nothing was applied"},
		{"deploy", deployer.Result{Outcome: deployer.FailedRun, Replicas: 3, Ready: 1, DurationMs: 34000, ExitCode: 6}, "✗ shop failed on kind after 34s   1/3 ready   exit 6"},
		{"deploy", deployer.Result{Outcome: deployer.FailedRun, RolledBack: true, DurationMs: 4200, ExitCode: 6}, "✗ shop failed on kind after 4.2s   rolled back   exit 6"},
		{"deploy", deployer.Result{Outcome: deployer.Unfinished, DurationMs: 250000, ExitCode: 7}, "! shop is not finished on kind after 4m10s   exit 7"},
		{"deploy", deployer.Result{Outcome: deployer.Interrupted, DurationMs: 1000, ExitCode: 130}, "! shop was interrupted on kind after 1.0s   exit 130"},
		{"destroy", deployer.Result{Outcome: deployer.Succeeded, DurationMs: 6200}, "✓ shop is destroyed, in 6.2s"},
		{"validate", deployer.Result{Outcome: deployer.Succeeded}, "✓ shop is valid"},
	}
	for _, test := range tests {
		test.result.Name, test.result.Cloud = "shop", "kind"
		if got := (report.Ending{Verb: test.verb, Result: test.result}).Headline(theme.Theme{}); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// TestReachSaysWhatProveFound: the live view has no other line for it.
func TestReachSaysWhatProveFound(t *testing.T) {
	t.Parallel()
	proof := &deployer.Proof{
		Lost: 1, Before: verify.Period{Sent: 100, P99Ms: 2}, During: verify.Period{Sent: 200, P99Ms: 3.44}, After: verify.Period{Sent: 100, P99Ms: 2},
	}
	tests := []struct {
		result deployer.Result
		want   string
	}{
		{deployer.Result{Outcome: deployer.Succeeded, Proof: proof}, "  Traffic   1 of 300 requests lost; p99 2.0 ms before, 3.4 ms during, 2.0 ms after"},
		{deployer.Result{Outcome: deployer.Succeeded}, ""},
	}
	for _, test := range tests {
		got := ""
		for _, line := range (report.Ending{Verb: "deploy", Result: test.result}).Reach(theme.Theme{}) {
			if strings.Contains(line, "Traffic") {
				got = line
			}
		}
		if got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

func TestFurtherCausesAreOneLineEach(t *testing.T) {
	t.Parallel()
	e := report.Ending{Verb: "deploy", Err: errors.New("x"), Result: deployer.Result{Name: "shop", Outcome: deployer.FailedRun, ExitCode: 6}}
	for _, path := range []string{"/a", "/b", "/b", "/c", "/d", "/e", "/f"} {
		e.Result.Failures = append(e.Result.Failures, event.Cause{Object: "Service/shop", Message: "GET " + path + ": no answer"})
	}
	got := report.Text(report.Block(e, theme.Theme{}))
	for _, want := range []string{"\n  GET /a: no answer\n", "\n  also:  Service/shop: GET /b: no answer\n", "\n         and 1 more (-o json lists all)\n"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q does not stand there once:\n%s", want, got)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plain":                  "plain",
		"\x1b[31mred\x1b[0m\a":   "red",
		"a\r\nb\tc":              "a  b c",
		"\x1b]0;title\x07text":   "text",
		"right\u202eleft":        "rightleft",
		"x ##[error]y":           "x # #[error]y",
		"caf\u00e9 \u65e5\u672c": "café 日本",
		"\x9b31mcsi":             "csi",
	}
	for in, want := range tests {
		if got := report.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCausesFit: no line of a cause is wider than the terminal, whatever its width, and words stay whole
// where they fit.
func TestCausesFit(t *testing.T) {
	t.Parallel()
	cause := event.Cause{
		Object: "Pod/petstore-6d5b8-wz7pn", Container: "gateway", Pods: 2, OfPods: 3, Reason: "ErrImagePull",
		Message: "the node cannot pull the image registry.example.com/petstore/gateway:1: connection refused",
		Events:  []event.KubeEvent{{Age: 4 * time.Second, Type: "Warning", Reason: "Failed", Message: "Failed to pull image: connection refused"}},
		Serving: "revision 4 still serves (2 ready)", Fix: "correct the image's name, or push it: egk8s image push", Next: []string{"egk8s status"},
	}
	for _, width := range []int{21, 40, 80, 120} {
		for _, l := range report.CauseLines(cause, theme.Theme{}, width) {
			if ansi.StringWidth(l.Text) > width {
				t.Errorf("%d columns: %q", width, l.Text)
			}
		}
	}
	text := report.Text(report.CauseLines(cause, theme.Theme{}, 80))
	for _, want := range []string{"2 of 3 pods, the first Pod/petstore-6d5b8-wz7pn, container gateway", "4s   Warning  Failed    Failed to pull"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	text := "shop   healthy   kind/default\n  Gateway    3/3 ready   registry.example.com/shop:1\n"
	if got := report.Fold(text, 0); got != text {
		t.Errorf("without a width: %q", got)
	}
	want := "shop   healthy   kind/default\n  Gateway    3/3 ready\n    registry.example.com/shop:1\n"
	if got := report.Fold(text, 32); got != want {
		t.Errorf("32 columns: %q, want %q", got, want)
	}
}
