package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
)

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
	case f.look.Typing && f.small:
		return "/" + plain(f.look.Filter) + "_"
	case f.look.Typing:
		return " filter: " + plain(f.look.Filter) + "_" + f.dim("   enter keep"+dot+"esc show all")
	case f.small:
		return f.dim("q " + leave + dot + "? keys")
	}
	keys := " up/down select" + dot + "enter details" + dot
	if f.look.Feeds {
		keys += "l logs" + dot + "e events" + dot
	}
	if len(f.look.Tabs) > 0 {
		keys += "tab next target" + dot
	}
	return f.dim(keys + "? keys" + dot + "q " + leave)
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
