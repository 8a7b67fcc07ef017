package deploy

import (
	"context"
	"path/filepath"

	"egk8s.dev/egk8s/cmd/internal/cli/outcome"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// several deploys to the targets of --env or --cloud in waves.
func (o *Options) several(ctx context.Context) error {
	run := outcome.Several{App: o.App, Verb: "deploy", Kind: "DeployResult", Output: o.Output, ExitCode: o.ExitCode, Results: &deployer.Results{}}
	places, err := o.Places()
	if err != nil {
		return run.Refuse(ctx, err)
	}
	targets, names := make([]deployer.TargetOptions, len(places)), make([]string, len(places))
	for i, p := range places {
		if err := o.confirm(ctx, p.Project); err != nil {
			return err
		}
		names[i] = p.Name
		targets[i] = deployer.TargetOptions{Target: p.Name, Wave: p.Project.Wave, Deploy: o.deployOptions(p.Project, p.Cloud)}
		if kept := &targets[i].Deploy.Evidence; *kept != "" && filepath.IsLocal(p.Name) {
			*kept = filepath.Join(*kept, p.Name) // the archives of one release have one name
		}
	}
	run.Session = report.Open(ctx, report.Options{App: o.App, Verb: run.Verb, Targets: names})
	run.Results = deployer.DeploySeveral(ctx, targets, o.one, run.Session)
	run.Results.Name = places[0].Project.Name
	return run.End(ctx)
}

// one deploys to one of them.
func (o *Options) one(ctx context.Context, opts deployer.DeployOptions, sink event.Sink) (*deployer.Result, error) {
	result, err := o.Deploy(ctx, opts, sink)
	if result == nil {
		result = &deployer.Result{}
	}
	if result.Name == "" {
		result.Name = opts.Project.Name
	}
	return result, outcome.Cause(ctx, err)
}
