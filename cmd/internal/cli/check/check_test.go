package check_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	checkcmd "egk8s.dev/egk8s/cmd/internal/cli/check"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

func found() *deployer.CheckResult {
	return &deployer.CheckResult{Checks: []deployer.CheckedThing{
		{Category: "cluster", What: "the version is right"},
		{Category: "namespace", What: "the namespace is there", Findings: []check.Finding{{
			Code: "namespace-missing", Severity: check.Error, Message: `there is no namespace "n"`, Hint: "make it",
		}}},
		{Category: "services", What: "the services are there", Findings: []check.Finding{
			{Code: "upstream-missing", Severity: check.Warning, Message: "orders is not there"},
		}},
	}}
}

func TestText(t *testing.T) {
	t.Parallel()
	want := `cluster
  ✓ the version is right
namespace
  ✗ the namespace is there
      there is no namespace "n"   (namespace-missing)
      fix: make it
services
  ! the services are there
      orders is not there   (upstream-missing)

a deploy would fail; errors: 1, warnings: 1
`
	if diff := cmp.Diff(want, checkcmd.Text(found(), theme.Theme{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRun: an error is exit code 6, and the document says so too.
func TestRun(t *testing.T) {
	t.Parallel()
	io, buffers := stdio.Test(nil)
	a := &app.App{
		IO: io, Flags: &app.Global{Progress: app.ProgressQuiet}, Now: time.Now,
		Getenv: func(string) string { return "" }, Cancel: func(error) {}, Interrupt: func() {},
	}
	err := checkcmd.Run(t.Context(), &checkcmd.Options{
		App: a, Output: "json", Timeout: time.Minute,
		Project: func() (*project.Project, error) { return &project.Project{Name: "shop"}, nil },
		Check: func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.CheckResult, error) {
			return found(), &deployer.CheckError{Code: "namespace-missing", Message: "no"}
		},
	})
	if exit.Of(err) != exit.Unhealthy {
		t.Errorf("exit code %d (%v), want 6", exit.Of(err), err)
	}
	var doc deployer.CheckResult
	if err := json.Unmarshal(buffers.Out.Bytes(), &doc); err != nil || doc.ExitCode != 6 || len(doc.Checks) != 3 {
		t.Errorf("%v, document %s", err, buffers.Out)
	}
}
