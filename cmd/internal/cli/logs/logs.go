// Package logs is the command that shows what the gateway's pods write.
package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App *app.App

	Name     string
	Pod      string
	Follow   bool
	Previous bool
	Since    time.Duration
	Tail     int64

	Logs func(context.Context, deployer.LogsOptions, func(deployer.LogLine)) error
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Logs: deployer.Logs}
	cmd := &cobra.Command{
		Use:     "logs",
		Short:   "Show what the gateway's pods write",
		Example: "  egk8s logs --tail 20\n  egk8s logs --follow --since 10m\n  egk8s logs --pod petstore-6d5b8-wz7pn --previous",
		GroupID: "cluster",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Tail < 0 || o.Since < 0 {
				return &exit.UsageError{Message: "--tail and --since cannot be negative"}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.StringVar(&o.Pod, "pod", "", "`NAME` of one pod (default: all)")
	fs.BoolVar(&o.Follow, "follow", false, "go on, with pods that come later too")
	fs.BoolVar(&o.Previous, "previous", false, "of the container before its last restart")
	fs.DurationVar(&o.Since, "since", 0, "only lines younger than this, as 10m")
	fs.Int64Var(&o.Tail, "tail", 0, "`LINES` from the end, per pod (default: all)")
	return cmd
}

// Run writes the lines to standard output, each after the name of its pod.
func Run(ctx context.Context, o *Options) error {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := o.App.OutTheme()
	bar := " " + t.Lines().Quote
	err = o.Logs(ctx, deployer.LogsOptions{
		Target: target, Name: name, Pod: o.Pod, Follow: o.Follow, Previous: o.Previous, Since: o.Since, Tail: o.Tail,
	}, func(l deployer.LogLine) {
		if _, err := fmt.Fprintln(o.App.IO.Out, t.Paint(theme.Dim, l.Pod+bar)+report.Clean(l.Text)); err != nil {
			cancel(err) // the reader went away
		}
	})
	return ended(ctx, err)
}

// ended is why the reading ended: an interrupt is how a follower leaves, and needs no words.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	var signal *exit.SignalError
	switch {
	case errors.As(cause, &signal):
		return &exit.Error{Code: exit.Of(signal), Err: signal, Shown: true}
	case cause != nil:
		return cause
	}
	return err
}
