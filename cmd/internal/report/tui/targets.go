package tui

import (
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// Tab is one of several targets in the line that lists them.
type Tab struct {
	Name    string
	Begun   bool
	Outcome string // empty while it runs
	Ready   string // 2/3
	Shown   bool   // its run is the one below
}

// runs are the pictures that a view can show: one, or one for each of several targets.
type runs struct {
	names  []string // of several targets; empty: there is one run
	all    map[string]*snapshot.Snapshot
	chosen string // by a key; empty: whichever runs
}

func (r *runs) apply(e event.Event) {
	key := ""
	if len(r.names) > 0 {
		key = e.Target
	}
	r.at(key).Apply(e)
}

func (r *runs) at(name string) *snapshot.Snapshot {
	if r.all == nil {
		r.all = map[string]*snapshot.Snapshot{}
	}
	if r.all[name] == nil {
		r.all[name] = &snapshot.Snapshot{}
	}
	return r.all[name]
}

// shown is the target that was chosen, else the first that runs, else the last that ran.
func (r *runs) shown() string {
	if r.chosen != "" || len(r.names) == 0 {
		return r.chosen
	}
	last := r.names[0]
	for _, name := range r.names {
		s := r.at(name)
		switch {
		case s.Started.IsZero(), s.Outcome == "skipped":
		case s.Outcome == "":
			return name
		default:
			last = name
		}
	}
	return last
}

// choose moves the choice by that many targets, around the ends.
func (r *runs) choose(by int) {
	n := len(r.names)
	if n == 0 {
		return
	}
	at := max(slices.Index(r.names, r.shown()), 0)
	r.chosen = r.names[((at+by)%n+n)%n]
}

func (r *runs) tabs() []Tab {
	shown := r.shown()
	tabs := make([]Tab, len(r.names))
	for i, name := range r.names {
		s := r.at(name)
		f := &frame{s: *s}
		tabs[i] = Tab{Name: name, Begun: !s.Started.IsZero(), Outcome: s.Outcome, Ready: f.ready(), Shown: name == shown}
	}
	return tabs
}

// targets is the line that lists several targets; none for one.
func (f *frame) targets() []string {
	if len(f.look.Tabs) == 0 || f.look.Final {
		return nil
	}
	parts := make([]string, len(f.look.Tabs))
	for i, tab := range f.look.Tabs {
		kind, sign, word := f.tabState(tab)
		name := plain(tab.Name)
		if tab.Shown {
			name = f.look.Theme.Paint(theme.Bold, "["+name+"]")
		}
		parts[i] = strings.TrimRight(fmt.Sprintf("%s %s %s", f.look.Theme.Paint(kind, sign), name, word), " ")
	}
	return []string{" " + strings.Join(parts, "   ")}
}

func (f *frame) tabState(tab Tab) (kind theme.Kind, sign, word string) {
	t := f.look.Theme
	switch tab.Outcome {
	case "":
		if !tab.Begun {
			return theme.Idle, t.Sign(theme.Idle), "waits"
		}
		return theme.Busy, t.Spinner(f.look.Tick), orElse(tab.Ready, "running")
	case "failed":
		kind = theme.Fail
	case "interrupted", "unfinished":
		kind = theme.Warn
	case "skipped", "planned":
		kind = theme.Idle
	default:
		kind = theme.OK
	}
	return kind, t.Sign(kind), tab.Outcome
}
