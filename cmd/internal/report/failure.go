package report

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Block returns the lines that explain why a run failed: the headline, the cause with its
// evidence, what still serves, and what to do. It is the same on a terminal, in a log and in
// the summary of a CI run. Lines of Foreign are a workload's words.
func Block(e Ending, t theme.Theme) []Line {
	lines := []Line{{Text: e.Headline(t)}}
	for i, c := range e.Causes() {
		lines = append(lines, Line{})
		if i == 3 {
			return append(lines, Line{Text: fmt.Sprintf("  and %s (-o json lists all)", plural(len(e.Causes())-i, "more cause"))})
		}
		lines = append(lines, CauseLines(c, t)...)
	}
	if len(e.Causes()) == 0 && e.Explanation != "" {
		lines = append(lines, Line{})
		for l := range strings.SplitSeq(strings.TrimRight(e.Explanation, "\n"), "\n") {
			lines = append(lines, Line{Text: "  " + l})
		}
	}
	return lines
}

// Line is a line of a report.
type Line struct {
	Text string
	// Foreign is true for words of a workload, which must not be taken for commands.
	Foreign bool
}

// Text joins lines, each with a line end.
func Text(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// CauseLines explains one cause, its evidence and what to do.
func CauseLines(c event.Cause, t theme.Theme) []Line {
	l := t.Lines()
	lines := []Line{{Text: "  " + Clean(c.Message)}}
	where := Clean(c.Object)
	if c.Container != "" {
		where += ", container " + Clean(c.Container)
	}
	add := func(text string) { lines = append(lines, Line{Text: text}) }
	quote := func(text string) { lines = append(lines, Line{Text: "     " + l.Quote + Clean(text), Foreign: true}) }
	if where != "" {
		add("  " + l.Last + where)
	}
	if facts := facts(c); facts != "" {
		add("     " + facts)
	}
	if len(c.Logs) > 0 {
		add("     last log lines" + map[bool]string{true: " (previous container)"}[c.Previous] + ":")
		for _, text := range c.Logs {
			quote(text)
		}
	}
	if len(c.Events) > 0 {
		add("     events:")
		for _, e := range c.Events {
			quote(kubeEvent(e))
		}
	}
	return append(lines, advice(c)...)
}

func facts(c event.Cause) string {
	parts := []string{}
	if c.Reason != "" {
		parts = append(parts, Clean(c.Reason))
	}
	if c.Restarts > 0 {
		parts = append(parts, plural(c.Restarts, "restart"))
	}
	if c.ExitCode != nil {
		parts = append(parts, fmt.Sprintf("exit code %d", *c.ExitCode))
	}
	return strings.Join(parts, ", ")
}

func kubeEvent(e event.KubeEvent) string {
	text := fmt.Sprintf("%s  %s  %-9s %s", Short(e.Age), e.Type, e.Reason, e.Message)
	if e.Count > 1 {
		text += fmt.Sprintf(" (x%d)", e.Count)
	}
	return text
}

func advice(c event.Cause) []Line {
	lines := []Line{}
	if c.Serving != "" || c.Fix != "" || c.File != "" || len(c.Next) > 0 {
		lines = append(lines, Line{})
	}
	if c.Serving != "" {
		lines = append(lines, Line{Text: "  " + Clean(c.Serving)})
	}
	if c.File != "" {
		lines = append(lines, Line{Text: "  where: " + position(c)})
	}
	if c.Fix != "" {
		lines = append(lines, Line{Text: "  fix:   " + Clean(c.Fix)})
	}
	for i, next := range c.Next {
		word := "or:   "
		if i == 0 {
			word = "then: "
		}
		lines = append(lines, Line{Text: "  " + word + " " + Clean(next)})
	}
	return lines
}

func position(c event.Cause) string {
	switch {
	case c.Line == 0:
		return c.File
	case c.Column == 0:
		return fmt.Sprintf("%s:%d", c.File, c.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", c.File, c.Line, c.Column)
	}
}
