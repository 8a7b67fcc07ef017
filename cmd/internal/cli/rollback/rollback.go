// Package rollback is the command that brings an earlier revision of a release back.
package rollback

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/outcome"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Name           string
	Revision       int // 0: the one before
	Timeout        time.Duration
	ForceConflicts bool
	DryRun         bool

	// History lists what a shell may complete.
	History  func(context.Context, deployer.StatusOptions) (*deployer.HistoryResult, error)
	Rollback func(context.Context, deployer.RollbackOptions, event.Sink) (*deployer.Result, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, History: deployer.History, Rollback: deployer.Rollback}
	cmd := &cobra.Command{
		Use:   "rollback [REVISION]",
		Short: "Bring an earlier revision back",
		Long: "Bring an earlier revision back as a new one, and wait until every replica serves its configuration.\n" +
			"Without REVISION it is the last one that was deployed before and is not the same. Consumers stay as they are.",
		Example: "  egk8s history          # what there is to go back to\n  egk8s rollback\n  egk8s rollback 3 --dry-run",
		GroupID: "cluster",
		Args:    func(cmd *cobra.Command, args []string) error { return o.arguments(cmd, args) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return o.Revisions(cmd, args), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if o.Timeout <= 0 {
				return &exit.UsageError{Message: fmt.Sprintf("--timeout %s is not a time limit", o.Timeout)}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "time limit of the whole run")
	fs.BoolVar(&o.ForceConflicts, "force-conflicts", false, "take over fields that others own")
	fs.BoolVar(&o.DryRun, "dry-run", false, "only say what would change")
	app.Formats(cmd, output.JSON, output.YAML, "name")
	return cmd
}

// arguments reads the number of the revision.
func (o *Options) arguments(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return nil
	case 1:
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 {
			return app.Usage(cmd, fmt.Sprintf("%q is not the number of a revision", args[0]))
		}
		o.Revision = n
		return nil
	default:
		return app.Usage(cmd, fmt.Sprintf("rollback takes one revision, got %d arguments", len(args)))
	}
}

// completionTimeout bounds how long a shell waits for the cluster.
const completionTimeout = 2 * time.Second

// Revisions offers the revisions that can come back, newest first, to a shell that completes. What keeps them
// from being known is none of its business.
func (o *Options) Revisions(cmd *cobra.Command, args []string) []string {
	if len(args) > 0 || app.FromEnvironment(cmd, o.App.Getenv) != nil {
		return nil
	}
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return nil
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	h, err := o.History(ctx, deployer.StatusOptions{Target: target, Name: name, Timeout: completionTimeout})
	if err != nil {
		return nil
	}
	var offers []string
	for _, r := range h.Revisions {
		if !r.Current && len(r.Missing) == 0 {
			offers = append(offers, cobra.CompletionWithDesc(strconv.Itoa(r.Revision), r.Description))
		}
	}
	return offers
}

// Run rolls back, shows the run, and writes its result.
func Run(ctx context.Context, o *Options) error {
	run := outcome.Run{App: o.App, Verb: "rollback", Kind: "RollbackResult", Output: o.Output, Result: &deployer.Result{}}
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return run.End(ctx, err)
	}
	run.Session = report.Open(ctx, report.Options{App: o.App, Verb: run.Verb})
	result, err := o.Rollback(ctx, deployer.RollbackOptions{
		Target: target, Name: name, Revision: o.Revision, Timeout: o.Timeout,
		ForceConflicts: o.ForceConflicts, DryRun: o.DryRun, Version: version.Version,
	}, run.Session)
	if result != nil {
		run.Result = result
	}
	run.Result.Name = name
	return run.End(ctx, outcome.Cause(ctx, err))
}
