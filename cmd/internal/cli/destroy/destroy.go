// Package destroy is the command that removes a release from a cluster.
package destroy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/cli/prompt"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Name            string
	Timeout         time.Duration
	DeleteNamespace bool
	DeleteData      bool
	DryRun          bool
	Yes             bool

	Destroy func(context.Context, deployer.DestroyOptions, event.Sink) (*deployer.DestroyResult, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Destroy: deployer.Destroy}
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Remove everything that deploys of a release made",
		Long: "Remove everything that deploys of a release made: its objects, its records, its lock.\n" +
			"The namespace and volumes stay unless flags say otherwise. A person is asked for the release's name.",
		Example: "  egk8s destroy\n  egk8s destroy --name petstore -n shop -y\n  egk8s destroy --dry-run",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "time limit of the whole run")
	fs.BoolVar(&o.DeleteNamespace, "delete-namespace", false, "also the namespace, if egk8s made it and nothing else is in it")
	fs.BoolVar(&o.DeleteData, "delete-data", false, "also volumes")
	fs.BoolVar(&o.DryRun, "dry-run", false, "only say what would be removed")
	fs.BoolVarP(&o.Yes, "yes", "y", false, "do not ask")
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

// Run removes the release, shows it, and writes the result.
func Run(ctx context.Context, o *Options) error {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	if err := o.confirm(ctx, name, target); err != nil {
		return err
	}
	session := report.Open(ctx, report.Options{App: o.App, Verb: "destroy"})
	result, err := o.Destroy(ctx, deployer.DestroyOptions{
		Target: target, Name: name, Timeout: o.Timeout,
		DeleteNamespace: o.DeleteNamespace, DeleteData: o.DeleteData, DryRun: o.DryRun,
	}, session)
	if result == nil {
		result = &deployer.DestroyResult{Name: name, Namespace: target.Namespace, Context: target.Context}
	}
	if err != nil && errors.Is(err, context.Canceled) && context.Cause(ctx) != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	complete(result, err)
	shown := session.Close(report.Ending{
		Verb: "destroy", Result: asResult(result), Err: err, Explanation: explain.Text(o.App, err), Document: result,
	})
	if werr := o.write(result); werr != nil && err == nil {
		return werr
	}
	if err != nil && shown {
		return &exit.Error{Code: exit.Of(err), Err: err, Shown: true}
	}
	return err
}

// confirm asks for the name of the release: a yes comes too easily from the fingers.
func (o *Options) confirm(ctx context.Context, name string, target deployer.Target) error {
	if o.Yes || o.DryRun {
		return nil
	}
	if !o.App.IO.CanPrompt() {
		return &exit.UsageError{
			Message: "destroy asks before it removes " + name + ", and nobody can be asked here",
			Hint:    []string{"pass --yes to destroy without a question"},
		}
	}
	where := "the current context"
	if target.Context != "" {
		where = "context " + target.Context
	}
	if target.Namespace != "" {
		where += ", namespace " + target.Namespace
	}
	answer, err := prompt.New(o.App.IO).Text(ctx, fmt.Sprintf("Type the name %s to destroy it in %s", name, where), "", "--yes")
	if err != nil {
		return err
	}
	if answer != name {
		return &exit.UsageError{Message: fmt.Sprintf("nothing was destroyed: you typed %q", answer)}
	}
	return nil
}

func complete(r *deployer.DestroyResult, err error) {
	code := exit.Of(err)
	r.APIVersion, r.Kind, r.ExitCode = "egk8s.dev/v1alpha1", "DestroyResult", int(code)
	if r.Deleted == nil {
		r.Deleted = []deployer.Change{}
	}
	if err == nil {
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

// asResult gives the renderers the form they know.
func asResult(r *deployer.DestroyResult) deployer.Result {
	return deployer.Result{
		APIVersion: r.APIVersion, Kind: r.Kind, Outcome: r.Outcome, ExitCode: r.ExitCode, Name: r.Name,
		Context: r.Context, Namespace: r.Namespace, DurationMs: r.DurationMs, Changes: r.Deleted, Error: r.Error,
	}
}

func (o *Options) write(r *deployer.DestroyResult) error {
	switch {
	case output.IsDocument(o.Output):
		return output.Write(o.App.IO.Out, o.Output, r)
	case o.Output == "name":
		for _, c := range r.Deleted {
			if _, err := fmt.Fprintf(o.App.IO.Out, "%s/%s\n", c.Kind, c.Name); err != nil {
				return err
			}
		}
	case o.App.Flags.Progress != app.ProgressQuiet:
		for _, kept := range r.Kept {
			fmt.Fprintln(o.App.IO.Err, "kept:", kept)
		}
	}
	return nil
}
