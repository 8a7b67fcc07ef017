package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// playSeveral is a run of three targets: staging is well, eu fails, us is not begun.
func playSeveral(t *testing.T, r report.Renderer) {
	t.Helper()
	all := report.Ending{
		Verb: "deploy", Err: errors.New("eu: it failed"),
		Result: deployer.Result{Name: "petstore", Outcome: deployer.FailedRun, ExitCode: 6, DurationMs: 95000},
	}
	staging := load(t, "success")
	later := staging[len(staging)-1].Time.Sub(staging[0].Time)
	for i, run := range []struct{ target, run string }{{"staging", "success"}, {"eu", "failure"}} {
		for _, e := range load(t, run.run) {
			e.Target = run.target
			if i > 0 {
				e.Time = e.Time.Add(later)
			}
			r.Emit(e)
		}
		all.Targets = append(all.Targets, report.TargetEnding{Name: run.target, Wave: i + 1, Ending: ending(run.run)})
	}
	last := staging[len(staging)-1].Time.Add(2 * later)
	why := "not begun: eu failed in wave 2"
	r.Emit(event.Event{Target: "us", Time: last, Phase: event.Done, Type: event.Info, Message: why, Started: &event.Header{Verb: "deploy", Release: "petstore"}})
	r.Emit(event.Event{Target: "us", Time: last, Phase: event.Done, Type: event.Result, Message: "skipped"})
	all.Targets = append(all.Targets, report.TargetEnding{Name: "us", Wave: 3, Ending: report.Ending{
		Verb: "deploy", Result: deployer.Result{Name: "petstore", Outcome: deployer.Skipped, ExitCode: 7, Warnings: []string{why}},
	}})
	r.Close(all)
}

func TestSeveralAsLines(t *testing.T) {
	t.Parallel()
	targets := []string{"staging", "eu", "us"}
	for name, groups := range map[string]report.Groups{
		"several.plain":  nil,
		"several.github": &report.GitHubGroups{Token: func() string { return "TOKEN" }},
		"several.gitlab": &report.GitLabGroups{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			playSeveral(t, report.NewLanes(&out, theme.Theme{}, groups, false, targets))
			golden(t, name, out.Bytes())
		})
	}
	var out bytes.Buffer
	playSeveral(t, report.NewQuiet(&out, theme.Theme{}, nil))
	golden(t, "several.quiet", out.Bytes())
}

func TestSeveralAsFiles(t *testing.T) {
	t.Parallel()
	for kind, name := range map[string]string{"junit": "several.junit.xml", "markdown": "several.md", "dotenv": "several.env"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			playSeveral(t, report.NewFile(kind, path, os.Stderr))
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, got)
		})
	}
}

// TestSeveralAsJSON: every line names its target, and the last one says how each ended.
func TestSeveralAsJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	playSeveral(t, report.NewNDJSON(&out))
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	for _, line := range lines[:len(lines)-1] {
		var e event.Event
		if err := json.Unmarshal(line, &e); err != nil || e.Target == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	var end report.End
	if err := json.Unmarshal(lines[len(lines)-1], &end); err != nil {
		t.Fatal(err)
	}
	want := []report.TargetEnd{
		{Target: "staging", Wave: 1, Outcome: deployer.Succeeded},
		{Target: "eu", Wave: 2, Outcome: deployer.FailedRun, ExitCode: 6, Error: "Pod/petstore-6d5b8-wz7pn: Deployment/petstore revision 4: 1 of 3 new pods does not start"},
		{Target: "us", Wave: 3, Outcome: deployer.Skipped, ExitCode: 7},
	}
	if d := cmp.Diff(want, end.Targets); d != "" {
		t.Error(d)
	}
}
