package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/probe"
	"egk8s.dev/egk8s/gateway/server"
	"egk8s.dev/egk8s/gateway/version"
)

// The exit codes, as `egk8s help exit-codes` lists them.
const (
	exitOK      = 0
	exitBug     = 1
	exitUsage   = 2
	exitInvalid = 3
	exitNetwork = 4 // a port that cannot be opened
)

const usage = `egk8s-gateway serves the configuration of Express Gateway.

Usage:
  egk8s-gateway [--config-dir DIR] [--status-address HOST:PORT] [--metrics-address HOST:PORT]
  egk8s-gateway check DIR          read and compile a configuration, and say what is wrong
  egk8s-gateway probe --spec FILE  send the requests of a spec and report the answers
  egk8s-gateway schema             print the policies and conditions that it knows, as JSON
  egk8s-gateway version

Environment: EG_CONFIG_DIR, LOG_LEVEL, EG_DISABLE_CONFIG_WATCH, http_proxy; EGK8S_HTTP_ADDRESS,
EGK8S_HTTPS_ADDRESS, EGK8S_ADMIN_ADDRESS, EGK8S_STATUS_ADDRESS, EGK8S_METRICS_ADDRESS,
EGK8S_READY_ADDRESS, EGK8S_CONFIG_DIGEST, EGK8S_DRAIN_DELAY, EGK8S_DRAIN_TIMEOUT, EGK8S_LOG_FORMAT,
EGK8S_ACCESS_LOG and the limits EGK8S_MAX_… (docs/reference/gateway.md).
`

// program is one run of the command with its surroundings handed in.
type program struct {
	args      []string
	out, errs io.Writer
	in        io.Reader
	lookup    func(string) (string, bool)
	signals   <-chan os.Signal
}

// run does what the arguments say and returns the exit code.
func (p *program) run(ctx context.Context) int {
	command, rest := "serve", p.args
	if len(rest) > 0 && rest[0] != "" && rest[0][0] != '-' {
		command, rest = rest[0], rest[1:]
	}
	switch command {
	case "serve":
		return p.serve(ctx, rest)
	case "check":
		return p.check(rest)
	case "probe":
		return p.probe(ctx, rest)
	case "schema":
		return p.schema()
	case "version":
		fmt.Fprintf(p.out, "egk8s-gateway %s (%s)\n", version.Version, runtime.Version())
		return exitOK
	case "help":
		fmt.Fprint(p.out, usage)
		return exitOK
	default:
		return p.wrongUsage(fmt.Errorf("unknown command %q", command))
	}
}

func (p *program) wrongUsage(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(p.out, usage)
		return exitOK
	}
	fmt.Fprintf(p.errs, "error: %v\n\n%s", err, usage)
	return exitUsage
}

// flags returns a set that prints nothing by itself.
func flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}

func (p *program) serve(ctx context.Context, args []string) int {
	set := flags("egk8s-gateway")
	dir, _ := p.lookup("EG_CONFIG_DIR")
	o := server.Options{LookupEnv: p.lookup, Output: p.out, Signals: p.signals}
	set.StringVar(&o.ConfigDir, "config-dir", dir, "")
	set.StringVar(&o.StatusAddress, "status-address", "", "")
	set.StringVar(&o.MetricsAddress, "metrics-address", "", "")
	if err := set.Parse(args); err != nil {
		return p.wrongUsage(err)
	}
	if set.NArg() > 0 {
		return p.wrongUsage(fmt.Errorf("unexpected argument %q", set.Arg(0)))
	}
	if o.ConfigDir == "" {
		return p.wrongUsage(errors.New("no configuration: give --config-dir DIR or set EG_CONFIG_DIR"))
	}
	if !p.isFolder(o.ConfigDir) {
		return exitInvalid
	}
	return p.report(server.Run(ctx, o))
}

// isFolder tells whether dir can be a configuration. A folder that is not there would else be told of as five
// files that are missing.
func (p *program) isFolder(dir string) bool {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		fmt.Fprintf(p.errs, "error: there is no configuration: %v\n", err)
	case !info.IsDir():
		fmt.Fprintf(p.errs, "error: %s is no folder; the configuration is the one that gateway.config.yml is in\n", dir)
	default:
		return true
	}
	return false
}

// report prints an error, problems one a line, and returns the code for it.
func (p *program) report(err error) int {
	var problems diag.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &problems):
		p.print(problems)
		return exitInvalid
	case server.IsListenError(err):
		fmt.Fprintf(p.errs, "error: %v\n", err)
		return exitNetwork
	default:
		fmt.Fprintf(p.errs, "error: %v\n", err)
		return exitBug
	}
}

func (p *program) print(problems diag.Problems) {
	for _, one := range problems {
		line := one.String()
		if one.Severity == diag.Warning {
			line = "warning: " + line
		}
		if one.Hint != "" {
			line += "; " + one.Hint
		}
		fmt.Fprintln(p.errs, line)
	}
}

func (p *program) check(args []string) int {
	if len(args) != 1 {
		return p.wrongUsage(errors.New("check needs one folder"))
	}
	if !p.isFolder(args[0]) {
		return exitInvalid
	}
	problems, err := server.Check(args[0], p.lookup)
	if err != nil {
		return p.report(err)
	}
	p.print(problems)
	if problems.HasErrors() {
		return exitInvalid
	}
	return exitOK
}

func (p *program) probe(ctx context.Context, args []string) int {
	set := flags("probe")
	spec := set.String("spec", "", "")
	if err := set.Parse(args); err != nil {
		return p.wrongUsage(err)
	}
	if *spec == "" || set.NArg() > 0 {
		return p.wrongUsage(errors.New("probe needs --spec FILE"))
	}
	requests, err := probe.Read(*spec)
	if err != nil {
		fmt.Fprintf(p.errs, "error: %v\n", err)
		return exitInvalid
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return p.report(probe.Run(ctx, requests, p.out))
}

// schema prints the catalogue, by which `egk8s image build --gateway-binary` validates.
func (p *program) schema() int {
	catalogue, err := policy.Catalogue()
	if err != nil {
		return p.report(err)
	}
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "  ")
	return p.report(enc.Encode(catalogue))
}
