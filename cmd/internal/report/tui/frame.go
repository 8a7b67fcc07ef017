package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Look is everything besides the snapshot that decides how a frame looks.
type Look struct {
	Theme  theme.Theme
	Now    time.Time
	Width  int
	Height int // 0: as many rows as it takes
	// Tick counts redraws; it moves the spinner.
	Tick int
	// Asking shows the question whether to stop watching.
	Asking bool
	// Selected is the object that the keys are about, as Kind/name; empty: none.
	Selected string
	// Filter is a text that the rows of objects must hold; Typing tells that it is being written.
	Filter string
	Typing bool
	// Pane is what stands in the place of the table, Lines what is in it where it is fed (Logs, Events), and Note why
	// there is nothing more. Offset is by how many lines it is scrolled, from its end where it is fed, else from its top.
	Pane   Pane
	Lines  []string
	Note   string
	Offset int
	// Tabs are several targets, of which one is shown; empty: there is one.
	Tabs []Tab
	// Feeds tells that there are logs and events to look at.
	Feeds bool
	// Final is the frame that is kept: nothing moves and no key is offered.
	Final bool
}

// narrow is the width below which a frame is one column.
const narrow = 60

// Frame draws a snapshot. It is pure: equal input, equal output. No line is wider than look.Width,
// and there are at most look.Height lines.
func Frame(s snapshot.Snapshot, look Look) string {
	f := &frame{s: s, look: look, small: look.Width < narrow}
	lines := f.overview()
	if look.Pane != NoPane && !look.Final {
		lines = f.focus()
	}
	if look.Height > 0 && len(lines) > look.Height {
		lines = append(lines[:look.Height-1], lines[len(lines)-1])
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(strings.TrimRight(l, " "), look.Width, look.Theme.Lines().Dots)
	}
	return strings.Join(lines, "\n")
}

// overview is a frame of phases and objects.
func (f *frame) overview() []string {
	lines := append(f.targets(), f.header())
	phases := f.phases()
	rows := f.objects()
	tail := f.tail()
	if f.look.Height > 0 {
		phases, rows = f.fit(len(lines)+len(tail), phases, rows)
	}
	lines = append(lines, phases...)
	if len(rows) > 0 && !f.small {
		lines = append(lines, "")
	}
	lines = append(lines, rows...)
	return append(lines, tail...)
}

type frame struct {
	s     snapshot.Snapshot
	look  Look
	small bool
	// names are the objects of the rows, without the heading; empty: the row is no object. fine tells of each whether
	// nothing is wrong with it and nothing is waited for.
	names []string
	fine  []bool
}

// row keeps what must be known of a row of the table.
func (f *frame) row(o snapshot.Object) {
	f.names = append(f.names, o.Name)
	f.fine = append(f.fine, isFine(o))
}

func isFine(o snapshot.Object) bool {
	return o.State != event.Failed && o.State != event.Waiting && o.State != event.Progressing
}

func (f *frame) header() string {
	h, t := f.s.Header, f.look.Theme
	elapsed := clock(f.elapsed())
	title := orElse(f.s.Target, "gateway")
	if h.Release != "" && h.Release != f.s.Target {
		title = h.Release + " in " + title
	}
	if h.Cloud != "" {
		title += " " + t.Lines().Arrow + " " + h.Cloud
	}
	if f.small {
		return f.between(t.Paint(theme.Bold, title), elapsed)
	}
	title = " egk8s " + orElse(h.Verb, "deploy") + " " + t.Lines().Dot + " " + title
	where := []string{}
	if h.Context != "" {
		where = append(where, "context "+h.Context)
	}
	if h.Namespace != "" {
		where = append(where, "ns "+h.Namespace)
	}
	if len(where) > 0 {
		title += " (" + strings.Join(where, ", ") + ")"
	}
	return f.between(t.Paint(theme.Bold, title), elapsed)
}

func (f *frame) phases() []string {
	lines := []string{}
	for _, p := range f.s.Phases {
		if p.Name == event.Done || (f.s.Header.Verb == "status" && p.State != snapshot.Failed) {
			continue // a status has no stages, it only looks
		}
		running := p.State == snapshot.Running && !f.look.Final
		if f.small && !running && p.State != snapshot.Failed {
			continue
		}
		lines = append(lines, f.phase(p, running))
	}
	return lines
}

func (f *frame) phase(p snapshot.Phase, running bool) string {
	t := f.look.Theme
	kind, sign := theme.OK, t.Sign(theme.OK)
	switch {
	case p.State == snapshot.Failed && (f.s.Outcome == "interrupted" || f.s.Outcome == "unfinished"):
		kind, sign = theme.Warn, t.Sign(theme.Warn)
	case p.State == snapshot.Failed:
		kind, sign = theme.Fail, t.Sign(theme.Fail)
	case running:
		kind, sign = theme.Busy, t.Spinner(f.look.Tick)
	case p.State == snapshot.Running:
		kind, sign = theme.Warn, t.Sign(theme.Warn)
	}
	right := ""
	switch {
	case !p.Ended.IsZero():
		right = f.dim(tenths(p.Ended.Sub(p.Started)))
	case running && !f.s.Header.Deadline.IsZero():
		left := strings.TrimPrefix(clock(f.s.Header.Deadline.Sub(f.look.Now)), "0")
		right = f.dim("timeout in " + left)
		if f.small {
			right = f.dim("left " + left)
		}
	}
	if f.small {
		return f.between(fmt.Sprintf("%s %s %s", t.Paint(kind, sign), p.Name, f.ready()), right)
	}
	message := plain(p.Message)
	if n := f.ready(); message == "" && n != "" && p.Name == event.Rollout {
		message = n + " ready"
	}
	return f.between(fmt.Sprintf(" %s %-9s %s", t.Paint(kind, sign), p.Name, message), right)
}

// ready is how many replicas of the newest workload are ready, as 2/3.
func (f *frame) ready() string {
	for _, o := range f.s.Objects {
		if o.Progress != nil && o.Progress.Unit == "replicas" && o.Parent == "" {
			return fmt.Sprintf("%d/%d", o.Progress.Done, o.Progress.Total)
		}
	}
	return ""
}

// between puts left at the left edge and right at the right one, cutting left when both do not fit.
func (f *frame) between(left, right string) string {
	width := f.look.Width
	room := width - ansi.StringWidth(right)
	if right == "" {
		return ansi.Truncate(left, width, f.look.Theme.Lines().Dots)
	}
	if room < 8 {
		return ansi.Truncate(left, width, f.look.Theme.Lines().Dots)
	}
	left = ansi.Truncate(left, room-1, f.look.Theme.Lines().Dots)
	return left + strings.Repeat(" ", room-ansi.StringWidth(left)) + right
}

func (f *frame) dim(s string) string { return f.look.Theme.Paint(theme.Dim, s) }

func (f *frame) elapsed() time.Duration {
	if f.s.Started.IsZero() {
		return 0
	}
	if f.s.Outcome != "" {
		return f.s.Last.Sub(f.s.Started)
	}
	return f.look.Now.Sub(f.s.Started)
}
