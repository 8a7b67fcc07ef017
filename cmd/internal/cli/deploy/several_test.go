package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/deploy"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

// TestSeveral holds what each target is deployed with, and how the ends of all become one.
func TestSeveral(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ends    map[string]error
		code    exit.Code
		outcome deployer.Outcome
		says    []string // on standard error
		each    []string
	}{
		"all well": {nil, 0, deployer.Succeeded, nil, []string{"staging 1 succeeded 0", "eu 2 succeeded 0"}},
		"the first is not healthy": {
			map[string]error{"staging": &deployer.UnhealthyError{Cause: event.Cause{Code: "crash-loop", Object: "Pod/shop-1", Message: "it crashes"}}},
			exit.Unhealthy, deployer.FailedRun,
			[]string{"0 of 2 targets done", "it crashes", "skipped: not begun: staging failed in wave 1"},
			[]string{"staging 1 failed 6", "eu 2 skipped 7"},
		},
		"the second is locked": {
			map[string]error{"eu": &deployer.LockedError{Release: "shop", Holder: "ann"}},
			exit.Unfinished, deployer.Unfinished,
			[]string{"1 of 2 targets done", "ann"},
			[]string{"staging 1 succeeded 0", "eu 2 unfinished 7"},
		},
		"a bug": {
			map[string]error{"eu": errors.New("what?")}, exit.Bug, deployer.FailedRun, []string{"what?"}, []string{"staging 1 succeeded 0", "eu 2 failed 1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, buffers := newTestApp(t)
			a.Flags.Env = "staging,eu"
			var mu sync.Mutex
			var with []string
			err := deploy.Run(t.Context(), &deploy.Options{
				App: a, Output: "json", DryRun: "none", Evidence: "kept", RollbackOnFailure: true,
				Places: func() ([]app.Place, error) {
					return []app.Place{
						{Name: "staging", Project: &project.Project{Name: "shop", Environment: "staging"}},
						{Name: "eu", Cloud: "gke", Project: &project.Project{Name: "shop", Environment: "eu"}},
					}, nil
				},
				Deploy: func(_ context.Context, o deployer.DeployOptions, _ event.Sink) (*deployer.Result, error) {
					mu.Lock()
					defer mu.Unlock()
					with = append(with, fmt.Sprintf("%s cloud=%s evidence=%s", o.Project.Environment, o.Cloud, o.Evidence))
					return &deployer.Result{Outcome: deployer.Succeeded}, test.ends[o.Project.Environment]
				},
			})
			if got := exit.Of(err); got != test.code {
				t.Errorf("exit code %d, want %d (%v)", got, test.code, err)
			}
			if !slices.Contains(with, "staging cloud= evidence=kept/staging") || test.ends["staging"] == nil && !slices.Contains(with, "eu cloud=gke evidence=kept/eu") {
				t.Errorf("deployed with %q", with)
			}
			var doc deployer.Results
			if err := json.Unmarshal(buffers.Out.Bytes(), &doc); err != nil {
				t.Fatalf("standard output is no document: %v\n%s", err, buffers.Out)
			}
			if doc.Kind != "DeployResults" || doc.Outcome != test.outcome || doc.ExitCode != int(test.code) || doc.Name != "shop" {
				t.Errorf("document %+v", doc)
			}
			var each []string
			for _, at := range doc.Targets {
				each = append(each, fmt.Sprintf("%s %d %s %d", at.Target, at.Wave, at.Outcome, at.ExitCode))
			}
			if d := cmp.Diff(test.each, each); d != "" {
				t.Error(d)
			}
			for _, says := range test.says {
				if !strings.Contains(buffers.Err.String(), says) {
					t.Errorf("standard error %q does not say %q", buffers.Err, says)
				}
			}
		})
	}
}
