// Package explain tells an error to a person: what, where, what was meant, what next. The text is the
// same on a terminal, in a log and in the report of a CI system.
package explain

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/gateway/diag"
)

// Silent tells whether nothing is to be said of an error: a command has shown it already, the reader
// of a pipe went away, or a signal ended a command that only watched.
func Silent(err error) bool {
	var own *exit.Error
	return err == nil || errors.Is(err, syscall.EPIPE) || (errors.As(err, &own) && own.Shown)
}

// Write tells an error.
func Write(w io.Writer, a *app.App, t theme.Theme, err error) {
	var problems diag.Problems
	var usage *exit.UsageError
	switch {
	case errors.As(err, &problems):
		Problems(w, t, problems)
	case errors.As(err, &usage):
		writeUsage(w, t, usage)
	case errors.Is(err, deployer.ErrDetached):
		fmt.Fprintln(w, "You stopped watching; the rollout continues in the cluster.")
		writeHints(w, t, []string{"egk8s status --watch"})
	case exit.Of(err) == exit.Bug:
		Bug(w, err, nil)
	default:
		message, hints := describe(a, err)
		width := 0
		if a.IO.ErrTTY {
			width, _ = a.IO.Size()
		}
		fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Fail, "error:"), fold(report.Clean(message), width))
		for i, h := range hints {
			hints[i] = fold(report.Clean(h), width)
		}
		writeHints(w, t, hints)
	}
}

// fold breaks text between words so that it fits a terminal, further lines below the first word
// after "error: " and "hint: ". Without a terminal it stays one line.
func fold(text string, width int) string {
	const indent = 7
	if width < 2*indent {
		return text
	}
	return strings.ReplaceAll(ansi.Wordwrap(text, width-indent, ""), "\n", "\n"+strings.Repeat(" ", indent-1))
}

// Text is what Write writes, without colour.
func Text(a *app.App, err error) string {
	if err == nil {
		return ""
	}
	var b strings.Builder
	Write(&b, a, theme.Theme{ASCII: a.IO.ASCII()}, err)
	return b.String()
}

// Bug tells an error that no command knows: it is ours.
func Bug(w io.Writer, err error, stack []byte) {
	fmt.Fprintf(w, "error: this is a bug in egk8s: %v\n", err)
	fmt.Fprintln(w, "hint: please report it with the command line and the output of egk8s version")
	for line := range strings.Lines(string(stack)) {
		fmt.Fprint(w, "  ", line)
	}
}

func writeUsage(w io.Writer, t theme.Theme, e *exit.UsageError) {
	fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Fail, "error:"), e.Message)
	if e.Help != "" {
		fmt.Fprintf(w, "%s %s\n", t.Paint(theme.Busy, "help:"), e.Help)
	}
	writeHints(w, t, e.Hint)
	if e.Command != "" {
		fmt.Fprintf(w, "usage: %s      (%s --help)\n", e.UseLine, e.Command)
	}
}

func writeHints(w io.Writer, t theme.Theme, hints []string) {
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
		stale       *deployer.StalePlanError
		timeout     *deployer.TimeoutError
		settings    *deployer.SettingsError
		check       *deployer.CheckError
		missing     *deployer.NotDeployedError
		interrupted *deployer.InterruptedError
		imageError  *image.Error
		cloudError  *deployer.CloudError
		own         *exit.Error
	)
	switch {
	case errors.As(err, &own) && len(own.Hint) > 0:
		hints = own.Hint
	case errors.As(err, &interrupted):
		hints = describeInterrupted(interrupted)
	case errors.As(err, &imageError):
		hints = nonEmpty(imageError.Hint)
	case errors.As(err, &cloudError):
		hints = nonEmpty(cloudError.Advice)
	case errors.As(err, &noConfig):
		return describeNoConfig(a, noConfig)
	case errors.As(err, &unreachable):
		hints = append(loopbackHint(unreachable.Server), "is the cluster up, and is it the right one? kubectl config get-contexts")
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
	case errors.As(err, &timeout) && timeout.Evidence != "":
		hints = []string{"what explains it is kept in " + timeout.Evidence}
	case errors.As(err, &stale):
		hints = []string{"look at what would be done now, and plan again: egk8s deploy --plan-out FILE"}
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

// loopbackHint is for the kubeconfig of a node, such as k3s writes, that was copied to another machine.
func loopbackHint(server string) []string {
	u, err := url.Parse(server)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(u.Hostname()); (err != nil || !ip.IsLoopback()) && u.Hostname() != "localhost" {
		return nil
	}
	return []string{"the kubeconfig leads to this machine itself; if it was copied from a node, as k3s writes it, put the node's address in: " +
		"kubectl config set-cluster NAME --server https://ADDRESS:" + cmp.Or(u.Port(), "6443")}
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

// Problems writes what is wrong with files, each with the line it stands in.
func Problems(w io.Writer, t theme.Theme, problems diag.Problems) {
	_ = diag.Write(w, problems, os.ReadFile, diag.Style{Colour: t.Color})
}

func describeInterrupted(e *deployer.InterruptedError) []string {
	hints := []string{"applied: " + list(e.Applied)}
	if len(e.Pending) > 0 {
		hints = append(hints, "not sent: "+list(e.Pending))
	}
	return append(hints, "the same egk8s deploy goes on from here; egk8s status shows how it is")
}

func list(changes []deployer.Change) string {
	names := []string{}
	for _, c := range changes {
		if c.Action != event.Unchanged {
			names = append(names, c.Kind+"/"+c.Name)
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
