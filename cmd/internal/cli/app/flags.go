package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// Global are the flags that every command has.
type Global struct {
	File       string
	Env        string
	Namespace  string
	Context    string
	Kubeconfig string
	As         string
	AsGroups   []string
	Output     string
	Progress   string
	Quiet      bool
	Color      string
	NoInput    bool
	Verbose    int
	LogFormat  string
	CI         string
	Reports    []string
}

// The values of --progress.
const (
	ProgressAuto  = "auto"
	ProgressTUI   = "tui"
	ProgressPlain = "plain"
	ProgressJSON  = "json"
	ProgressQuiet = "quiet"
)

// Bind defines the global flags.
func (g *Global) Bind(fs *pflag.FlagSet) {
	fs.StringVarP(&g.File, "file", "f", "egk8s.yaml", "project `FILE`; - reads it from standard input")
	fs.StringVarP(&g.Env, "env", "e", "", "`NAME` of an environment of the project file")
	fs.StringVarP(&g.Namespace, "namespace", "n", "", "`NAMESPACE` (default: the project's, then the context's)")
	fs.StringVar(&g.Context, "context", "", "`NAME` of a kubeconfig context (default: the project's, then the current one)")
	fs.StringVar(&g.Kubeconfig, "kubeconfig", "", "kubeconfig `FILE` (default: $KUBECONFIG, then ~/.kube/config)")
	fs.StringVarP(&g.Output, "output", "o", "", "`FORMAT` of the result on standard output (egk8s help formats)")
	fs.StringVar(&g.Progress, "progress", ProgressAuto, "how progress is shown: auto, tui, plain, json or quiet")
	fs.BoolVarP(&g.Quiet, "quiet", "q", false, "the same as --progress quiet")
	fs.StringVar(&g.Color, "color", "auto", "colour: auto, always or never")
	fs.BoolVar(&g.NoInput, "no-input", false, "never ask; a missing answer is an error")
	fs.CountVarP(&g.Verbose, "verbose", "v", "say more (repeatable)")
	fs.StringVar(&g.LogFormat, "log-format", "text", "format of what -v logs: text or json")
	fs.StringVar(&g.CI, "ci", "auto", "write for a CI system: auto, github, gitlab or none")
	fs.StringArrayVar(&g.Reports, "report", nil, "also write a report, `KIND=PATH`; kinds: junit, json, markdown, dotenv")
	fs.StringVar(&g.As, "as", "", "`USER` to act as")
	fs.StringArrayVar(&g.AsGroups, "as-group", nil, "`GROUP` to act as (repeatable)")
	for _, name := range []string{"as", "as-group"} {
		_ = fs.MarkHidden(name)
	}
}

// FlagVariables names the variable that gives a flag its value when it is not on the command line.
func FlagVariables() map[string]string {
	return map[string]string{
		"file": "EGK8S_FILE", "env": "EGK8S_ENV", "cloud": "EGK8S_CLOUD", "namespace": "EGK8S_NAMESPACE",
		"context": "EGK8S_CONTEXT", "timeout": "EGK8S_TIMEOUT", "progress": "EGK8S_PROGRESS",
		"color": "EGK8S_COLOR", "no-input": "EGK8S_NO_INPUT", "log-format": "EGK8S_LOG_FORMAT",
	}
}

// FromEnvironment fills the flags of a command that were not given from EGK8S_ variables.
func FromEnvironment(cmd *cobra.Command, getenv func(string) string) error {
	for name, variable := range FlagVariables() {
		flag := cmd.Flags().Lookup(name)
		value := getenv(variable)
		if flag == nil || flag.Changed || value == "" {
			continue
		}
		if err := cmd.Flags().Set(name, value); err != nil {
			return &exit.UsageError{Message: fmt.Sprintf("%s=%s is not a value for --%s", variable, value, name)}
		}
	}
	return nil
}

// Check tells whether the values of the global flags are among those that exist.
func (g *Global) Check() error {
	checks := []struct {
		flag, value string
		allowed     []string
	}{
		{"progress", g.Progress, []string{ProgressAuto, ProgressTUI, ProgressPlain, ProgressJSON, ProgressQuiet}},
		{"color", g.Color, []string{"auto", "always", "never"}},
		{"log-format", g.LogFormat, []string{"text", "json"}},
		{"ci", g.CI, []string{"auto", "github", "gitlab", "none"}},
	}
	for _, c := range checks {
		if err := OneOf(c.flag, c.value, c.allowed); err != nil {
			return err
		}
	}
	for _, r := range g.Reports {
		kind, path, found := strings.Cut(r, "=")
		if !found || path == "" {
			return &exit.UsageError{Message: fmt.Sprintf("--report %s: want KIND=PATH", r)}
		}
		if err := OneOf("report", kind, []string{"junit", "json", "markdown", "dotenv"}); err != nil {
			return err
		}
	}
	if g.Quiet {
		g.Progress = ProgressQuiet
	}
	return nil
}

// OneOf returns a UsageError with a suggestion when value is not allowed for a flag.
func OneOf(flag, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	e := &exit.UsageError{
		Message: fmt.Sprintf("--%s %q is not one of %s", flag, value, strings.Join(allowed, ", ")),
	}
	if near := Nearest(value, allowed); near != "" {
		e.Help = fmt.Sprintf("did you mean --%s %s?", flag, near)
	}
	return e
}

// FailOn checks the value of --fail-on; empty: nothing is refused.
func FailOn(value string) error {
	if value == "" {
		return nil
	}
	return OneOf("fail-on", value, []string{"breaking", "review"})
}

const formatsKey = "formats"

// Formats declares which values of -o a command accepts.
func Formats(cmd *cobra.Command, formats ...string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[formatsKey] = strings.Join(formats, ",")
}

// FormatsOf returns the values of -o that a command accepts.
func FormatsOf(cmd *cobra.Command) []string {
	if declared := cmd.Annotations[formatsKey]; declared != "" {
		return strings.Split(declared, ",")
	}
	return nil
}

// CheckFormat tells whether the command can write the format that -o asks for.
func CheckFormat(cmd *cobra.Command, output string) error {
	if output == "" {
		return nil
	}
	declared := FormatsOf(cmd)
	if declared == nil {
		return Usage(cmd, fmt.Sprintf("%s has no --output", cmd.CommandPath()))
	}
	return OneOf("output", output, declared)
}
