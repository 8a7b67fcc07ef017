// Package portforward is the command that makes a listener of the gateway reachable on this machine.
package portforward

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App *app.App

	Name     string
	Listener string
	Port     int

	Forward func(context.Context, deployer.ForwardOptions) error
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Forward: deployer.PortForward}
	listeners := []string{deployer.ForwardGateway, deployer.ForwardAdmin, deployer.ForwardStatus, deployer.ForwardMetrics}
	cmd := &cobra.Command{
		Use:   "port-forward [gateway|admin|status|metrics]",
		Short: "Make a listener of the gateway reachable on this machine",
		Long: "Make a listener of the gateway reachable on 127.0.0.1, until you interrupt it. Every connection goes\n" +
			"to a pod that is ready. The address is written to standard output.",
		Example:   "  egk8s port-forward gateway\n  egk8s port-forward admin --port 9876",
		GroupID:   "cluster",
		ValidArgs: listeners,
		Args:      app.Choice(listeners...),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Listener = deployer.ForwardGateway
			if len(args) > 0 {
				o.Listener = args[0]
			}
			if o.Port < 0 || o.Port > 65535 {
				return &exit.UsageError{Message: fmt.Sprintf("--port %d is no port", o.Port)}
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	cmd.Flags().IntVar(&o.Port, "port", 0, "local `PORT` (default: a free one)")
	return cmd
}

// Run forwards until the context ends.
func Run(ctx context.Context, o *Options) error {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return err
	}
	err = o.Forward(ctx, deployer.ForwardOptions{
		Target: target, Name: name, Listener: o.Listener, LocalPort: o.Port,
		Ready: func(address string) {
			fmt.Fprintf(o.App.IO.Err, "forwarding the %s listener of %s; ctrl+c ends it\n", o.Listener, name)
			fmt.Fprintf(o.App.IO.Out, "http://%s\n", address)
		},
	})
	if signal, ok := errors.AsType[*exit.SignalError](context.Cause(ctx)); ok {
		return &exit.Error{Code: exit.Of(signal), Err: signal, Shown: true}
	}
	return err
}
