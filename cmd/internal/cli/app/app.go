// Package app is what every command is handed: the streams, the global flags, the clock and the
// environment. Commands take from it what they need when they run, so that --help and completion
// touch neither network nor disk.
package app

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
)

// App is the program without its commands.
type App struct {
	IO     *stdio.Streams
	Flags  *Global
	Now    func() time.Time
	Getenv func(string) string
	// Cancel ends the context of the running command for a reason.
	Cancel context.CancelCauseFunc
	// Interrupt does what SIGINT does: a terminal in raw mode gives ctrl+c as a key.
	Interrupt func()
}

// New returns the App of this process.
func New(getenv func(string) string) *App {
	return &App{
		IO: stdio.System(getenv), Flags: &Global{}, Now: time.Now, Getenv: getenv,
		Cancel: func(error) {}, Interrupt: func() {},
	}
}

// Target returns which cluster the global flags name.
func (a *App) Target(cloud string) deployer.Target {
	return deployer.Target{
		Kubeconfig: a.Flags.Kubeconfig, Context: a.Flags.Context, Namespace: a.Flags.Namespace,
		Cloud: cloud, As: a.Flags.As, AsGroups: a.Flags.AsGroups, Log: a.Logger(),
	}
}

// Logger returns where client libraries write what they do: nowhere, or with -v to standard error in the
// format of --log-format.
func (a *App) Logger() *slog.Logger {
	if a.Flags.Verbose == 0 {
		return nil
	}
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.Flags.Verbose > 1 {
		options.Level = slog.LevelDebug
	}
	if a.Flags.LogFormat == "json" || a.Flags.Progress == ProgressJSON {
		return slog.New(slog.NewJSONHandler(a.IO.Err, options))
	}
	return slog.New(slog.NewTextHandler(a.IO.Err, options))
}

// ErrTheme returns how the error stream may be written.
func (a *App) ErrTheme() theme.Theme { return theme.ForErr(a.IO) }

// OutTheme returns how the output stream may be written.
func (a *App) OutTheme() theme.Theme { return theme.ForOut(a.IO) }

// Environ returns the environment as a map, for the variables that files may name.
func Environ() map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		if name, value, found := strings.Cut(kv, "="); found && name != "" {
			env[name] = value
		}
	}
	return env
}
