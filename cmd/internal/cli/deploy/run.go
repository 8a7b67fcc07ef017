package deploy

import (
	"context"
	"errors"
	"fmt"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// errDifferences is the outcome of a dry run that found changes.
var errDifferences = errors.New("something would change")

// Run deploys, shows the run, and writes its result.
func Run(ctx context.Context, o *Options) error {
	p, err := o.Project()
	if err != nil {
		return o.end(ctx, nil, &deployer.Result{}, err)
	}
	if err := o.confirm(ctx, p); err != nil {
		return err
	}
	session := report.Open(ctx, report.Options{App: o.App, Verb: "deploy"})
	result, err := o.Deploy(ctx, o.deployOptions(p), session)
	if result == nil {
		result = &deployer.Result{}
	}
	if result.Name == "" {
		result.Name = p.Name
	}
	return o.end(ctx, session, result, cause(ctx, err))
}

// cause adds why the context ended, where the deployer only says that it did.
func cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(context.Cause(ctx), err)
}

// end completes the result, shows the end, writes the document, and returns the error that decides the
// exit code.
func (o *Options) end(ctx context.Context, session *report.Session, r *deployer.Result, err error) error {
	if err == nil && r.Outcome == deployer.Planned && o.ExitCode {
		err = &exit.Error{Code: exit.Differences, Err: errDifferences, Shown: true}
	}
	Complete(r, err)
	explained := err
	if explain.Silent(err) {
		explained = nil
	}
	ending := report.Ending{
		Verb: "deploy", Result: *r, Err: explained, Explanation: explain.Text(o.App, explained), Document: r,
	}
	if session == nil {
		session = report.Open(ctx, report.Options{App: o.App, Verb: "deploy", Ended: true})
	}
	if problems, ok := errors.AsType[diag.Problems](err); ok {
		ending.Problems = problems
	}
	shown := session.Close(ending)
	if werr := o.write(r); werr != nil && err == nil {
		return werr
	}
	if err != nil && shown {
		return &exit.Error{Code: exit.Of(err), Err: err, Shown: true}
	}
	return err
}

// Complete fills what a result says of an error, so that every consumer of it gets one document in
// every case.
func Complete(r *deployer.Result, err error) {
	code := exit.Of(err)
	r.APIVersion, r.Kind, r.ExitCode = "egk8s.dev/v1alpha1", "DeployResult", int(code)
	if r.Changes == nil {
		r.Changes = []deployer.Change{}
	}
	if r.Probes == nil {
		r.Probes = []deployer.ProbeResult{}
	}
	if r.Failures == nil {
		r.Failures = causes(err)
	}
	if err == nil || code == exit.Differences {
		return
	}
	r.Error = err.Error()
	switch code {
	case exit.Unfinished:
		r.Outcome = deployer.Unfinished
	case exit.Interrupted, exit.Terminated:
		r.Outcome = deployer.Interrupted
	default:
		r.Outcome = deployer.FailedRun
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

func (o *Options) write(r *deployer.Result) error {
	switch {
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, r)
	case o.Output == "name":
		for _, c := range r.Changes {
			if c.Action == event.Unchanged {
				continue
			}
			if _, err := fmt.Fprintf(o.App.IO.Out, "%s/%s\n", c.Kind, c.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
