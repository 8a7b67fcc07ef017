package tui_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/report/tui"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

var update = flag.Bool("update", false, "write the golden files")

func TestFrames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, run string
		events    int // 0: all
		look      tui.Look
	}{
		{"running-120x40", "success", 25, tui.Look{Width: 120, Height: 40}},
		{"running-80x24", "success", 25, tui.Look{Width: 80, Height: 24}},
		{"running-40x12", "success", 25, tui.Look{Width: 40, Height: 12}},
		{"running-20x8", "success", 25, tui.Look{Width: 20, Height: 8}},
		{"running-80x10", "success", 25, tui.Look{Width: 80, Height: 10}},
		{"running-ascii-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Theme: theme.Theme{ASCII: true}}},
		{"running-color-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Theme: theme.Theme{Color: true}}},
		{"asking-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Asking: true}},
		{"keys-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Pane: tui.Help, Feeds: true}},
		{"selected-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Selected: "Pod/petstore-6d5b8-9m2lt", Feeds: true}},
		{"selected-80x14", "success", 25, tui.Look{Width: 80, Height: 14, Selected: "Service/petstore"}},
		{"selected-40x12", "success", 25, tui.Look{Width: 40, Height: 12, Selected: "Pod/petstore-6d5b8-wz7pn"}},
		{"filter-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Filter: "2xk", Typing: true}},
		{"filter-none-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Filter: "nonesuch"}},
		{"details-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Pane: tui.Details, Selected: "Deployment/petstore", Feeds: true}},
		{"details-failure-80x24", "failure", 0, tui.Look{Width: 80, Height: 24, Pane: tui.Details, Selected: "Pod/petstore-6d5b8-wz7pn", Feeds: true}},
		{"logs-80x12", "success", 25, tui.Look{Width: 80, Height: 12, Pane: tui.Logs, Selected: "Pod/petstore-6d5b8-2xk4q", Feeds: true, Lines: numbered(30)}},
		{"logs-back-40x12", "success", 25, tui.Look{Width: 40, Height: 12, Pane: tui.Logs, Feeds: true, Lines: numbered(30), Offset: 5}},
		{"events-80x12", "success", 25, tui.Look{Width: 80, Height: 12, Pane: tui.Events, Selected: "Service/petstore", Feeds: true, Note: "no more comes"}},
		{"push-80x24", "success", 6, tui.Look{Width: 80, Height: 24}},
		{"failure-80x24", "failure", 0, tui.Look{Width: 80, Height: 24}},
		{"final-80", "success", 0, tui.Look{Width: 80, Final: true}},
		{"final-failure-80", "failure", 0, tui.Look{Width: 80, Final: true}},
		{"targets-80x24", "success", 25, tui.Look{Width: 80, Height: 24, Tabs: tabs()}},
		{"targets-40x12", "success", 25, tui.Look{Width: 40, Height: 12, Tabs: tabs()}},
		{"empty-80x24", "success", -1, tui.Look{Width: 80, Height: 24}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			look := test.look
			look.Now = time.Date(2026, 11, 22, 9, 0, 42, 0, time.UTC)
			frame := tui.Frame(record(t, test.run, test.events), look)
			checkSize(t, frame, look)
			golden(t, test.name, frame)
		})
	}
}

func numbered(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d \x1b[31m of a log\twith a tab, and rather long so that it has to be cut at the right edge", i+1)
	}
	return lines
}

// TestFramesFit holds that no frame is wider or higher than its terminal, whatever is in it.
func TestFramesFit(t *testing.T) {
	t.Parallel()
	s := record(t, "failure", 0)
	s.Header.Context = "漢字の文脈-" + strings.Repeat("x", 80)
	s.Apply(event.Event{Time: s.Last, Phase: event.Rollout, Type: event.Object, Object: "Pod/petstore-日本語-" + strings.Repeat("y", 90), State: event.Waiting, Message: strings.Repeat("漢", 90) + "\x1b[2J\n"})
	for width := 20; width <= 200; width++ {
		for _, height := range []int{4, 8, 12, 24, 60} {
			for _, th := range []theme.Theme{{}, {Color: true}, {ASCII: true}} {
				look := tui.Look{Width: width, Height: height, Theme: th, Now: s.Last.Add(time.Second), Tick: width}
				checkSize(t, tui.Frame(s, look), look)
				look.Selected, look.Lines, look.Feeds, look.Filter = s.Objects[len(s.Objects)-1].Name, numbered(9), true, "petstore"
				for _, look.Pane = range []tui.Pane{tui.NoPane, tui.Details, tui.Logs, tui.Events, tui.Help} {
					checkSize(t, tui.Frame(s, look), look)
				}
				look.Pane, look.Tabs = tui.NoPane, tabs()
				checkSize(t, tui.Frame(s, look), look)
			}
		}
	}
}

func tabs() []tui.Tab {
	return []tui.Tab{
		{Name: "staging", Begun: true, Outcome: "succeeded"},
		{Name: "eu", Begun: true, Ready: "2/3", Shown: true},
		{Name: "us", Begun: true, Outcome: "failed"},
		{Name: "asia"},
	}
}

func TestNoColourWithoutColour(t *testing.T) {
	t.Parallel()
	frame := tui.Frame(record(t, "failure", 0), tui.Look{Width: 80, Height: 24, Now: time.Unix(0, 0)})
	if strings.ContainsRune(frame, 0x1b) {
		t.Errorf("an escape byte in a frame without colour: %q", frame)
	}
}

func checkSize(t *testing.T, frame string, look tui.Look) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if look.Height > 0 && len(lines) > look.Height {
		t.Errorf("%dx%d: %d lines", look.Width, look.Height, len(lines))
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > look.Width {
			t.Errorf("%dx%d: line %d is %d wide: %q", look.Width, look.Height, i+1, w, l)
		}
	}
}

func record(t *testing.T, run string, n int) snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", run+".ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var s snapshot.Snapshot
	i := 0
	for line := range bytes.Lines(data) {
		if i++; n < 0 || (n > 0 && i > n) {
			break
		}
		var e event.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		s.Apply(e)
	}
	return s
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, fmt.Sprintln(diff))
	}
}
