package tui

import (
	"slices"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
)

// key takes in one key; what it is about depends on what is open.
func (m *model) key(key string, typed []rune) {
	switch {
	case key == "ctrl+c":
		m.view.opts.Interrupt()
	case m.look.Asking:
		m.look.Asking = false
		if key == "y" || key == "Y" {
			m.view.opts.Detach()
		}
	case m.look.Typing:
		m.look.Filter, m.look.Typing = edit(m.look.Filter, key, typed)
	case key == "esc":
		m.back()
	case key == "q":
		m.leave()
	case key == "?" && m.look.Pane == Help:
		m.back()
	case key == "?":
		m.open(Help)
	case key == "tab" || key == "shift+tab":
		m.turn(key == "tab")
	case key == "l" && m.look.Feeds:
		m.open(Logs)
	case key == "e" && m.look.Feeds:
		m.open(Events)
	case m.look.Pane != NoPane:
		m.look.Offset = max(m.look.Offset+m.scroll(key), 0)
	default:
		m.table(key)
	}
}

// turn shows the next of several targets, or the one before.
func (m *model) turn(forward bool) {
	if len(m.view.opts.Targets) == 0 {
		return
	}
	m.open(NoPane)
	m.look.Selected = ""
	if forward {
		m.view.choose(1)
		return
	}
	m.view.choose(-1)
}

// table takes in a key of the table of objects.
func (m *model) table(key string) {
	s := m.view.snapshot()
	switch key {
	case "up", "k":
		m.look.Selected = next(s, m.look, -1)
	case "down", "j":
		m.look.Selected = next(s, m.look, 1)
	case "enter":
		if m.look.Selected == "" {
			m.look.Selected = next(s, m.look, 0)
		}
		if m.look.Selected != "" {
			m.open(Details)
		}
	case "/":
		m.look.Typing = true
	}
}

// scroll is by how much a key scrolls the pane.
func (m *model) scroll(key string) int {
	by := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -m.look.Height / 2, "pgdown": m.look.Height / 2}[key]
	if m.look.Pane.fed() {
		return -by // its offset counts from the end
	}
	return by
}

// back closes what is open: the pane, else the filter, else the selection.
func (m *model) back() {
	switch {
	case m.look.Pane != NoPane:
		m.open(NoPane)
	case m.look.Filter != "":
		m.look.Filter = ""
	default:
		m.look.Selected = ""
	}
}

// leave asks whether to stop watching, where that leaves something to itself.
func (m *model) leave() {
	if m.view.snapshot().Header.Verb == "status" {
		m.view.opts.Detach()
		return
	}
	m.look.Asking = true
}

// open shows a pane, or with NoPane the table.
func (m *model) open(p Pane) {
	if m.feed != nil {
		m.feed.cancel()
		m.feed = nil
	}
	m.look.Pane, m.look.Offset = p, 0
	if p.fed() {
		s := m.view.snapshot()
		m.feed = m.view.follow(Query{Pane: p, Object: m.look.Selected, Release: orElse(s.Header.Release, s.Target), Header: s.Header})
	}
}

// next is the object that lies by rows below the selected one. Without a selection, that is the one which is waited
// for, else the first.
func next(s snapshot.Snapshot, look Look, by int) string {
	rows := Rows(s, look)
	if len(rows) == 0 {
		return ""
	}
	if at := slices.Index(rows, look.Selected); at >= 0 {
		return rows[min(max(at+by, 0), len(rows)-1)]
	}
	if o := s.Waiting(); o != nil && slices.Contains(rows, o.Name) {
		return o.Name
	}
	return rows[0]
}

// Rows are the objects of the table in their order, as Kind/name.
func Rows(s snapshot.Snapshot, look Look) []string {
	f := &frame{s: s, look: look, small: look.Width < narrow}
	f.objects()
	return slices.DeleteFunc(f.names, func(name string) bool { return name == "" })
}

// edit changes a filter by a key; typing ends with enter, and with esc, which clears it.
func edit(text, key string, typed []rune) (filter string, typing bool) {
	switch {
	case key == "enter":
		return text, false
	case key == "esc":
		return "", false
	case key == "backspace" && text != "":
		runes := []rune(text)
		return string(runes[:len(runes)-1]), true
	case len(typed) > 0 && len(text) < 100:
		return text + string(typed), true
	default:
		return text, true
	}
}
