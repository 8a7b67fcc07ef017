package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// maxAnnotations is one below what GitHub shows of a step, so that the last can say how many more
// there are.
const maxAnnotations = 9

// maxSummary is what GitHub takes as the summary of a step, in bytes.
const maxSummary = 1 << 20

// GitHubActions writes annotations for problems in files, the outputs of the step, and its summary.
type GitHubActions struct {
	log     io.Writer // where the runner looks for commands
	output  string    // file of $GITHUB_OUTPUT
	summary string    // file of $GITHUB_STEP_SUMMARY
	json    bool      // the log is NDJSON: no annotations in it
	snaps   snapshots
}

// NewGitHub returns a GitHubActions for the step that runs us.
func NewGitHub(a *app.App) *GitHubActions {
	return &GitHubActions{
		log: a.IO.Err, output: a.Getenv("GITHUB_OUTPUT"), summary: a.Getenv("GITHUB_STEP_SUMMARY"),
		json: Mode(a) == app.ProgressJSON,
	}
}

// Emit takes the event in.
func (g *GitHubActions) Emit(e event.Event) { g.snaps.apply(e) }

// Beat does nothing.
func (g *GitHubActions) Beat(time.Time) {}

// Close writes all three.
func (g *GitHubActions) Close(e Ending) {
	if problems := append(causeProblems(e.allCauses()), e.Problems...); len(problems) > 0 && !g.json {
		_, _ = io.WriteString(g.log, Annotations(problems))
	}
	if err := appendFile(g.output, Outputs(e)); err != nil {
		fmt.Fprintf(g.log, "warning: write step outputs: %v\n", err)
	}
	summary := g.snaps.markdown(e)
	if len(summary) > maxSummary {
		summary = strings.ToValidUTF8(summary[:maxSummary-100], "") + "\n\n(cut)\n"
	}
	if err := appendFile(g.summary, summary); err != nil {
		fmt.Fprintf(g.log, "warning: write step summary: %v\n", err)
	}
}

// Annotations returns workflow commands for the problems that name a file, at most as many as
// GitHub shows.
func Annotations(problems diag.Problems) string {
	var b strings.Builder
	n := 0
	for _, p := range problems {
		if p.File == "" {
			continue
		}
		n++
		if n <= maxAnnotations {
			b.WriteString(annotation(p))
		}
	}
	if more := n - maxAnnotations; more > 0 {
		fmt.Fprintf(&b, "::error title=egk8s::and %s (the log lists all)\n", plural(more, "more problem"))
	}
	return b.String()
}

func annotation(p diag.Problem) string {
	level := "error"
	if p.Severity == diag.Warning {
		level = "warning"
	}
	props := []string{"file=" + escapeProperty(p.File)}
	if p.Line > 0 {
		props = append(props, fmt.Sprintf("line=%d", p.Line))
	}
	if p.Column > 0 {
		props = append(props, fmt.Sprintf("col=%d", p.Column), fmt.Sprintf("endColumn=%d", p.Column+max(p.Length, 1)))
	}
	props = append(props, "title="+escapeProperty("egk8s: "+p.Code))
	message := p.Message
	if p.Label != "" {
		message += ": " + p.Label
	}
	if p.Suggestion != "" {
		message += fmt.Sprintf(" (did you mean %q?)", p.Suggestion)
	}
	return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(props, ","), escapeData(message))
}

// Outputs returns the step's outputs in the form of $GITHUB_OUTPUT.
func Outputs(e Ending) string {
	var b strings.Builder
	for _, kv := range facts8(e) {
		fmt.Fprintf(&b, "%s=%s\n", variable(kv.name, '-'), Clean(kv.value))
	}
	return b.String()
}

// variable makes a name that every shell and CI system takes, with joint in the place of what they do not.
func variable(name string, joint rune) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return joint
	}, name)
}

type pair struct{ name, value string }

// facts8 are the few facts that later steps of a pipeline use.
func facts8(e Ending) []pair {
	r := e.Result
	if len(e.Targets) > 0 {
		return sumFacts(e)
	}
	return []pair{
		{"outcome", string(r.Outcome)},
		{"exit-code", fmt.Sprint(r.ExitCode)},
		{"name", r.Name},
		{"revision", fmt.Sprint(r.Revision)},
		{"url", r.URL},
		{"image", r.Image},
		{"changed", fmt.Sprint(r.Outcome != deployer.Unchanged && changed(r.Changes) > 0)},
	}
}

// Dotenv returns the same facts as NAME=value lines, as GitLab's dotenv reports want them.
func Dotenv(e Ending) string {
	var b strings.Builder
	for _, kv := range facts8(e) {
		name := "EGK8S_" + strings.ToUpper(variable(kv.name, '_'))
		fmt.Fprintf(&b, "%s=%s\n", name, Clean(kv.value))
	}
	return b.String()
}

func causeProblems(causes []event.Cause) diag.Problems {
	problems := diag.Problems{}
	for _, c := range causes {
		if c.File == "" {
			continue
		}
		problems = append(problems, diag.Problem{
			Code: c.Code, Severity: diag.Error, Message: c.Message,
			Position: diag.Position{File: c.File, Line: c.Line, Column: c.Column},
		})
	}
	return problems
}

// escapeData escapes the text of a workflow command.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty escapes a property of a workflow command.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

func appendFile(path, text string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if _, err := f.WriteString(text); err != nil {
		_ = f.Close()
		return fmt.Errorf("append: %w", err)
	}
	return f.Close()
}
