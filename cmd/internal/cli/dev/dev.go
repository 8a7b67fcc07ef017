// Package dev is the command that runs the gateway from the project folder on this machine.
package dev

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/server"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App *app.App

	Host                       string
	Port, HTTPSPort, AdminPort int // -1: the file's
	EnvFile                    string
	Upstreams                  map[string]string
	Stub                       []string

	Load  func() (*project.Project, diag.Problems)
	Serve func(context.Context, server.Options) error
	// Poll is how often egk8s.yaml and the variables' file are looked at.
	Poll time.Duration

	services *services // of the project that is served; nil: not known yet
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Load: a.LoadProject, Serve: server.Run, Poll: 200 * time.Millisecond}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the gateway on this machine",
		Long: "Run the project's gateway here, the same code that runs in the pods, until you interrupt it. Changes of the\n" +
			"config, of consumers, of egk8s.yaml and of .env are taken over; a line for each request says what became of it.\n" +
			"Variables are those that the pod will have: spec.env, and those of spec.secretEnv from .env or the environment.\n" +
			"Service endpoints are where gateway.config.yml says; with --env where that environment says. Ports below 1024\n" +
			"are raised by 8000. What egk8s validate would say is said at the start.",
		Example: "  egk8s dev\n" +
			"  egk8s dev --stub\n" +
			"  egk8s dev --port 3000 --upstream customers=http://localhost:4000",
		GroupID: "project",
		Args:    app.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Host, "host", "127.0.0.1", "`ADDRESS` to listen on")
	fs.IntVar(&o.Port, "port", -1, "`PORT` of http; 0: a free one (default: the file's)")
	fs.IntVar(&o.HTTPSPort, "https-port", -1, "`PORT` of https (default: the file's)")
	fs.IntVar(&o.AdminPort, "admin-port", -1, "`PORT` of the Admin API (default: the file's)")
	fs.StringVar(&o.EnvFile, "env-file", ".env", "`FILE` with values for spec.secretEnv, NAME=VALUE a line, beside egk8s.yaml")
	fs.StringToStringVar(&o.Upstreams, "upstream", nil, "`NAME=URL`: where a service endpoint is; may be repeated")
	fs.StringSliceVar(&o.Stub, "stub", nil, "service endpoints (`NAMES`, or all) that answer with what they were asked")
	fs.Lookup("stub").NoOptDefVal = all
	return cmd
}

// all stands for every service endpoint.
const all = "all"

// Run serves until the context ends. Where egk8s.yaml or the variables change it starts anew.
func Run(ctx context.Context, o *Options) error {
	if o.App.Flags.File == "-" {
		return &exit.UsageError{Message: "dev follows the project's files, and needs --file to name one"}
	}
	file, err := filepath.Abs(o.App.Flags.File)
	if err != nil {
		return fmt.Errorf("find the project: %w", err)
	}
	o.App.Flags.File = file
	if !filepath.IsAbs(o.EnvFile) {
		o.EnvFile = filepath.Join(filepath.Dir(file), o.EnvFile)
	}
	for first := true; ctx.Err() == nil; first = false {
		o.services = nil
		seen := o.fingerprint()
		err := o.life(ctx)
		switch {
		case err == nil || errors.Is(err, errChanged):
			continue
		case first || ctx.Err() != nil:
			return o.ended(ctx, err)
		}
		explain.Write(o.App.IO.Err, o.App, o.App.ErrTheme(), err)
		fmt.Fprintln(o.App.IO.Out, "waiting for a change")
		o.wait(ctx, seen)
	}
	return o.ended(ctx, nil)
}

// ended is what the program says at the end: an interrupt is how it is meant to end.
func (o *Options) ended(ctx context.Context, err error) error {
	if signal, ok := errors.AsType[*exit.SignalError](context.Cause(ctx)); ok {
		return &exit.Error{Code: exit.Of(signal), Err: signal, Shown: true}
	}
	return err
}

// errChanged ends a life whose egk8s.yaml, variables or service endpoints are not those of the folder any more.
var errChanged = errors.New("the project changed")

// life serves until the context ends or the project changes.
func (o *Options) life(ctx context.Context) error {
	p, problems := o.Load()
	if err := here(problems).Err(); err != nil {
		return err
	}
	_, report, more := p.Read()
	if err := o.problems(append(problems, more...)); err != nil {
		return err
	}
	variables, err := o.variables(p)
	if err != nil {
		return err
	}
	stubs, err := o.stubs(ctx, report)
	if err != nil {
		return err
	}
	defer stubs.close()
	settings, cleanup, err := o.settings(p, stubs.urls)
	if err != nil {
		return err
	}
	defer cleanup()
	maps.Copy(variables, o.addresses(report))
	// The gateway finds files where it runs: in a pod that is the config folder.
	if err := os.Chdir(p.ConfigDir()); err != nil {
		return fmt.Errorf("run in the config folder: %w", err)
	}
	o.services = &services{dir: p.ConfigDir()}
	seen := o.fingerprint()
	inner, stop := context.WithCancelCause(ctx)
	var watcher sync.WaitGroup
	defer watcher.Wait()
	defer stop(nil)
	watcher.Go(func() {
		if o.wait(inner, seen) {
			fmt.Fprintln(o.App.IO.Out, "the project changed: starting anew")
			stop(errChanged)
		}
	})
	err = o.Serve(inner, server.Options{
		ConfigDir: p.ConfigDir(), Settings: settings, Output: o.log(),
		LookupEnv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	})
	if server.IsListenError(err) {
		return &exit.Error{Code: exit.Usage, Err: err, Hint: []string{"choose another port with --port, --https-port or --admin-port; 0 takes a free one"}}
	}
	if err == nil && errors.Is(context.Cause(inner), errChanged) {
		return errChanged
	}
	return err
}

// log is where the gateway writes to: lines for people, or JSON as in a pod.
func (o *Options) log() *lines {
	return &lines{w: o.App.IO.Out, raw: o.App.Flags.LogFormat == "json", theme: theme.ForOut(o.App.IO)}
}

// problems shows what validate says. What leads to this machine is right here, and refused by a deploy only.
func (o *Options) problems(all diag.Problems) error {
	all = here(all)
	if all.HasErrors() {
		return all
	}
	if len(all) > 0 {
		explain.Problems(o.App.IO.Err, o.App.ErrTheme(), all)
	}
	return nil
}

// here makes warnings of what only a deploy refuses.
func here(all diag.Problems) diag.Problems {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Code == "localhost-upstream" {
			all[i].Severity = diag.Warning
			all[i].Message += "; it works here, and a deploy refuses it"
		}
	}
	return all
}
