// Package outcome ends a run that changes a cluster: it completes the result, has the end shown, writes the
// document, and returns the error that decides the exit code. Every such command ends the same way.
package outcome

import (
	"context"
	"errors"
	"fmt"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// Run is a run that is over.
type Run struct {
	App    *app.App
	Verb   string // deploy, rollback
	Kind   string // of the document: DeployResult, RollbackResult
	Output string // -o
	// Session showed the run; nil: it ended before it began.
	Session *report.Session
	Result  *deployer.Result
}

// Cause adds why the context ended, where the deployer only says that it did.
func Cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(context.Cause(ctx), err)
}

// End ends the run with err.
func (r Run) End(ctx context.Context, err error) error {
	complete(r.Kind, r.Result, err)
	explained := err
	if explain.Silent(err) {
		explained = nil
	}
	ending := report.Ending{
		Verb: r.Verb, Result: *r.Result, Err: explained, Explanation: explain.Text(r.App, explained), Document: r.Result,
	}
	if r.Session == nil {
		r.Session = report.Open(ctx, report.Options{App: r.App, Verb: r.Verb, Ended: true})
	}
	if problems, ok := errors.AsType[diag.Problems](err); ok {
		ending.Problems = problems
	}
	shown := r.Session.Close(ending)
	if werr := r.write(); werr != nil && err == nil {
		return werr
	}
	if err != nil && shown {
		return &exit.Error{Code: exit.Of(err), Err: err, Shown: true}
	}
	return err
}

// complete fills what the result says of an error, so that every consumer of it gets one document in
// every case.
func complete(kind string, result *deployer.Result, err error) {
	code := exit.Of(err)
	result.APIVersion, result.Kind, result.ExitCode = "egk8s.dev/v1alpha1", kind, int(code)
	if result.Changes == nil {
		result.Changes = []deployer.Change{}
	}
	if result.Probes == nil {
		result.Probes = []deployer.ProbeResult{}
	}
	if len(result.Failures) == 0 { // what a run was waiting for stands in its error only
		result.Failures = causes(err)
	}
	if err == nil || code == exit.Differences {
		return
	}
	result.Error = err.Error()
	switch code {
	case exit.Unfinished:
		result.Outcome = deployer.Unfinished
	case exit.Interrupted, exit.Terminated:
		result.Outcome = deployer.Interrupted
	default:
		result.Outcome = deployer.FailedRun
	}
}

func causes(err error) []event.Cause {
	var unhealthy *deployer.UnhealthyError
	var timeout *deployer.TimeoutError
	switch {
	case errors.As(err, &unhealthy):
		return append([]event.Cause{unhealthy.Cause}, unhealthy.Others...)
	case errors.As(err, &timeout):
		return append([]event.Cause{}, timeout.Waiting...)
	}
	return []event.Cause{}
}

func (r Run) write() error {
	switch {
	case output.IsDocument(r.Output):
		return output.Write(r.App.IO.Out, r.Output, r.Result)
	case r.Output == "name":
		return names(r.App, "", r.Result)
	}
	return nil
}

// names writes the objects that were changed, one a line.
func names(a *app.App, prefix string, result *deployer.Result) error {
	for _, c := range result.Changes {
		if c.Action == event.Unchanged {
			continue
		}
		if _, err := fmt.Fprintf(a.IO.Out, "%s%s/%s\n", prefix, c.Kind, c.Name); err != nil {
			return err
		}
	}
	return nil
}
