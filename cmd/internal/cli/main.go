// Package cli is the egk8s command line: the root command, how errors are told, and what signals do.
// Every command is a package below this one.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
)

// Main runs egk8s with the arguments after the program's name and returns its exit code.
func Main(args []string) int {
	a := app.New(os.Getenv)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	// Caught, a closed standard output is an error of the write, not the end of the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return int(run(a, args, signals))
}

// run executes the command line. The first signal cancels the command's context with the signal
// as its cause; the second ends the program at once, the terminal restored.
func run(a *app.App, args []string, signals <-chan os.Signal) exit.Code {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	a.Cancel = cancel
	keys := make(chan os.Signal, 2)
	a.Interrupt = func() { keys <- syscall.SIGINT }
	done := make(chan exit.Code, 1)
	go func() { done <- execute(ctx, a, args) }()
	cancelled := false
	for {
		var s os.Signal
		select {
		case code := <-done:
			return code
		case s = <-signals:
		case s = <-keys:
		}
		if cancelled {
			a.IO.Abort()
			return exit.Of(&exit.SignalError{Signal: s})
		}
		cancelled = true
		cancel(&exit.SignalError{Signal: s})
	}
}

func execute(ctx context.Context, a *app.App, args []string) (code exit.Code) {
	defer func() {
		if r := recover(); r != nil {
			a.IO.Abort()
			explain.Bug(a.IO.Err, fmt.Errorf("panic: %v", r), debug.Stack())
			code = exit.Bug
		}
	}()
	root := NewRoot(a) //nolint:contextcheck // commands get the context when they run
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && errors.Is(err, context.Canceled) && context.Cause(ctx) != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	if color := a.Flags.Color; color != "" {
		a.IO.Color = color // a wrong command line ends before the flags are applied
	}
	if !explain.Silent(err) {
		explain.Write(a.IO.Err, a, a.ErrTheme(), err)
	}
	return exit.Of(err)
}
