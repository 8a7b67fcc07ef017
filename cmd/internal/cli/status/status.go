// Package status is the command that says how a release is.
package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Name    string
	Watch   bool
	Timeout time.Duration

	Status func(context.Context, deployer.StatusOptions) (*deployer.StatusResult, error)
	Follow func(context.Context, deployer.StatusOptions, event.Sink) (*deployer.StatusResult, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Status: deployer.Status, Follow: deployer.Watch}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how a release is",
		Long: "Say how a release is: replicas, the config each has loaded, how it is reached, what is wrong.\n" +
			"Ends with 0 when it is healthy, 7 while a rollout is under way, 6 when something is wrong, 9 when\n" +
			"nothing is deployed.",
		Example: "  egk8s status\n  egk8s status --env staging,production\n  egk8s status --watch\n  egk8s status -o json",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if o.Watch && o.Output != "" {
				return &exit.UsageError{Message: "--watch has no --output", Hint: []string{"events as data: egk8s status --watch --progress json"}}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.BoolVarP(&o.Watch, "watch", "w", false, "go on watching: a live view on a terminal, else a line per change")
	fs.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time limit of one look")
	app.Formats(cmd, "wide", output.JSON, output.YAML)
	return cmd
}

// Run looks at the release once, or watches it.
func Run(ctx context.Context, o *Options) error {
	if o.App.Several("") {
		return o.several(ctx)
	}
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	opts := deployer.StatusOptions{Target: target, Name: name, Timeout: o.Timeout}
	if o.Watch {
		return o.watch(ctx, opts)
	}
	s, err := o.Status(ctx, opts)
	if err != nil {
		return err
	}
	if output.IsDocument(o.Output) {
		err = output.Write(o.App.IO.Out, o.Output, s)
	} else {
		_, err = fmt.Fprint(o.App.IO.Out, Text(s, o.look()))
	}
	if err != nil {
		return err
	}
	return verdict(s)
}

// watch shows the release until the user leaves: then the last look decides the exit code.
func (o *Options) watch(ctx context.Context, opts deployer.StatusOptions) error {
	session := report.Open(ctx, report.Options{App: o.App, Verb: "status"})
	s, err := o.Follow(ctx, opts, session)
	session.Close(report.Ending{Verb: "status", Result: deployer.Result{Name: opts.Name}})
	var signal *exit.SignalError
	switch {
	case errors.As(context.Cause(ctx), &signal):
		return &exit.Error{Code: exit.Of(signal), Err: signal, Shown: true}
	case err != nil && !errors.Is(context.Cause(ctx), deployer.ErrDetached):
		return err
	case s == nil:
		return nil
	}
	if _, err := fmt.Fprint(o.App.IO.Out, Text(s, o.look())); err != nil {
		return err
	}
	return verdict(s)
}

func (o *Options) look() Look {
	look := Look{Theme: o.App.OutTheme(), Now: o.App.Now(), Wide: o.Output == "wide"}
	if o.App.IO.OutTTY {
		look.Width, _ = o.App.IO.Size()
	}
	return look
}

// verdict is the exit code of a health. The text has said why.
func verdict(s *deployer.StatusResult) error {
	code := healthCode(s.Health)
	if code == exit.OK {
		return nil
	}
	return &exit.Error{Code: code, Err: fmt.Errorf("%s is %s", s.Name, s.Health), Shown: true}
}

func healthCode(h deployer.Health) exit.Code {
	switch h {
	case deployer.Updating:
		return exit.Unfinished
	case deployer.Degraded, deployer.Unavailable:
		return exit.Unhealthy
	case deployer.Healthy:
	}
	return exit.OK
}
