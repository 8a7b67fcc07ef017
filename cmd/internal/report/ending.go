package report

import (
	"fmt"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// Ending is how a run ended.
type Ending struct {
	Verb   string // deploy, rollback, destroy, status, diff, check
	Result deployer.Result
	// Err is why it failed; nil when it did not.
	Err error
	// Explanation is what a person is told of Err, a few lines; empty when the causes say it all.
	Explanation string
	// Problems are what is wrong with files, where Err is that.
	Problems diag.Problems
	// Width is how wide the terminal is; 0: there is none.
	Width int
	// Body replaces the summary in markdown, of a command that has its own; empty: the run's.
	Body string
	// Document is what -o json prints; --report json writes the same.
	Document any
	// Targets are the ends of several targets in the order of their waves; then Result is their sum.
	Targets []TargetEnding
}

// TargetEnding is how one of several targets ended.
type TargetEnding struct {
	Name string
	Wave int
	Ending
}

// answers tells whether the command is a question, whose answer goes to standard output.
func (e Ending) answers() bool { return e.Verb == "status" || e.Verb == "diff" || e.Verb == "check" }

// Causes returns the diagnoses, the first one being the reason.
func (e Ending) Causes() []event.Cause { return e.Result.Failures }

// Headline returns the last word on a run, on one line.
func (e Ending) Headline(t theme.Theme) string {
	r := e.Result
	if e.Verb == "validate" {
		return e.validated(t)
	}
	parts := []string{}
	kind := theme.OK
	took := took(r.DurationMs)
	switch r.Outcome {
	case deployer.Succeeded:
		parts = append(parts, e.succeeded(took))
	case deployer.Unchanged:
		parts = append(parts, fmt.Sprintf("%s is unchanged%s", r.Name, on(r.Cloud)))
	case deployer.Planned:
		kind = theme.Idle
		parts = append(parts, fmt.Sprintf("%s: %s%s, nothing was applied", r.Name, plural(changed(r.Changes), "change"), on(r.Cloud)))
	case deployer.Skipped:
		kind = theme.Idle
		parts = append(parts, fmt.Sprintf("%s was not deployed%s", r.Name, to(r.Cloud)))
	case deployer.Unfinished:
		kind = theme.Warn
		parts = append(parts, fmt.Sprintf("%s is not finished%s after %s", r.Name, on(r.Cloud), took))
	case deployer.Interrupted:
		kind = theme.Warn
		parts = append(parts, fmt.Sprintf("%s was interrupted%s after %s", r.Name, on(r.Cloud), took))
	default:
		kind = theme.Fail
		parts = append(parts, fmt.Sprintf("%s failed%s after %s", r.Name, on(r.Cloud), took))
	}
	if r.Revision > 0 && kind == theme.OK {
		parts = append(parts, fmt.Sprintf("revision %d", r.Revision))
	}
	if r.Replicas > 0 && r.Outcome != deployer.Planned {
		parts = append(parts, fmt.Sprintf("%d/%d ready", r.Ready, r.Replicas))
	}
	if r.RolledBack {
		parts = append(parts, "rolled back")
	}
	if r.ExitCode != 0 {
		parts = append(parts, fmt.Sprintf("exit %d", r.ExitCode))
	}
	return t.Paint(kind, t.Sign(kind)+" "+parts[0]) + join("   ", parts[1:])
}

func (e Ending) validated(t theme.Theme) string {
	name := orElse(e.Result.Name, "project")
	if e.Err != nil {
		return t.Paint(theme.Fail, t.Sign(theme.Fail)+" "+name+" is not valid") + fmt.Sprintf("   %s   exit %d", plural(len(e.Problems), "problem"), e.Result.ExitCode)
	}
	return t.Paint(theme.OK, t.Sign(theme.OK)+" "+name+" is valid")
}

func (e Ending) succeeded(took string) string {
	switch e.Verb {
	case "destroy":
		return fmt.Sprintf("%s is destroyed, in %s", e.Result.Name, took)
	case "rollback":
		return fmt.Sprintf("%s is back at revision %d, in %s", e.Result.Name, e.Result.RestoredRevision, took)
	}
	return fmt.Sprintf("%s deployed%s in %s", e.Result.Name, to(e.Result.Cloud), took)
}

// Reach returns the lines under a good headline: what --prove found, where it answers and what to do next.
func (e Ending) Reach(t theme.Theme) []string {
	r := e.Result
	if e.Verb != "deploy" && e.Verb != "rollback" || (r.Outcome != deployer.Succeeded && r.Outcome != deployer.Unchanged) {
		return nil
	}
	lines := []string{}
	if r.Proof != nil {
		lines = append(lines, "  Traffic   "+r.Proof.String())
	}
	switch {
	case r.URL != "":
		lines = append(lines, "  Gateway   "+r.URL)
	case r.Reach != "":
		lines = append(lines, "  Gateway   "+r.Reach)
	}
	dot := " " + t.Lines().Dot + " "
	return append(
		lines,
		"  Admin     egk8s port-forward admin      (not exposed)",
		"  Next      egk8s status --watch"+dot+"egk8s logs --follow",
	)
}

func took(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Short(d)
}

// Short writes a duration as 42s, 4m10s, 2h, 9d.
func Short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		if s := int(d.Seconds()) % 60; s != 0 {
			return fmt.Sprintf("%dm%ds", int(d.Minutes()), s)
		}
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

func on(cloud string) string { return prefixed(" on ", cloud) }
func to(cloud string) string { return prefixed(" to ", cloud) }

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func join(sep string, parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(sep + p)
	}
	return b.String()
}

func changed(changes []deployer.Change) int {
	n := 0
	for _, c := range changes {
		if c.Action != event.Unchanged {
			n++
		}
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
