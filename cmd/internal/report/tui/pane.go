package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Pane is a part of the view that is looked at alone.
type Pane string

// The panes.
const (
	NoPane  Pane = ""
	Details Pane = "details" // what is known of the selected object
	Logs    Pane = "logs"    // of the selected pod, else of all
	Events  Pane = "events"  // of Kubernetes about the selected object, else about all
	Help    Pane = "keys"
)

// fed tells whether lines come in while the pane is looked at.
func (p Pane) fed() bool { return p == Logs || p == Events }

// focus is a frame of one pane: the header, the newest phase, the pane, the keys.
func (f *frame) focus() []string {
	lines := []string{f.header()}
	if phases := f.phases(); len(phases) > 0 && f.look.Height >= 10 {
		lines = append(lines, phases[len(phases)-1])
	}
	if !f.small {
		lines = append(lines, "")
	}
	foot := f.paneKeys()
	if f.look.Asking {
		foot = f.footer()
	}
	lines = append(lines, f.paneTitle())
	room := max(f.look.Height-len(lines)-1, 1)
	lines = append(lines, f.paneLines(room)...)
	return append(lines, foot)
}

func (f *frame) paneTitle() string {
	about := f.look.Selected
	switch {
	case f.look.Pane == Help:
		return f.look.Theme.Paint(theme.Bold, " Keys")
	case f.look.Pane == Logs && !strings.HasPrefix(about, "Pod/"):
		about = "all pods"
	case about == "":
		about = "all objects"
	}
	return f.look.Theme.Paint(theme.Bold, " "+plain(about)) + f.dim(" "+f.look.Theme.Lines().Dot+" "+string(f.look.Pane))
}

// paneLines are at most room lines: the newest of a pane that is fed, the first of another, scrolled.
func (f *frame) paneLines(room int) []string {
	all := f.content(room + f.look.Offset)
	if len(all) == 0 {
		return []string{f.dim(" nothing yet")}
	}
	first := min(f.look.Offset, max(len(all)-room, 0))
	if f.look.Pane.fed() {
		first = max(len(all)-room, 0) - first
	}
	return all[first:min(first+room, len(all))]
}

// content is everything that is in the pane, or of what is fed at least the last lines.
func (f *frame) content(last int) []string {
	switch f.look.Pane {
	case Details:
		return f.details()
	case Help:
		return f.help()
	case Logs, Events:
		return f.lines(last)
	case NoPane:
	}
	return nil
}

// lines are the fed lines, wrapped: no more of them than it takes to have the last ones.
func (f *frame) lines(last int) []string {
	var lines []string // the newest first
	if f.look.Note != "" {
		lines = append(lines, f.dim(" "+plain(f.look.Note)))
	}
	for _, l := range slices.Backward(f.look.Lines) {
		if len(lines) >= last {
			break
		}
		parts := strings.Split(ansi.Hardwrap(plain(l), max(f.look.Width-1, 1), true), "\n")
		for _, part := range slices.Backward(parts) {
			lines = append(lines, " "+part)
		}
	}
	slices.Reverse(lines)
	return lines
}

func (f *frame) paneKeys() string {
	dot := " " + f.look.Theme.Lines().Dot + " "
	if f.small {
		return f.dim("esc back")
	}
	keys := " up/down scroll" + dot
	if f.look.Pane != Help && f.look.Feeds {
		keys += "l logs" + dot + "e events" + dot
	}
	return f.dim(keys + "esc back")
}

func (f *frame) help() []string {
	leave := "stop watching; the rollout goes on in the cluster"
	if f.s.Header.Verb == "status" {
		leave = "quit"
	}
	keys := [][2]string{
		{"up, down, j, k", "select an object, or scroll"},
		{"enter", "what is known of it"},
		{"l", "its log, of every pod when it is none"},
		{"e", "what Kubernetes says about it"},
		{"/", "show only what holds a text"},
		{"esc", "close the pane, the filter, the selection"},
		{"tab", "the next of several targets"},
		{"q", leave},
		{"ctrl+c", "interrupt; twice: leave at once"},
	}
	var lines []string
	for _, k := range keys {
		if !f.look.Feeds && (k[0] == "l" || k[0] == "e") || len(f.look.Tabs) == 0 && k[0] == "tab" {
			continue
		}
		lines = append(lines, fmt.Sprintf(" %-15s %s", k[0], k[1]))
	}
	return lines
}

// details is what is known of the selected object.
func (f *frame) details() []string {
	o := f.s.Find(f.look.Selected)
	if o == nil {
		return []string{f.dim(" it is gone")}
	}
	kind, sign, word := f.state(*o)
	lines := []string{field("status", f.look.Theme.Paint(kind, sign)+" "+word+f.dim(" for "+age(f.look.Now.Sub(o.Since))))}
	for _, l := range [][2]string{
		{"info", o.Message},
		{"ready", ready(*o)},
		{"applied", string(o.Action)},
		{"phase", string(o.Phase)},
		{"part of", f.parents(*o)},
		{"known for", age(f.look.Now.Sub(o.First))},
	} {
		if l[1] != "" {
			lines = append(lines, field(l[0], plain(l[1])))
		}
	}
	for _, child := range f.s.Objects {
		if child.Parent == o.Name {
			kind, sign, word := f.state(child)
			lines = append(lines, field("has", plain(child.Name)+"  "+f.look.Theme.Paint(kind, sign)+" "+word))
		}
	}
	for _, c := range f.s.Causes {
		if c.Object == o.Name {
			lines = append(lines, "")
			lines = append(lines, f.cause(c)...)
		}
	}
	return lines
}

func field(name, text string) string { return fmt.Sprintf(" %-10s %s", name, text) }

// parents are the owners of an object, the nearest first.
func (f *frame) parents(o snapshot.Object) string {
	var names []string
	for p := f.s.Find(o.Parent); p != nil && !slices.Contains(names, p.Name); p = f.s.Find(p.Parent) {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// cause is why an object fails, with the evidence.
func (f *frame) cause(c event.Cause) []string {
	t, quote := f.look.Theme, f.look.Theme.Lines().Quote
	lines := []string{t.Paint(theme.Fail, " "+t.Sign(theme.Fail)+" "+plain(c.Message))}
	why := []string{c.Reason}
	if c.ExitCode != nil {
		why = append(why, fmt.Sprintf("exit code %d", *c.ExitCode))
	}
	if c.Restarts > 0 {
		why = append(why, fmt.Sprintf("%d restarts", c.Restarts))
	}
	lines = append(lines, field("reason", plain(strings.Join(why, ", "))))
	for _, l := range c.Logs {
		lines = append(lines, field("log", quote+plain(l)))
	}
	for _, e := range c.Events {
		lines = append(lines, field("event", quote+age(e.Age.Truncate(time.Second))+" "+plain(e.Reason+" "+e.Message)))
	}
	if c.Fix != "" {
		lines = append(lines, field("fix", plain(c.Fix)))
	}
	for _, command := range c.Next {
		lines = append(lines, field("then", plain(command)))
	}
	return lines
}
