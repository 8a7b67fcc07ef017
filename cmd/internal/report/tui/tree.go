package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// objects draws the table of objects, children below their parents.
func (f *frame) objects() []string {
	entries := f.tree()
	if len(entries) == 0 {
		return nil
	}
	if entries = f.matching(entries); len(entries) == 0 {
		return []string{f.dim(" nothing matches \"" + plain(f.look.Filter) + "\"")}
	}
	if f.small {
		return f.column(entries)
	}
	nameWidth := len("NAME")
	for _, e := range entries {
		nameWidth = max(nameWidth, ansi.StringWidth(e.label))
	}
	nameWidth = min(nameWidth, f.look.Width*45/100)
	rows := []string{f.dim(fmt.Sprintf(" %-*s  %-14s %5s %5s  %s", nameWidth, "NAME", "STATUS", "READY", "FOR", "INFO"))}
	for _, e := range entries {
		f.row(e.object)
		kind, sign, word := f.state(e.object)
		status := pad(f.look.Theme.Paint(kind, sign)+" "+word, 14)
		lead, label := " ", pad(middle(e.label, nameWidth, f.look.Theme.Lines().Dots), nameWidth)
		if f.selected(e.object) {
			lead, label = selection, f.look.Theme.Paint(theme.Bold, label)
		}
		rows = append(rows, strings.TrimRight(fmt.Sprintf("%s%s  %s %5s %5s  %s", lead, label, status, ready(e.object),
			f.since(e.object), info(e.object)), " "))
	}
	return rows
}

// column draws one short line per object that matters in a narrow terminal: pods, and what is
// not ready.
func (f *frame) column(entries []entry) []string {
	rows := []string{}
	for _, e := range entries {
		o := e.object
		kind, sign, word := f.state(o)
		isPod := strings.HasPrefix(o.Name, "Pod/")
		busy := o.State == event.Waiting || o.State == event.Failed
		if !isPod && !busy {
			continue
		}
		f.row(o)
		if o.Message != "" && o.State != event.Ready {
			word = o.Message
		}
		name := strings.Replace(f.short(o.Name, true), "/", " ", 1)
		nameWidth := min(max(f.look.Width-ansi.StringWidth(word)-4, f.look.Width/2), 40)
		lead := " "
		if f.selected(o) {
			lead = selection
		}
		rows = append(rows, f.look.Theme.Paint(kind, sign)+lead+
			pad(middle(name, nameWidth, f.look.Theme.Lines().Dots), nameWidth)+" "+plain(word))
	}
	return rows
}

// selection marks the selected row, in the place of a blank.
const selection = ">"

func (f *frame) selected(o snapshot.Object) bool {
	return o.Name != "" && o.Name == f.look.Selected && !f.look.Final
}

// matching are the entries that hold the filter's text in any of their columns.
func (f *frame) matching(entries []entry) []entry {
	if f.look.Filter == "" || f.look.Final {
		return entries
	}
	text := strings.ToLower(f.look.Filter)
	var out []entry
	for _, e := range entries {
		o := e.object
		if strings.Contains(strings.ToLower(strings.Join([]string{o.Name, e.label, string(o.State), string(o.Action), o.Message}, "\n")), text) {
			out = append(out, e)
		}
	}
	return out
}

// since is for how long an object is as it is.
func (f *frame) since(o snapshot.Object) string {
	if o.Name == "" {
		return ""
	}
	return age(f.look.Now.Sub(o.Since))
}

// info is what is known besides the state; of what is new, "created" says it all.
func info(o snapshot.Object) string {
	if o.State == "" && o.Action == event.Created {
		return ""
	}
	return plain(o.Message)
}

type entry struct {
	object snapshot.Object
	label  string
}

// tree returns the objects in the order of the tree, each with its lines and its name.
func (f *frame) tree() []entry {
	known := map[string]bool{}
	children := map[string][]snapshot.Object{}
	for _, o := range f.s.Objects {
		known[o.Name] = true
	}
	unchanged := f.unchanged()
	for _, o := range f.s.Objects {
		if o.State == event.Gone || f.delivered(o) || (unchanged >= 3 && isUnchanged(o)) {
			continue
		}
		parent := o.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], o)
	}
	entries := []entry{}
	seen := map[string]bool{}
	var walk func(parent, prefix string, depth int)
	walk = func(parent, prefix string, depth int) {
		for i, o := range children[parent] {
			if seen[o.Name] {
				continue
			}
			seen[o.Name] = true
			branch, below := f.branch(depth, i == len(children[parent])-1)
			entries = append(entries, entry{o, prefix + branch + f.short(o.Name, depth > 0)})
			walk(o.Name, prefix+below, depth+1)
		}
	}
	walk("", "", 0)
	if unchanged >= 3 {
		entries = append(entries, entry{snapshot.Object{Action: event.Unchanged, Since: f.s.Last}, fmt.Sprintf("%d other objects", unchanged)})
	}
	return entries
}

// delivered tells of an image whose phase is over: the phase's line says it.
func (f *frame) delivered(o snapshot.Object) bool {
	if o.Progress == nil || o.Progress.Unit != "bytes" {
		return false
	}
	return o.Progress.Done >= o.Progress.Total && f.s.Current() != nil && f.s.Current().Name != o.Phase || f.look.Final
}

// unchanged counts the objects that nothing happened to: many of them are one row.
func (f *frame) unchanged() int {
	n := 0
	for _, o := range f.s.Objects {
		if isUnchanged(o) {
			n++
		}
	}
	return n
}

func isUnchanged(o snapshot.Object) bool {
	return o.Action == event.Unchanged && o.State == "" && o.Parent == ""
}

func (f *frame) branch(depth int, last bool) (branch, below string) {
	l := f.look.Theme.Lines()
	switch {
	case depth == 0:
		return "", ""
	case last:
		return l.Last, strings.Repeat(" ", ansi.StringWidth(l.Pipe))
	default:
		return l.Tee, l.Pipe
	}
}

// short leaves out the release's name, which every object's name begins with.
func (f *frame) short(name string, cut bool) string {
	kind, rest, found := strings.Cut(plain(name), "/")
	if !cut || !found || f.s.Target == "" || !strings.HasPrefix(rest, f.s.Target+"-") {
		return plain(name)
	}
	return kind + "/" + f.look.Theme.Lines().Dots + strings.TrimPrefix(rest, f.s.Target)
}

// state returns the sign and the word for how an object is.
func (f *frame) state(o snapshot.Object) (kind theme.Kind, sign, word string) {
	t := f.look.Theme
	switch o.State {
	case event.Ready:
		kind = theme.OK
	case event.Failed:
		kind = theme.Fail
	case event.Draining:
		kind = theme.Leaving
	case event.Waiting, event.Progressing:
		if f.look.Final {
			return theme.Warn, t.Sign(theme.Warn), string(o.State)
		}
		return theme.Busy, t.Spinner(f.look.Tick), string(o.State)
	case event.Gone:
		kind = theme.Idle
	default:
		if o.Progress != nil && o.Progress.Unit == "bytes" {
			return f.transfer(*o.Progress)
		}
		if o.Action == "" {
			return theme.Idle, t.Sign(theme.Idle), "-"
		}
		return theme.OK, t.Sign(theme.OK), string(o.Action)
	}
	return kind, t.Sign(kind), string(o.State)
}

// transfer is the state of something that is sent.
func (f *frame) transfer(c event.Count) (kind theme.Kind, sign, word string) {
	t := f.look.Theme
	switch {
	case c.Done >= c.Total:
		return theme.OK, t.Sign(theme.OK), "sent"
	case f.look.Final:
		return theme.Warn, t.Sign(theme.Warn), "sending"
	default:
		return theme.Busy, t.Spinner(f.look.Tick), "sending"
	}
}

func ready(o snapshot.Object) string {
	if o.Progress == nil {
		return ""
	}
	if o.Progress.Unit == "bytes" {
		if o.Progress.Total <= 0 {
			return ""
		}
		return fmt.Sprintf("%d%%", o.Progress.Done*100/o.Progress.Total)
	}
	return fmt.Sprintf("%d/%d", o.Progress.Done, o.Progress.Total)
}
