package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/gateway/diag"
)

// printError tells an error once: what, where, what was meant, what next. It says nothing of an
// error that a command has shown already, nor of a reader who went away.
func printError(a *app.App, err error) {
	var own *exit.Error
	if err == nil || errors.Is(err, syscall.EPIPE) || (errors.As(err, &own) && own.Shown) {
		return
	}
	t := a.ErrTheme()
	var problems diag.Problems
	if errors.As(err, &problems) {
		printProblems(a, problems)
		return
	}
	if exit.Of(err) == exit.Bug {
		printBug(a, err, nil)
		return
	}
	var usage *exit.UsageError
	if errors.As(err, &usage) {
		printUsage(a.IO.Err, t, usage)
		return
	}
	message, hints := describe(a, err)
	fmt.Fprintf(a.IO.Err, "%s %s\n", t.Paint(theme.Fail, "error:"), message)
	printHints(a.IO.Err, t, hints)
}

func printUsage(w io.Writer, t theme.Theme, e *exit.UsageError) {
	fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Fail, "error:"), e.Message)
	if e.Help != "" {
		fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Busy, "help:"), e.Help)
	}
	printHints(w, t, e.Hint)
	if e.Command != "" {
		fmt.Fprintf(w, "usage: %s      (%s --help)\n", e.UseLine, e.Command)
	}
}

func printHints(w io.Writer, t theme.Theme, hints []string) {
	for i, h := range hints {
		if i == 0 {
			fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Busy, "hint:"), h)
			continue
		}
		fmt.Fprintf(w, "      %s\n", h)
	}
}

// describe returns the message of an error of the deployer and what to do next.
func describe(a *app.App, err error) (message string, hints []string) {
	message = err.Error()
	var (
		noConfig    *deployer.NoConfigError
		unreachable *deployer.UnreachableError
		forbidden   *deployer.ForbiddenError
		conflict    *deployer.ConflictError
		immutable   *deployer.ImmutableError
		locked      *deployer.LockedError
		newer       *deployer.NewerRecordError
		settings    *deployer.SettingsError
		check       *deployer.CheckError
		missing     *deployer.NotDeployedError
	)
	switch {
	case errors.As(err, &noConfig):
		return describeNoConfig(a, noConfig)
	case errors.As(err, &unreachable):
		hints = []string{"is the cluster up, and is it the right one? kubectl config get-contexts"}
	case errors.As(err, &forbidden):
		hints = []string{"the rights egk8s needs: egk8s help rbac"}
	case errors.As(err, &conflict):
		hints = []string{"leave it out of egk8s.yaml, or take it over with --force-conflicts"}
	case errors.As(err, &immutable):
		hints = []string{"egk8s destroy removes the release; the next egk8s deploy makes it anew"}
	case errors.As(err, &locked):
		hints = []string{"wait for it, then run the same command again"}
	case errors.As(err, &newer):
		hints = []string{"use that version of egk8s, or a newer one"}
	case errors.As(err, &settings):
		hints = nonEmpty(settings.Hint)
	case errors.As(err, &check):
		hints = nonEmpty(check.Hint)
	case errors.As(err, &missing):
		hints = []string{"egk8s deploy puts it there"}
		if len(missing.Others) > 0 {
			hints = []string{"deployed there: " + strings.Join(missing.Others, ", ")}
		}
	}
	return message, hints
}

func describeNoConfig(a *app.App, e *deployer.NoConfigError) (string, []string) {
	switch {
	case e.Err != nil:
		return e.Error(), []string{"check the file, or pass another one with --kubeconfig FILE"}
	case len(e.Contexts) > 0:
		hints := []string{"contexts you have: " + strings.Join(e.Contexts, ", ")}
		if near := app.Nearest(e.Context, e.Contexts); near != "" {
			hints = append([]string{fmt.Sprintf("did you mean --context %s?", near)}, hints...)
		}
		return e.Error(), hints
	}
	message := "no cluster configured: KUBECONFIG is unset and ~/.kube/config is missing"
	if a.Flags.Kubeconfig != "" || a.Getenv("KUBECONFIG") != "" {
		message = fmt.Sprintf("no cluster configured: %s is missing or empty", strings.Join(e.Files, ", "))
	}
	return message, []string{
		"kind create cluster, or pass --kubeconfig FILE",
		"contexts you have: kubectl config get-contexts",
	}
}

func printProblems(a *app.App, problems diag.Problems) {
	for _, p := range problems {
		fmt.Fprintln(a.IO.Err, p.String())
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
