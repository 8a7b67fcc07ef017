package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

var update = flag.Bool("update", false, "write the golden files")

func TestPlain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, run, golden string
		theme             theme.Theme
		groups            report.Groups
	}{
		{"success", "success", "success.plain", theme.Theme{}, nil},
		{"failure", "failure", "failure.plain", theme.Theme{}, nil},
		{"failure in ASCII", "failure", "failure.ascii.plain", theme.Theme{ASCII: true}, nil},
		{"failure on GitHub", "failure", "failure.github", theme.Theme{}, &report.GitHubGroups{Token: func() string { return "TOKEN" }}},
		{"success on GitLab", "success", "success.gitlab", theme.Theme{}, &report.GitLabGroups{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			play(t, test.run, report.NewPlain(&out, test.theme, test.groups, false))
			golden(t, test.golden, out.Bytes())
		})
	}
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	play(t, "failure", report.NewNDJSON(&out))
	want, err := os.ReadFile("testdata/failure.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")
	if len(wantLines)+1 != len(gotLines) {
		t.Fatalf("%d lines, want %d and one at the end", len(gotLines), len(wantLines))
	}
	end := `{"type":"end","outcome":"failed","exitCode":6,"error":"Pod/petstore-6d5b8-wz7pn: Deployment/petstore revision 4: 1 of 3 new pods does not start"}`
	if got := gotLines[len(gotLines)-2]; got != end {
		t.Errorf("last line %s, want %s", got, end)
	}
	for i := range wantLines[:len(wantLines)-1] {
		var w, g event.Event
		if err := errors.Join(json.Unmarshal([]byte(wantLines[i]), &w), json.Unmarshal([]byte(gotLines[i]), &g)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, g); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i+1, diff)
		}
	}
	if bytes.ContainsRune(out.Bytes(), 0x1b) {
		t.Error("an escape byte of a workload reached the stream")
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	play(t, "success", report.NewQuiet(&out, theme.Theme{}, nil))
	if out.Len() > 0 {
		t.Errorf("a good run wrote %q", out.String())
	}
	play(t, "failure", report.NewQuiet(&out, theme.Theme{}, nil))
	golden(t, "failure.quiet", out.Bytes())
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for _, run := range []string{"success", "failure"} {
		s := record(t, run)
		data, err := report.JUnit(s, ending(run))
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(data, new(any)); err != nil && !strings.Contains(err.Error(), "unknown type") {
			t.Errorf("%s: not XML: %v", run, err)
		}
		golden(t, run+".junit.xml", data)
	}
}

// TestJUnitWithoutPhases is a run that failed before the first event.
func TestJUnitWithoutPhases(t *testing.T) {
	t.Parallel()
	e := report.Ending{
		Verb: "deploy", Err: errors.New("no cluster configured"), Explanation: "error: no cluster configured",
		Result: deployer.Result{Outcome: deployer.FailedRun, ExitCode: 2},
	}
	data, err := report.JUnit(snapshot.Snapshot{}, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`tests="1"`, `failures="1"`, "no cluster configured"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s is missing in:\n%s", want, data)
		}
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for _, run := range []string{"success", "failure"} {
		golden(t, run+".md", []byte(report.Markdown(record(t, run), ending(run))))
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	plain := report.NewPlain(&out, theme.Theme{}, nil, false)
	events := load(t, "success")
	for _, e := range events[:25] {
		plain.Emit(e)
	}
	out.Reset()
	start := events[0].Time
	for second := 6; second < 300; second++ {
		plain.Beat(start.Add(time.Duration(second) * time.Second))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if want := "20.2s rollout  waiting: Pod/petstore-6d5b8-wz7pn pulling image (15s)"; lines[0] != want && !strings.Contains(lines[0], "waiting: Pod/petstore-6d5b8-wz7pn pulling image") {
		t.Errorf("first line %q, want %q", lines[0], want)
	}
	if n := strings.Count(out.String(), "waiting:"); n < 17 || n > 20 {
		t.Errorf("%d heartbeats in 294 seconds, want one each 15", n)
	}
	if n := strings.Count(out.String(), "of the time limit"); n != 1 {
		t.Errorf("%d warnings of the time limit, want 1:\n%s", n, out.String())
	}
}

func play(t *testing.T, run string, r report.Renderer) {
	t.Helper()
	for _, e := range load(t, run) {
		r.Emit(e)
	}
	r.Close(ending(run))
}

func record(t *testing.T, run string) snapshot.Snapshot {
	t.Helper()
	var s snapshot.Snapshot
	for _, e := range load(t, run) {
		s.Apply(e)
	}
	return s
}

func load(t *testing.T, run string) []event.Event {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", run+".ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	events := []event.Event{}
	for line := range bytes.Lines(data) {
		var e event.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func ending(run string) report.Ending {
	e := report.Ending{Verb: "deploy", Result: deployer.Result{
		APIVersion: "egk8s.dev/v1alpha1", Kind: "DeployResult", Name: "petstore", Cloud: "triton",
		Context: "triton-us", Namespace: "gateway", Revision: 4, Replicas: 3,
		Image:   "registry.example.com/petstore/gateway:1.4.2",
		Changes: []deployer.Change{{Kind: "Deployment", Name: "petstore", Action: event.Configured}},
	}}
	if run == "success" {
		e.Result.Outcome, e.Result.DurationMs, e.Result.Ready = deployer.Succeeded, 59000, 3
		e.Result.URL = "http://203.0.113.10:8080"
		e.Result.Probes = []deployer.ProbeResult{{Name: "pets", Method: "GET", Path: "/pets", Status: 200, Outcome: "ok"}}
		return e
	}
	e.Result.Outcome, e.Result.DurationMs, e.Result.Ready, e.Result.ExitCode = deployer.FailedRun, 34000, 2, 6
	code := 1
	e.Result.Failures = []event.Cause{{
		Code: "crash-loop", Object: "Pod/petstore-6d5b8-wz7pn", Container: "gateway", Reason: "CrashLoopBackOff",
		Message: "Deployment/petstore revision 4: 1 of 3 new pods does not start", ExitCode: &code, Restarts: 3,
		Logs: []string{
			`gateway.config.yml:14:11: policy "rate-limits" is not in "policies"`,
			"::error::x \x1b[31mred\x1b[0m", "##[error]y", "gateway stopped: configuration not valid",
		},
		Previous: true,
		Events:   []event.KubeEvent{{Age: 12 * time.Second, Type: "Warning", Reason: "BackOff", Message: "restarting failed container", Count: 3}},
		Serving:  "The old revision 3 still serves traffic (3/3).",
		File:     "config/gateway.config.yml", Line: 14, Column: 11, Fix: `did you mean "rate-limit"?`,
		Next: []string{"egk8s validate && egk8s deploy --cloud triton", "kubectl rollout undo deployment/petstore"},
	}}
	e.Err = &deployer.UnhealthyError{Cause: e.Result.Failures[0]}
	return e
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
