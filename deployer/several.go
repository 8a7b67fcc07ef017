package deployer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// TargetOptions is one target of a deploy to several.
type TargetOptions struct {
	Target string // name of the environment, or of the cloud
	Wave   int    // the lowest is rolled out first; 0 for all: each is a wave of its own, in their order
	Deploy DeployOptions
}

// TargetResult is what a deploy did to one of several targets.
type TargetResult struct {
	Target string `json:"target"`
	Wave   int    `json:"wave"` // from 1
	*Result
	Err error `json:"-"` // why it failed; nil: it did not, or was not begun
}

// Results is what a deploy to several targets did; `-o json` prints it.
type Results struct {
	APIVersion string         `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string         `json:"kind"`       // DeployResults
	Outcome    Outcome        `json:"outcome"`    // the worst of the targets'
	ExitCode   int            `json:"exitCode"`
	Name       string         `json:"name"`
	DurationMs int64          `json:"durationMs"`
	Targets    []TargetResult `json:"targets"`
	Error      string         `json:"error,omitempty"`
}

// DeployFunc is Deploy.
type DeployFunc func(context.Context, DeployOptions, event.Sink) (*Result, error)

// DeploySeveral rolls out to several targets in waves: those of a wave at the same time, a wave when every
// target of the one before is healthy. What fails stops the waves that follow, not its own. Every target has
// one result, in the order of the waves; each event names its target.
func DeploySeveral(ctx context.Context, targets []TargetOptions, deploy DeployFunc, sink event.Sink) *Results {
	begun := time.Now()
	r := &Results{APIVersion: apiVersion, Kind: "DeployResults", Targets: []TargetResult{}}
	line := &oneLine{next: sink}
	stopped := ""
	for i, wave := range waves(targets) {
		results := make([]TargetResult, len(wave))
		var all sync.WaitGroup
		for k, t := range wave {
			results[k] = TargetResult{Target: t.Target, Wave: i + 1}
			own := &targetSink{target: t.Target, line: line}
			if stopped != "" {
				results[k].Result = skipped(t, stopped, own)
				continue
			}
			all.Go(func() { results[k].Result, results[k].Err = deploy(ctx, t.Deploy, own) })
		}
		all.Wait()
		r.Targets = append(r.Targets, results...)
		switch at := slices.IndexFunc(results, func(t TargetResult) bool { return t.Err != nil }); {
		case stopped != "":
		case ctx.Err() != nil:
			stopped = "the run was ended"
		case at >= 0:
			stopped = fmt.Sprintf("%s failed in wave %d", results[at].Target, i+1)
		}
	}
	r.DurationMs = time.Since(begun).Milliseconds()
	return r
}

// waves groups the targets, the first wave first.
func waves(targets []TargetOptions) [][]TargetOptions {
	declared := slices.ContainsFunc(targets, func(t TargetOptions) bool { return t.Wave != 0 })
	var out [][]TargetOptions
	if !declared {
		for _, t := range targets {
			out = append(out, []TargetOptions{t})
		}
		return out
	}
	ordered := slices.Clone(targets)
	slices.SortStableFunc(ordered, func(a, b TargetOptions) int { return a.Wave - b.Wave })
	for i, t := range ordered {
		if i == 0 || t.Wave != ordered[i-1].Wave {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// skipped is the result of a target that was not begun.
func skipped(t TargetOptions, why string, sink event.Sink) *Result {
	r := &Result{
		APIVersion: apiVersion, Kind: "DeployResult", Outcome: Skipped, Context: t.Deploy.Context, Namespace: t.Deploy.Namespace, Cloud: t.Deploy.Cloud,
		Changes: []Change{}, Probes: []ProbeResult{}, Failures: []event.Cause{}, Warnings: []string{"not begun: " + why},
	}
	if p := t.Deploy.Project; p != nil {
		r.Name = p.Name
		r.Context, r.Namespace, r.Cloud = cmp.Or(r.Context, p.Context), cmp.Or(r.Namespace, p.Namespace), cmp.Or(r.Cloud, p.Cloud)
	}
	header := &event.Header{Verb: "deploy", Release: r.Name, Cloud: r.Cloud, Context: r.Context, Namespace: r.Namespace}
	sink.Emit(event.Event{Time: time.Now(), Phase: event.Done, Type: event.Info, Message: "not begun: " + why, Started: header})
	sink.Emit(event.Event{Time: time.Now(), Phase: event.Done, Type: event.Result, Message: string(Skipped)})
	return r
}

// oneLine numbers the events of all targets.
type oneLine struct {
	next event.Sink
	mu   sync.Mutex
	seq  int64
}

// targetSink names the target of every event.
type targetSink struct {
	target string
	line   *oneLine
}

// Emit passes the event on.
func (s *targetSink) Emit(e event.Event) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	s.line.seq++
	e.Target, e.Seq = s.target, s.line.seq
	if s.line.next != nil {
		s.line.next.Emit(e)
	}
}
