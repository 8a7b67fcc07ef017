package deployer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

// recorded keeps the events of a run.
type recorded struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorded) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// TestDeploySeveral: waves in their order, a failure stops those that follow and not its own, and every target
// has one result.
func TestDeploySeveral(t *testing.T) {
	t.Parallel()
	target := func(name string, wave int) deployer.TargetOptions {
		return deployer.TargetOptions{Target: name, Wave: wave, Deploy: deployer.DeployOptions{Project: &project.Project{Name: "shop", Namespace: name}}}
	}
	cases := map[string]struct {
		targets []deployer.TargetOptions
		fails   string
		want    []string
	}{
		"in their order": {
			[]deployer.TargetOptions{target("b", 0), target("a", 0)},
			"",
			[]string{"1 b succeeded", "2 a succeeded"},
		},
		"by declared waves": {
			[]deployer.TargetOptions{target("us", 20), target("staging", 1), target("eu", 20)},
			"",
			[]string{"1 staging succeeded", "2 us succeeded", "2 eu succeeded"},
		},
		"the first fails": {
			[]deployer.TargetOptions{target("staging", 0), target("eu", 0), target("us", 0)},
			"staging",
			[]string{"1 staging failed: broken", "2 eu skipped: not begun: staging failed in wave 1", "3 us skipped: not begun: staging failed in wave 1"},
		},
		"one of a wave fails": {
			[]deployer.TargetOptions{target("eu", 1), target("us", 1), target("asia", 2)},
			"eu",
			[]string{"1 eu failed: broken", "1 us succeeded", "2 asia skipped: not begun: eu failed in wave 1"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deploy := func(_ context.Context, o deployer.DeployOptions, sink event.Sink) (*deployer.Result, error) {
				sink.Emit(event.Event{Target: o.Project.Name, Seq: 1})
				if o.Project.Namespace == c.fails {
					return &deployer.Result{Outcome: deployer.FailedRun}, errors.New("broken")
				}
				return &deployer.Result{Outcome: deployer.Succeeded}, nil
			}
			sink := &recorded{}
			r := deployer.DeploySeveral(t.Context(), c.targets, deploy, sink)
			var got []string
			for _, at := range r.Targets {
				line := fmt.Sprintf("%d %s %s", at.Wave, at.Target, at.Outcome)
				switch {
				case at.Err != nil:
					line += ": " + at.Err.Error()
				case len(at.Warnings) > 0:
					line += ": " + at.Warnings[0]
				}
				got = append(got, line)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			named := map[string]bool{}
			for i, e := range sink.events {
				named[e.Target] = true
				if e.Seq != int64(i+1) {
					t.Errorf("event %d has number %d", i+1, e.Seq)
				}
			}
			if len(named) != len(c.targets) || named["shop"] {
				t.Errorf("events name %v, want each target", named)
			}
		})
	}
}

// TestDeploySeveralTogether: the targets of a wave are rolled out at the same time.
func TestDeploySeveralTogether(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	both.Add(2)
	deploy := func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.Result, error) {
		both.Done()
		both.Wait() // for ever, if the other one waits for this one
		return &deployer.Result{Outcome: deployer.Succeeded}, nil
	}
	deployer.DeploySeveral(t.Context(), []deployer.TargetOptions{{Target: "a", Wave: 1}, {Target: "b", Wave: 1}}, deploy, nil)
}

// TestDeploySeveralEnded: a run that is ended begins no further wave.
func TestDeploySeveralEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	deploy := func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.Result, error) {
		cancel()
		return &deployer.Result{Outcome: deployer.Interrupted}, context.Canceled
	}
	r := deployer.DeploySeveral(ctx, []deployer.TargetOptions{{Target: "a"}, {Target: "b"}}, deploy, nil)
	if got := r.Targets[1].Result; got.Outcome != deployer.Skipped || got.Warnings[0] != "not begun: the run was ended" {
		t.Errorf("%+v", got)
	}
}
