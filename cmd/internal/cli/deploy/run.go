package deploy

import (
	"context"
	"errors"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/outcome"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
)

// errDifferences is the outcome of a dry run that found changes.
var errDifferences = errors.New("something would change")

// Run deploys, shows the run, and writes its result.
func Run(ctx context.Context, o *Options) error {
	if o.App.Several(o.Cloud) {
		return o.several(ctx)
	}
	run := outcome.Run{App: o.App, Verb: "deploy", Kind: "DeployResult", Output: o.Output, Result: &deployer.Result{}}
	p, err := o.Project()
	if err != nil {
		return run.End(ctx, err)
	}
	if err := o.confirm(ctx, p); err != nil {
		return err
	}
	options := o.deployOptions(p, o.Cloud)
	if o.Plan != "" {
		if options.Plan, err = deployer.ReadPlan(o.Plan); err != nil {
			return run.End(ctx, err)
		}
	}
	run.Session = report.Open(ctx, report.Options{App: o.App, Verb: run.Verb})
	result, err := o.Deploy(ctx, options, run.Session)
	if result != nil {
		run.Result = result
	}
	if run.Result.Name == "" {
		run.Result.Name = p.Name
	}
	if err == nil && run.Result.Outcome == deployer.Planned && o.ExitCode {
		err = &exit.Error{Code: exit.Differences, Err: errDifferences, Shown: true}
	}
	return run.End(ctx, outcome.Cause(ctx, err))
}
