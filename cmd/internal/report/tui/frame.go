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
	// Keys shows what every key does.
	Keys bool
	// Scroll is the first row of objects that is shown.
	Scroll int
	// Final is the frame that is kept: nothing moves and no key is offered.
	Final bool
}

// narrow is the width below which a frame is one column.
const narrow = 60

// Frame draws a snapshot. It is pure: equal input, equal output. No line is wider than look.Width,
// and there are at most look.Height lines.
func Frame(s snapshot.Snapshot, look Look) string {
	f := &frame{s: s, look: look, small: look.Width < narrow}
	head := []string{f.header()}
	phases := f.phases()
	rows := f.objects()
	tail := f.tail()
	if look.Height > 0 {
		phases, rows = f.fit(len(head)+len(tail), phases, rows)
	}
	lines := append(head, phases...)
	if len(rows) > 0 && !f.small {
		lines = append(lines, "")
	}
	lines = append(lines, rows...)
	lines = append(lines, tail...)
	if look.Height > 0 && len(lines) > look.Height {
		lines = append(lines[:look.Height-1], lines[len(lines)-1])
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(strings.TrimRight(l, " "), look.Width, look.Theme.Lines().Dots)
	}
	return strings.Join(lines, "\n")
}

type frame struct {
	s     snapshot.Snapshot
	look  Look
	small bool
	// count is how many rows of objects there are; fine tells of each whether nothing is wrong with
	// it and nothing is waited for.
	count int
	fine  []bool
}

func isFine(o snapshot.Object) bool {
	return o.State != event.Failed && o.State != event.Waiting && o.State != event.Progressing
}

// fit drops what matters least until the frame is low enough: finished phases, then rows of
// objects that are fine.
func (f *frame) fit(fixed int, phases, rows []string) (p, r []string) {
	blank := 1
	if f.small {
		blank = 0
	}
	room := f.look.Height - fixed - blank
	if len(phases)+len(rows) <= room {
		return phases, rows
	}
	for len(phases) > 1 && len(phases)+len(rows) > room {
		phases = phases[1:]
	}
	room -= len(phases)
	if len(rows) <= room {
		return phases, rows
	}
	if room < 1 {
		return phases, nil
	}
	heading := 1
	if f.small {
		heading = 0
	}
	if room <= heading+1 {
		return phases, rows[:room]
	}
	shown := room - heading - 1
	if f.look.Scroll == 0 {
		rows = f.mattering(rows, heading, shown)
	}
	first := heading + min(f.look.Scroll, max(len(rows)-room, 0))
	last := min(first+shown, len(rows))
	more := f.count - (last - first)
	kept := append([]string{}, rows[:heading]...)
	kept = append(kept, rows[first:last]...)
	return phases, append(kept, f.dim(fmt.Sprintf(" %s %d more", f.look.Theme.Lines().Dots, more)))
}

// mattering keeps the heading and of the rows those that are not fine, then the others from above,
// n in all and in their order.
func (f *frame) mattering(rows []string, heading, n int) []string {
	keep := make([]bool, len(rows)-heading)
	for _, fine := range []bool{false, true} {
		for i := range keep {
			if n > 0 && !keep[i] && f.fine[i] == fine {
				keep[i] = true
				n--
			}
		}
	}
	kept := append([]string{}, rows[:heading]...)
	for i, k := range keep {
		if k {
			kept = append(kept, rows[heading+i])
		}
	}
	return kept
}

func (f *frame) header() string {
	h, t := f.s.Header, f.look.Theme
	elapsed := clock(f.elapsed())
	title := orElse(f.s.Target, "gateway")
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

func (f *frame) tail() []string {
	t := f.look.Theme
	lines := []string{}
	for i, c := range f.s.Causes {
		if i == 2 || f.look.Final {
			break // below the final frame stands the whole explanation
		}
		lines = append(lines, t.Paint(theme.Fail, " "+t.Sign(theme.Fail)+" "+plain(c.Object)+": "+plain(orElse(c.Reason, c.Code)))+", "+plain(c.Message))
	}
	low := f.look.Height > 0 && f.look.Height < 12
	if f.look.Final {
		return append(lines, f.warnings()...)
	}
	if n := len(f.s.Warnings); n > 0 && !f.small && !low {
		lines = append(lines, t.Paint(theme.Warn, " "+t.Sign(theme.Warn)+" warning: ")+plain(f.s.Warnings[n-1].Message))
	}
	if !f.small {
		lines = append(lines, "")
		if bar := f.bar(); bar != "" {
			lines = append(lines, bar)
		}
	}
	return append(lines, f.footer())
}

// warnings are all of them, each whole: they stay in the scrollback.
func (f *frame) warnings() []string {
	t := f.look.Theme
	lines := []string{}
	for _, w := range f.s.Warnings {
		text := ansi.Wrap(plain(w.Message), max(f.look.Width-12, 8), "/,:")
		for i, part := range strings.Split(text, "\n") {
			lead := strings.Repeat(" ", 12)
			if i == 0 {
				lead = t.Paint(theme.Warn, " "+t.Sign(theme.Warn)+" warning: ")
			}
			lines = append(lines, lead+strings.TrimSpace(part))
		}
	}
	return lines
}

func (f *frame) footer() string {
	t := f.look.Theme
	dot := " " + t.Lines().Dot + " "
	verb := f.s.Header.Verb
	leave := "detach"
	if verb == "status" {
		leave = "quit"
	}
	switch {
	case f.look.Asking && f.small:
		return t.Paint(theme.Warn, "stop watching? (y/N)")
	case f.look.Asking:
		return t.Paint(theme.Warn, " stop watching? the rollout continues in the cluster (y/N)")
	case f.look.Keys && verb == "status":
		return f.dim(" up/down scroll" + dot + "q quit" + dot + "ctrl+c quit" + dot + "? close")
	case f.look.Keys:
		return f.dim(" up/down scroll" + dot + "q stop watching" + dot + "ctrl+c interrupt" + dot + "ctrl+c twice leave at once" + dot + "? close")
	case f.small:
		return f.dim("q " + leave + dot + "? keys")
	}
	return f.dim(" up/down scroll" + dot + "? keys" + dot + "q " + leave)
}

// bar is how far the newest counted thing is: bytes of an image that are sent, replicas ready.
func (f *frame) bar() string {
	o := f.counted()
	if o == nil || o.Progress.Total <= 0 {
		return ""
	}
	l := f.look.Theme.Lines()
	label := fmt.Sprintf("%d/%d", o.Progress.Done, o.Progress.Total)
	if o.Progress.Unit == "bytes" {
		label = fmt.Sprintf("%d%%", o.Progress.Done*100/o.Progress.Total)
	}
	width := min(f.look.Width-len(label)-4, 60)
	done := int(min(int64(width), o.Progress.Done*int64(width)/o.Progress.Total))
	return " " + f.look.Theme.Paint(theme.OK, strings.Repeat(l.Full, done)) + f.dim(strings.Repeat(l.Empty, width-done)) + "  " + label
}

func (f *frame) counted() *snapshot.Object {
	var found *snapshot.Object
	for i := range f.s.Objects {
		o := &f.s.Objects[i]
		if o.Progress == nil || o.Parent != "" {
			continue
		}
		if o.Progress.Unit == "bytes" && o.Progress.Done >= o.Progress.Total {
			continue
		}
		found = o
	}
	return found
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

// clock writes a duration as 00:42.
func clock(d time.Duration) string {
	d = max(d, 0)
	if d >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1fs", max(d, 0).Seconds()) }

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
