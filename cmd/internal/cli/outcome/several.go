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
	"egk8s.dev/egk8s/gateway/diag"
)

// Several is a run with several targets that is over.
type Several struct {
	App    *app.App
	Verb   string // deploy
	Kind   string // of each target's document: DeployResult
	Output string // -o
	// ExitCode makes planned changes an exit code.
	ExitCode bool
	// Session showed the run; nil: it ended before it began.
	Session *report.Session
	Results *deployer.Results
}

// Refuse ends a run before its first target.
func (s Several) Refuse(ctx context.Context, err error) error {
	return Run{App: s.App, Verb: s.Verb, Kind: s.Kind, Output: s.Output, Result: &deployer.Result{}}.End(ctx, err)
}

// End completes every target's result, has the end shown, writes the document and returns the error that
// decides the exit code.
func (s Several) End(ctx context.Context) error {
	r := s.Results
	all := report.Ending{Verb: s.Verb, Document: r}
	var codes []exit.Code
	var errs []error
	for i := range r.Targets {
		t := &r.Targets[i]
		e := s.target(t)
		all.Targets = append(all.Targets, report.TargetEnding{Name: t.Target, Wave: t.Wave, Ending: e})
		all.Problems = append(all.Problems, e.Problems...)
		code := exit.Of(t.Err)
		if code == exit.OK && s.ExitCode && t.Outcome == deployer.Planned {
			code = exit.Differences
			t.ExitCode = int(code)
		}
		codes = append(codes, code)
		if e.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Target, e.Err))
		}
	}
	code := exit.Several(codes)
	r.ExitCode, r.Outcome = int(code), outcomeOf(r.Targets, code)
	err := errors.Join(errs...)
	if err != nil {
		r.Error = err.Error()
	}
	all.Err = err
	all.Result = deployer.Result{Name: r.Name, Outcome: r.Outcome, ExitCode: r.ExitCode, DurationMs: r.DurationMs}
	s.Session.Close(all)
	if werr := s.write(); werr != nil && err == nil {
		return werr
	}
	if code == exit.OK {
		return nil
	}
	if err == nil {
		err = errors.New("something would change")
	}
	return &exit.Error{Code: code, Err: err, Shown: true}
}

// target is the end of one target.
func (s Several) target(t *deployer.TargetResult) report.Ending {
	complete(s.Kind, t.Result, t.Err)
	if t.Outcome == deployer.Skipped {
		t.ExitCode = int(exit.Unfinished) // it waits to be deployed
	}
	explained := t.Err
	if explain.Silent(t.Err) {
		explained = nil
	}
	e := report.Ending{Verb: s.Verb, Result: *t.Result, Err: explained, Explanation: explain.Text(s.App, explained), Document: t.Result}
	if problems, ok := errors.AsType[diag.Problems](t.Err); ok {
		e.Problems = problems
	}
	return e
}

// outcomeOf is one word for all: that of a target which decided the code, else the one that says most was done.
func outcomeOf(targets []deployer.TargetResult, code exit.Code) deployer.Outcome {
	best := deployer.Unchanged
	for _, t := range targets {
		switch {
		case code != exit.OK && exit.Of(t.Err) == code:
			return t.Outcome
		case t.Outcome == deployer.Succeeded, t.Outcome == deployer.Planned && best == deployer.Unchanged:
			best = t.Outcome
		}
	}
	return best
}

func (s Several) write() error {
	switch {
	case output.IsDocument(s.Output):
		return output.Write(s.App.IO.Out, s.Output, s.Results)
	case s.Output == "name":
		for _, t := range s.Results.Targets {
			if err := names(s.App, t.Target+" ", t.Result); err != nil {
				return err
			}
		}
	}
	return nil
}
