package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/stdio"
)

func newTestApp(env map[string]string) (*app.App, stdio.Buffers) {
	io, buffers := stdio.Test(env)
	return &app.App{
		IO: io, Flags: &app.Global{}, Now: time.Now,
		Getenv: func(k string) string { return env[k] }, Cancel: func(error) {}, Interrupt: func() {},
	}, buffers
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args string
		env  map[string]string
		want string
	}{
		{
			"unknown command", "verison", nil,
			"error: unknown command \"verison\" for \"egk8s\"\n" +
				"help: did you mean egk8s version?\n" +
				"usage: egk8s COMMAND [flags]      (egk8s --help)\n",
		},
		{
			"unknown flag", "version --colour always", nil,
			"error: unknown flag --colour for \"egk8s version\"\n" +
				"help: did you mean --color?\n" +
				"usage: egk8s version [flags]      (egk8s version --help)\n",
		},
		{
			"unknown letter", "version -x", nil,
			"error: unknown flag -x for \"egk8s version\"\n" +
				"usage: egk8s version [flags]      (egk8s version --help)\n",
		},
		{
			"argument too many", "version now", nil,
			"error: egk8s version takes no argument, got \"now\"\n" +
				"usage: egk8s version [flags]      (egk8s version --help)\n",
		},
		{
			"format that a command lacks", "version -o wide", nil,
			"error: --output \"wide\" is not one of json, yaml\n",
		},
		{
			"bad value", "version --progress plian", nil,
			"error: --progress \"plian\" is not one of auto, tui, plain, json, quiet\n" +
				"help: did you mean --progress plain?\n",
		},
		{
			"bad report", "version --report junit", nil,
			"error: --report junit: want KIND=PATH\n",
		},
		{
			"bad variable", "version",
			map[string]string{"EGK8S_NO_INPUT": "maybe"},
			"error: EGK8S_NO_INPUT=maybe is not a value for --no-input\n",
		},
		{
			"unknown topic", "help exit-cods", nil,
			"error: no command and no help topic named \"exit-cods\"\n" +
				"help: did you mean egk8s help exit-codes?\n" +
				"usage: egk8s help [COMMAND|TOPIC] [flags]      (egk8s help --help)\n",
		},
		{
			"no topic is near", "help everything", nil,
			"error: no command and no help topic named \"everything\"\n" +
				"help: topics: environment, exit-codes, differences, diagnoses, formats, ci, rbac\n" +
				"usage: egk8s help [COMMAND|TOPIC] [flags]      (egk8s help --help)\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, buffers := newTestApp(test.env)
			code := run(a, strings.Fields(test.args), make(chan os.Signal))
			if code != exit.Usage {
				t.Errorf("exit code %d, want %d", code, exit.Usage)
			}
			if diff := cmp.Diff(test.want, buffers.Err.String()); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
			if buffers.Out.Len() > 0 {
				t.Errorf("standard output is not empty: %s", buffers.Out)
			}
		})
	}
}

// TestEveryLeafRefusesArguments holds the rule that no command silently accepts words it ignores.
func TestEveryLeafRefusesArguments(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(nil)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Args == nil {
			t.Errorf("%s sets no Args", cmd.CommandPath())
		}
		if cmd.Short == "" {
			t.Errorf("%s has no short help", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(NewRoot(a))
}

func TestHelpTopics(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"environment", "exit-codes", "formats", "ci", "rbac"} {
		a, buffers := newTestApp(nil)
		if code := run(a, []string{"help", topic}, make(chan os.Signal)); code != exit.OK {
			t.Errorf("help %s ends with %d", topic, code)
		}
		if buffers.Out.Len() < 100 || buffers.Err.Len() > 0 {
			t.Errorf("help %s: %d bytes on standard output, %q on standard error", topic, buffers.Out.Len(), buffers.Err)
		}
	}
}

func TestPanicIsABug(t *testing.T) {
	t.Parallel()
	a, buffers := newTestApp(nil)
	a.Getenv = func(string) string { panic("boom") }
	if code := run(a, []string{"version"}, make(chan os.Signal)); code != exit.Bug {
		t.Errorf("exit code %d, want %d", code, exit.Bug)
	}
	if got := buffers.Err.String(); !strings.HasPrefix(got, "error: this is a bug in egk8s: panic: boom\n") {
		t.Errorf("standard error: %s", got)
	}
}
