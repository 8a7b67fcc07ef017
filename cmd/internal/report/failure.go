package report

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Block returns the lines that explain why a run failed: the headline, the cause with its
// evidence, what still serves, and what to do. It is the same on a terminal, in a log and in
// the summary of a CI run. Lines of Foreign are a workload's words.
func Block(e Ending, t theme.Theme) []Line {
	lines := folded([]Line{{Text: e.Headline(t)}}, e.Width)
	if causes := e.Causes(); len(causes) > 0 {
		lines = append(lines, Line{})
		lines = append(lines, CauseLines(causes[0], t, e.Width)...)
		lines = append(lines, others(causes)...)
	}
	if e.Result.RolledBack {
		lines = append(lines, Line{}, Line{Text: "  The last good revision was rolled back to; it serves again."})
	}
	if e.Result.Evidence != "" {
		lines = append(lines, Line{}, Line{Text: "  Evidence: " + Clean(e.Result.Evidence)})
	}
	if len(e.Causes()) == 0 && e.Explanation != "" {
		lines = append(lines, Line{})
		for l := range strings.SplitSeq(strings.TrimRight(e.Explanation, "\n"), "\n") {
			lines = append(lines, Line{Text: "  " + l})
		}
	}
	return lines
}

// maxOthers is how many further causes are named.
const maxOthers = 4

// others names the further causes, which the first one most likely explains.
func others(causes []event.Cause) []Line {
	lines := []Line{}
	said := map[string]bool{causes[0].Message: true}
	more := 0
	for _, c := range causes[1:] {
		if said[c.Message] {
			continue
		}
		said[c.Message] = true
		if len(lines) == maxOthers {
			more++
			continue
		}
		lines = append(lines, Line{Text: "  also:  " + Clean(c.Object) + ": " + Clean(c.Message)})
	}
	if more > 0 {
		lines = append(lines, Line{Text: fmt.Sprintf("         and %d more (-o json lists all)", more)})
	}
	if len(lines) > 0 {
		lines = append([]Line{{}}, lines...)
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

// readable is how wide prose is where no terminal says how wide it is.
const readable = 100

// CauseLines explains one cause, its evidence and what to do. Prose is folded to width columns and so
// are quoted lines; with 0 quoted lines are left as they are.
func CauseLines(c event.Cause, t theme.Theme, width int) []Line {
	l := t.Lines()
	lines := []Line{}
	prose := readable
	if width > 0 {
		prose = max(min(width, readable), 20)
	}
	for text := range strings.SplitSeq(ansi.Wrap(Clean(c.Message), prose-2, "/,:"), "\n") {
		lines = append(lines, Line{Text: "  " + strings.TrimSpace(text)})
	}
	where := Clean(c.Object)
	if c.Container != "" {
		where += ", container " + Clean(c.Container)
	}
	if c.Pods > 1 {
		where = fmt.Sprintf("%d of %d pods, the first %s", c.Pods, max(c.Pods, c.OfPods), where)
	}
	add := func(text string) { lines = append(lines, Line{Text: text}) }
	quote := func(text string) {
		text = Clean(text)
		if room := width - 7; width > 20 {
			text = ansi.Wrap(text, room, "")
		}
		for part := range strings.SplitSeq(text, "\n") {
			lines = append(lines, Line{Text: "     " + l.Quote + strings.TrimRight(part, " "), Foreign: true})
		}
	}
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
	return folded(append(lines, advice(c)...), width)
}

// Fold breaks the lines of text between words so that none is wider than width columns; 0 leaves them.
func Fold(text string, width int) string {
	lines := []Line{}
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		lines = append(lines, Line{Text: l})
	}
	return Text(folded(lines, width))
}

// folded breaks lines between words so that they fit width columns, further lines as far to the right as
// the words of the first; 0 leaves them as they are.
func folded(lines []Line, width int) []Line {
	if width <= 0 {
		return lines
	}
	out := []Line{}
	for _, l := range lines {
		if l.Foreign || ansi.StringWidth(l.Text) <= width {
			out = append(out, l)
			continue
		}
		indent := l.Text[:len(l.Text)-len(strings.TrimLeft(l.Text, " "))]
		further := indent + "  "
		for i, part := range strings.Split(ansi.Wrap(strings.TrimSpace(l.Text), max(width-len(further), 8), "/,"), "\n") {
			if i > 0 {
				indent = further
			}
			out = append(out, Line{Text: indent + strings.TrimSpace(part)})
		}
	}
	return out
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
	text := fmt.Sprintf("%-4s %s  %-9s %s", Short(e.Age), e.Type, e.Reason, e.Message)
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
