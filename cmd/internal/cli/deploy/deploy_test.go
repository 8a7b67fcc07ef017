package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/deploy"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

func newTestApp(t *testing.T) (*app.App, stdio.Buffers) {
	t.Helper()
	io, buffers := stdio.Test(nil)
	return &app.App{
		IO: io, Flags: &app.Global{Progress: app.ProgressQuiet}, Now: time.Now,
		Getenv: func(string) string { return "" }, Cancel: func(error) {}, Interrupt: func() {},
	}, buffers
}

func TestFlags(t *testing.T) {
	t.Parallel()
	type choices struct {
		Cloud, Image, Repository, DryRun            string
		Timeout                                     time.Duration
		ExitCode, Force, Rollback, Namespace, IsYes bool
	}
	defaults := choices{DryRun: "none", Timeout: 5 * time.Minute}
	with := func(change func(*choices)) choices {
		c := defaults
		change(&c)
		return c
	}
	tests := []struct {
		args string
		want choices
		err  string
	}{
		{"", defaults, ""},
		{"--cloud gke --timeout 90s", with(func(c *choices) { c.Cloud, c.Timeout = "gke", 90*time.Second }), ""},
		{"--dry-run", with(func(c *choices) { c.DryRun = "server" }), ""},
		{"--dry-run=client --exit-code", with(func(c *choices) { c.DryRun, c.ExitCode = "client", true }), ""},
		{"--image r/i:t -y", with(func(c *choices) { c.Image, c.IsYes = "r/i:t", true }), ""},
		{"--repository r/i --force-conflicts --rollback-on-failure --create-namespace", with(func(c *choices) {
			c.Repository, c.Force, c.Rollback, c.Namespace = "r/i", true, true, true
		}), ""},
		{"--plan-out a --exit-code", with(func(c *choices) { c.ExitCode = true }), ""},
		{"--plan a --plan-out b", choices{}, "--plan and --plan-out exclude each other"},
		{"--exit-code", choices{}, "--exit-code goes with --dry-run"},
		{"--dry-run=later", choices{}, `--dry-run "later" is not one of`},
		{"--timeout 0s", choices{}, "--timeout 0s is not a time limit"},
		{"--image a --repository b", choices{}, "exclude each other"},
		{"now", choices{}, `takes no argument, got "now"`},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			a, _ := newTestApp(t)
			var got choices
			cmd := deploy.New(a, func(_ context.Context, o *deploy.Options) error {
				got = choices{
					o.Cloud, o.Image, o.Repository, o.DryRun, o.Timeout,
					o.ExitCode, o.ForceConflicts, o.RollbackOnFailure, o.CreateNamespace, o.Yes,
				}
				return nil
			})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(strings.Fields(test.args))
			err := cmd.Execute()
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || exit.Of(err) != exit.Usage {
					t.Errorf("error %v, want usage error with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOutcomes holds that every end of a deploy is one document with the exit code of the process.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	crash := event.Cause{Code: "crash-loop", Object: "Pod/shop-1", Reason: "CrashLoopBackOff", Message: "it crashes"}
	tests := []struct {
		name    string
		result  deployer.Result
		err     error
		exit    bool // --exit-code
		code    exit.Code
		outcome deployer.Outcome
		failure int
		says    string
	}{
		{"good", deployer.Result{Outcome: deployer.Succeeded}, nil, false, 0, deployer.Succeeded, 0, ""},
		{"unchanged", deployer.Result{Outcome: deployer.Unchanged}, nil, false, 0, deployer.Unchanged, 0, ""},
		{"planned", deployer.Result{Outcome: deployer.Planned}, nil, false, 0, deployer.Planned, 0, ""},
		{"planned with --exit-code", deployer.Result{Outcome: deployer.Planned}, nil, true, 10, deployer.Planned, 0, ""},
		{"crash loop", deployer.Result{Outcome: deployer.FailedRun}, &deployer.UnhealthyError{Cause: crash}, false, 6, deployer.FailedRun, 1, "it crashes"},
		{"time-out", deployer.Result{Failures: []event.Cause{}}, &deployer.TimeoutError{After: time.Minute, Waiting: []event.Cause{crash}}, false, 7, deployer.Unfinished, 1, "is not finished"},
		{"locked", deployer.Result{}, &deployer.LockedError{Release: "shop", Holder: "ann"}, false, 7, deployer.Unfinished, 0, ""},
		{"SIGTERM", deployer.Result{}, &deployer.InterruptedError{Err: &exit.SignalError{Signal: syscall.SIGTERM}}, false, 143, deployer.Interrupted, 0, ""},
		{"detached", deployer.Result{}, &deployer.InterruptedError{Err: deployer.ErrDetached}, false, 7, deployer.Unfinished, 0, ""},
		{"problems", deployer.Result{}, diag.Problems{{Severity: diag.Error, Message: "wrong"}}, false, 3, deployer.FailedRun, 0, ""},
		{"a bug", deployer.Result{}, errors.New("what?"), false, 1, deployer.FailedRun, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, buffers := newTestApp(t)
			result := test.result
			err := deploy.Run(t.Context(), &deploy.Options{
				App: a, Output: "json", DryRun: "none", ExitCode: test.exit,
				Project: func() (*project.Project, error) { return &project.Project{Name: "shop"}, nil },
				Deploy: func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.Result, error) {
					return &result, test.err
				},
			})
			if got := exit.Of(err); got != test.code {
				t.Errorf("exit code %d, want %d (%v)", got, test.code, err)
			}
			var doc deployer.Result
			if err := json.Unmarshal(buffers.Out.Bytes(), &doc); err != nil {
				t.Fatalf("standard output is no document: %v\n%s", err, buffers.Out)
			}
			if doc.ExitCode != int(test.code) || doc.Outcome != test.outcome || len(doc.Failures) != test.failure || doc.Kind != "DeployResult" {
				t.Errorf("document %+v", doc)
			}
			if (test.err != nil) != (doc.Error != "") {
				t.Errorf("error of the document %q for %v", doc.Error, test.err)
			}
			if !strings.Contains(buffers.Err.String(), test.says) {
				t.Errorf("standard error %q does not say %q", buffers.Err, test.says)
			}
		})
	}
}

// TestOptionsReachTheDeployer holds what flags become.
func TestOptionsReachTheDeployer(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	a.Flags.Namespace, a.Flags.Context, a.Flags.Kubeconfig = "ns", "ctx", "file"
	p := &project.Project{Name: "shop"}
	var got deployer.DeployOptions
	err := deploy.Run(t.Context(), &deploy.Options{
		App: a, Cloud: "gke", DryRun: "client", Timeout: time.Minute, ForceConflicts: true, RollbackOnFailure: true, CreateNamespace: true,
		Project: func() (*project.Project, error) { return p, nil },
		Deploy: func(_ context.Context, opts deployer.DeployOptions, _ event.Sink) (*deployer.Result, error) {
			got = opts
			return &deployer.Result{Outcome: deployer.Planned}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := deployer.DeployOptions{
		Target:  deployer.Target{Kubeconfig: "file", Context: "ctx", Namespace: "ns", Cloud: "gke"},
		Project: p, Timeout: time.Minute, ForceConflicts: true, DryRun: deployer.DryRunClient, RollBack: true, CreateNS: true,
		Version: got.Version,
	}
	if got.Evidence != "." {
		t.Errorf("evidence goes to %q, want the current folder with --rollback-on-failure", got.Evidence)
	}
	if got.Version == "" {
		t.Error("the version is empty")
	}
	if got.Project != p || got.Context != want.Context || got.Cloud != "gke" || got.DryRun != want.DryRun ||
		!got.RollBack || !got.CreateNS || !got.ForceConflicts || got.Timeout != want.Timeout {
		t.Errorf("options %+v, want %+v", got, want)
	}
}
