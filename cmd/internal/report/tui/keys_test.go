package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/event"
)

// press sends keys to a model: names of keys, or letters.
func press(m *model, keys ...string) {
	named := map[string]tea.KeyType{
		"up": tea.KeyUp, "down": tea.KeyDown, "enter": tea.KeyEnter, "esc": tea.KeyEsc, "ctrl+c": tea.KeyCtrlC, "backspace": tea.KeyBackspace,
	}
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if kind, ok := named[k]; ok {
			msg = tea.KeyMsg{Type: kind}
		}
		m.Update(msg)
	}
}

// newModel is a model of a rollout with three objects, as Start makes it but without a terminal.
func newModel(t *testing.T, verb string, source Source) (m *model, calls *[]string) {
	t.Helper()
	calls = &[]string{}
	v := &View{opts: Options{
		Now: func() time.Time { return time.Unix(100, 0) }, Source: source,
		Detach: func() { *calls = append(*calls, "detach") }, Interrupt: func() { *calls = append(*calls, "interrupt") },
	}}
	v.feeding, v.starve = context.WithCancel(t.Context())
	t.Cleanup(func() { v.starve(); v.feeds.Wait() })
	at := time.Unix(90, 0)
	v.Emit(event.Event{Time: at, Target: "shop", Phase: event.Rollout, Type: event.PhaseStarted, Started: &event.Header{Verb: verb, Namespace: "web"}})
	for _, o := range []event.Event{
		{Object: "Service/shop", Action: event.Configured},
		{Object: "Deployment/shop", State: event.Progressing},
		{Object: "Pod/shop-1", Parent: "Deployment/shop", State: event.Waiting, Message: "pulling image"},
	} {
		o.Time, o.Phase, o.Type = at, event.Rollout, event.Object
		v.Emit(o)
	}
	return &model{view: v, look: Look{Width: 80, Height: 20, Feeds: source != nil}}, calls
}

func TestKeys(t *testing.T) {
	t.Parallel()
	tests := []struct {
		keys     string
		selected string
		pane     Pane
		filter   string
		calls    []string
	}{
		{keys: "down", selected: "Pod/shop-1"}, // what is waited for comes first
		{keys: "down up", selected: "Deployment/shop"},
		{keys: "down up up up", selected: "Service/shop"},
		{keys: "down down", selected: "Pod/shop-1"},
		{keys: "enter", selected: "Pod/shop-1", pane: Details},
		{keys: "enter esc", selected: "Pod/shop-1"},
		{keys: "enter esc esc"},
		{keys: "?", pane: Help},
		{keys: "? ?"},
		{keys: "/ p o d backspace enter", filter: "po"},
		{keys: "/ s e r v i enter down", filter: "servi", selected: "Service/shop"},
		{keys: "/ q esc"},
		{keys: "/ x enter esc"},
		{keys: "q n"},
		{keys: "q y", calls: []string{"detach"}},
		{keys: "enter q y", selected: "Pod/shop-1", pane: Details, calls: []string{"detach"}},
		{keys: "ctrl+c", calls: []string{"interrupt"}},
		{keys: "/ ctrl+c", calls: []string{"interrupt"}},
		{keys: "l"}, // there is nothing to look at
	}
	for _, test := range tests {
		t.Run(test.keys, func(t *testing.T) {
			t.Parallel()
			m, calls := newModel(t, "deploy", nil)
			press(m, strings.Fields(test.keys)...)
			got := []any{m.look.Selected, m.look.Pane, m.look.Filter, *calls}
			if diff := cmp.Diff([]any{test.selected, test.pane, test.filter, append([]string{}, test.calls...)}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	m, calls := newModel(t, "status", nil)
	if press(m, "q"); m.look.Asking || len(*calls) != 1 {
		t.Errorf("a status is not left at once: %v", *calls)
	}
}

// TestFeeds: a pane shows what comes in, of the object that was selected, and ends its source when it is closed.
func TestFeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []Query
		ended := 0
		m, _ := newModel(t, "deploy", func(ctx context.Context, q Query, line func(string)) error {
			asked = append(asked, q)
			if q.Pane == Events {
				line("an event")
				return errors.New("no right to read more")
			}
			line("a line of the log")
			<-ctx.Done()
			ended++
			return ctx.Err()
		})
		press(m, "down", "l")
		synctest.Wait()
		if frame := m.View(); !strings.Contains(frame, "Pod/shop-1 · logs") || !strings.Contains(frame, "a line of the log") {
			t.Errorf("no log:\n%s", frame)
		}
		press(m, "e")
		synctest.Wait()
		frame := m.View()
		if !strings.Contains(frame, "an event") || !strings.Contains(frame, "no right to read more") || ended != 1 {
			t.Errorf("no events, or %d logs ended:\n%s", ended, frame)
		}
		if press(m, "esc"); strings.Contains(m.View(), "an event") {
			t.Errorf("the pane is still there:\n%s", m.View())
		}
		header := event.Header{Verb: "deploy", Namespace: "web"}
		want := []Query{{Logs, "Pod/shop-1", "shop", header}, {Events, "Pod/shop-1", "shop", header}}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFeedIsBounded: a busy log costs no more than its newest lines.
func TestFeedIsBounded(t *testing.T) {
	t.Parallel()
	f := &feed{}
	for range 3 * mostLines {
		f.add("old")
	}
	f.add("new")
	var look Look
	f.show(&look)
	if len(look.Lines) != mostLines || look.Lines[mostLines-1] != "new" {
		t.Errorf("%d lines, the last %q", len(look.Lines), look.Lines[len(look.Lines)-1])
	}
}

// TestTargets: of several targets the one that runs is shown, until a key chooses another.
func TestTargets(t *testing.T) {
	t.Parallel()
	v := &View{opts: Options{Now: time.Now, Targets: []string{"staging", "eu", "us"}}, runs: runs{names: []string{"staging", "eu", "us"}}}
	m := &model{view: v, look: Look{Width: 80, Height: 20}}
	emit := func(target string, kind event.Type, message string) {
		v.Emit(event.Event{Time: time.Unix(90, 0), Target: target, Phase: event.Rollout, Type: kind, Message: message, Started: &event.Header{Verb: "deploy", Release: "shop"}})
	}
	want := func(when, target string) {
		t.Helper()
		if got := v.runs.shown(); got != target {
			t.Errorf("%s: %q is shown, want %q", when, got, target)
		}
	}
	want("before anything", "staging")
	emit("staging", event.PhaseStarted, "")
	want("the first runs", "staging")
	emit("staging", event.Result, "succeeded")
	emit("eu", event.PhaseStarted, "")
	want("the second runs", "eu")
	m.key("tab", nil)
	want("after tab", "us")
	m.key("tab", nil)
	want("around the end", "staging")
	m.key("shift+tab", nil)
	want("and back", "us")
	v.runs.chosen = ""
	emit("eu", event.Result, "failed")
	emit("us", event.Result, "skipped")
	want("at the end", "eu")
	if first, _, _ := strings.Cut(m.View(), "\n"); !strings.Contains(first, "staging succeeded") || !strings.Contains(first, "[eu] failed") || !strings.Contains(first, "us skipped") {
		t.Errorf("the first line %q does not list the targets", first)
	}
}
