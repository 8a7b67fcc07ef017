package rollback_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/rollback"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

func newTestApp(t *testing.T) (*app.App, stdio.Buffers) {
	t.Helper()
	io, buffers := stdio.Test(nil)
	return &app.App{
		IO: io, Flags: &app.Global{Progress: app.ProgressPlain}, Now: time.Now,
		Getenv: func(string) string { return "" }, Cancel: func(error) {}, Interrupt: func() {},
	}, buffers
}

func TestArguments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args     string
		revision int
		err      string
	}{
		{"", 0, ""},
		{"3", 3, ""},
		{"0", 0, `"0" is not the number of a revision`},
		{"three", 0, `"three" is not the number of a revision`},
		{"1 2", 0, "takes one revision"},
		{"--timeout 0s", 0, "is not a time limit"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			a, _ := newTestApp(t)
			got := -1
			cmd := rollback.New(a, func(_ context.Context, o *rollback.Options) error {
				got = o.Revision
				return nil
			})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(strings.Fields(test.args))
			err := cmd.Execute()
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || exit.Of(err) != exit.Usage):
				t.Errorf("error %v, want a usage error with %q", err, test.err)
			case test.err == "" && (err != nil || got != test.revision):
				t.Errorf("revision %d, %v; want %d", got, err, test.revision)
			}
		})
	}
}

// TestRun: what flags become, and what a person and a program are told of the end.
func TestRun(t *testing.T) {
	t.Parallel()
	a, buffers := newTestApp(t)
	var got deployer.RollbackOptions
	err := rollback.Run(t.Context(), &rollback.Options{
		App: a, Output: "json", Name: "shop", Revision: 3, Timeout: time.Minute, ForceConflicts: true,
		Rollback: func(_ context.Context, o deployer.RollbackOptions, _ event.Sink) (*deployer.Result, error) {
			got = o
			return &deployer.Result{Outcome: deployer.Succeeded, Revision: 5, RestoredRevision: 3, Ready: 2, Replicas: 2}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "shop" || got.Revision != 3 || got.Timeout != time.Minute || !got.ForceConflicts || got.DryRun || got.Version == "" {
		t.Errorf("options %+v", got)
	}
	var doc deployer.Result
	if err := json.Unmarshal(buffers.Out.Bytes(), &doc); err != nil || doc.Kind != "RollbackResult" || doc.RestoredRevision != 3 {
		t.Errorf("%v, document %s", err, buffers.Out)
	}
	if text := buffers.Err.String(); !strings.Contains(text, "shop back at revision 3, as revision 5") {
		t.Errorf("standard error: %s", text)
	}
}

func TestRevisionsForShells(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	o := &rollback.Options{App: a, Name: "shop", History: func(context.Context, deployer.StatusOptions) (*deployer.HistoryResult, error) {
		return &deployer.HistoryResult{Revisions: []deployer.Revision{
			{Revision: 4, Current: true, Description: "the one that serves"},
			{Revision: 3, Description: "deployed config 8c1f"},
			{Revision: 2, Description: "its files are gone", Missing: []string{"ConfigMap/shop-config-77ab"}},
			{Revision: 1, Description: "deployed config 5e02"},
		}}, nil
	}}
	cmd := rollback.New(a, nil)
	if diff := cmp.Diff([]string{"3\tdeployed config 8c1f", "1\tdeployed config 5e02"}, o.Revisions(cmd, nil)); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
	if got := o.Revisions(cmd, []string{"3"}); got != nil {
		t.Errorf("after a revision %q is offered", got)
	}
	o.History = func(context.Context, deployer.StatusOptions) (*deployer.HistoryResult, error) {
		return nil, errors.New("no cluster")
	}
	if got := o.Revisions(cmd, nil); got != nil {
		t.Errorf("without a cluster %q is offered", got)
	}
}
