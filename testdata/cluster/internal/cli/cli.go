// Package cli is egkube's commands.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/owner"
)

// Streams are the standard streams.
type Streams struct {
	In  *os.File
	Out *os.File
	Err *os.File
}

// Exit codes: a command that run started may add any other.
const (
	exitDone  = 0
	exitError = 1
	exitUsage = 2
)

// command is one of egkube's commands.
type command struct {
	usage  string
	help   string
	hidden bool
	run    func(context.Context, *app, []string) (int, error)
}

// app is what commands share.
type app struct {
	Streams
	owner owner.Owner
	cache layout.Cache
}

// errReported is an error of which the user has been told.
var errReported = errors.New("told already")

// usageError is a mistake in the command line.
type usageError struct{ error }

// Run runs the command that the arguments name and returns the exit code.
func Run(ctx context.Context, args []string, s Streams) int {
	commands := commands()
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		printHelp(s.Out, commands)
		return exitDone
	}
	c, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(s.Err, "egkube: unknown command %q; see egkube help\n", args[0])
		return exitUsage
	}
	a, err := newApp(s)
	if err != nil {
		fmt.Fprintf(s.Err, "egkube: %v\n", err)
		return exitError
	}
	code, err := c.run(ctx, a, args[1:])
	return report(s.Err, c, code, err)
}

func report(w io.Writer, c command, code int, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return code
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.Is(err, errReported):
		return max(code, exitError)
	case errors.As(err, &usage):
		fmt.Fprintf(w, "egkube: %v\nusage: egkube %s\n", err, c.usage)
		return exitUsage
	default:
		fmt.Fprintf(w, "egkube: %v\n", err)
		return max(code, exitError)
	}
}

func newApp(s Streams) (*app, error) {
	o, err := owner.Find(os.Getenv, os.Geteuid(), os.Getegid())
	if err != nil {
		return nil, err
	}
	cache, err := layout.DefaultCache(os.Getenv, o.Home)
	if err != nil {
		return nil, err
	}
	return &app{Streams: s, owner: o, cache: cache}, nil
}

func commands() map[string]command {
	return map[string]command{
		"build":      {usage: "build", help: "compile Kubernetes and CoreDNS into the cache", run: runBuild},
		"up":         {usage: "up [--nodes 2] [--name egk8s]", help: "start a cluster and wait until it is ready", run: runUp},
		"down":       {usage: "down [--name egk8s]", help: "end a cluster and remove all of it", run: runDown},
		"status":     {usage: "status [--name egk8s]", help: "say whether a cluster runs, and where", run: runStatus},
		"kubeconfig": {usage: "kubeconfig [--name egk8s]", help: "print the path of the kubeconfig", run: runKubeconfig},
		"load":       {usage: "load [--name egk8s] IMAGE.tar", help: "import an image archive into every node", run: runLoad},
		"node-link":  {usage: "node-link [--name egk8s] NODE down|up", help: "cut node 1, 2, … off, or connect it again", run: runNodeLink},
		"image":      {usage: "image --binary FILE --name REF -o FILE.tar", help: "pack one static program into an image archive", run: runImage},
		"run": {
			usage: "run [--nodes 2] [--name NAME] -- COMMAND [ARGUMENTS]",
			help:  "start a cluster, run a command with KUBECONFIG set, end the cluster", run: runRun,
		},
		"daemon":  {usage: "daemon DIR", hidden: true, run: runDaemon},
		"sandbox": {usage: "sandbox FILE", hidden: true, run: runSandbox},
	}
}

func printHelp(w io.Writer, commands map[string]command) {
	fmt.Fprintf(w, "egkube runs a real Kubernetes on this machine, on loopback ports only.\n\n")
	names := make([]string, 0, len(commands))
	for name, c := range commands {
		if !c.hidden {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "  egkube %s\n      %s\n", commands[name].usage, commands[name].help)
	}
	fmt.Fprintf(w, "\nNodes need root (or sudo without a question); --nodes 0 is the control plane alone and needs none.\n")
	fmt.Fprintf(w, "%s moves the cache, which is ~/.cache/egk8s/cluster otherwise.\n", layout.CacheVariable)
}

// parse reads flags; what is left are the command's arguments.
func (a *app) parse(flags *flag.FlagSet, args []string, want int) ([]string, error) {
	flags.SetOutput(a.Err)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, usageError{err}
	}
	if want >= 0 && flags.NArg() != want {
		return nil, usageError{fmt.Errorf("%s: want %d arguments, got %d", flags.Name(), want, flags.NArg())}
	}
	return flags.Args(), nil
}

// defaultName is the cluster's name when none is given.
const defaultName = "egk8s"

// currentName is the name of the cluster that the command is about when none is
// given: below run, that of its cluster.
func currentName() string {
	if name := os.Getenv(NameVariable); name != "" {
		return name
	}
	return defaultName
}

// named reads the flags of a command that has only --name.
func (a *app) named(command string, args []string, want int) (layout.Cluster, []string, error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	name := flags.String("name", currentName(), "name of the cluster")
	rest, err := a.parse(flags, args, want)
	if err != nil {
		return layout.Cluster{}, nil, err
	}
	if err := layout.CheckName(*name); err != nil {
		return layout.Cluster{}, nil, usageError{err}
	}
	return a.cache.Cluster(*name), rest, nil
}
