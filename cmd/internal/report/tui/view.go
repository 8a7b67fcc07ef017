// Package tui is the live view of a run. It is the only package that knows Bubble Tea; what a frame
// looks like is a pure function of a snapshot (Frame), and the events are those that every other
// renderer gets.
//
// Bubble Tea v1 is fenced: it handles no signals (the command does), it is started only where
// stdio.Streams.CanAnimate allows it, colours come from the theme, and termguard keeps its init
// function from asking the terminal anything.
package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

// redraws is how many times a second the view is drawn at most.
const redraws = 5

// Options are what a view needs.
type Options struct {
	IO    *stdio.Streams
	Theme theme.Theme
	Now   func() time.Time
	// Detach is called when the user stops watching, Interrupt when ctrl+c is pressed.
	Detach    func()
	Interrupt func()
	// Targets are the names of several targets; empty: there is one.
	Targets []string
	// Source gives logs and events to look at; nil: there are none.
	Source Source
}

// View is a live view that runs.
type View struct {
	opts    Options
	program *tea.Program
	done    chan struct{}
	restore func()
	feeding context.Context //nolint:containedctx // what the panes are fed under; it ends with the view
	starve  context.CancelFunc
	feeds   sync.WaitGroup

	mu   sync.Mutex
	runs runs
	err  error
}

// Start draws until Stop.
func Start(ctx context.Context, o Options) *View {
	v := &View{opts: o, done: make(chan struct{}), runs: runs{names: o.Targets}}
	v.feeding, v.starve = context.WithCancel(ctx)
	width, height := o.IO.Size()
	v.program = tea.NewProgram(
		&model{view: v, look: Look{Theme: o.Theme, Width: width, Height: height, Feeds: o.Source != nil}},
		tea.WithInput(o.IO.In), tea.WithOutput(o.IO.Err), tea.WithAltScreen(),
		tea.WithoutSignalHandler(), tea.WithFPS(redraws), tea.WithoutBracketedPaste(),
	)
	restoreModes := o.IO.TerminalState()
	forget := o.IO.OnAbort(func() {
		// The end without unwinding: leave the alternate screen, show the cursor, restore the modes.
		fmt.Fprint(o.IO.Err, "\x1b[?1049l\x1b[?25h")
		restoreModes()
	})
	v.restore = func() { restoreModes(); forget() }
	go func() {
		defer close(v.done)
		if _, err := v.program.Run(); err != nil {
			v.mu.Lock()
			v.err = err
			v.mu.Unlock()
		}
	}()
	return v
}

// Emit takes an event in; the next redraw shows it.
func (v *View) Emit(e event.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.runs.apply(e)
}

// Broken returns why the view ended by itself; nil while it runs.
func (v *View) Broken() error {
	select {
	case <-v.done:
	default:
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err == nil {
		return errors.New("the live view ended")
	}
	return v.err
}

// Stop ends the view, restores the terminal and returns the last frame, to be kept in the
// scrollback; of several targets, that of each which was begun.
func (v *View) Stop() string {
	v.program.Quit()
	select {
	case <-v.done:
	case <-time.After(2 * time.Second):
		v.program.Kill()
		<-v.done
	}
	v.starve()
	v.feeds.Wait()
	v.restore()
	width, _ := v.opts.IO.Size()
	look := Look{Theme: v.opts.Theme, Now: v.opts.Now(), Width: width, Final: true}
	if len(v.opts.Targets) == 0 {
		return Frame(v.snapshot(), look)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var frames []string
	for _, name := range v.opts.Targets {
		if s := v.runs.at(name); !s.Started.IsZero() && s.Outcome != "skipped" {
			frames = append(frames, Frame(s.Clone(), look))
		}
	}
	return strings.Join(frames, "\n\n")
}

func (v *View) snapshot() snapshot.Snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.runs.at(v.runs.shown()).Clone()
}

func (v *View) tabs() []Tab {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.runs.tabs()
}

// choose shows another target.
func (v *View) choose(by int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.runs.choose(by)
}

// tick asks for the next redraw.
type tick struct{}

func nextTick() tea.Cmd {
	return tea.Tick(time.Second/redraws, func(time.Time) tea.Msg { return tick{} })
}

// model is what Bubble Tea drives.
type model struct {
	view *View
	look Look
	feed *feed // of the pane that is open; nil: none
}

// Init starts the ticks.
func (m *model) Init() tea.Cmd { return nextTick() }

// Update takes in a key, a new size or a tick.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		m.look.Tick++
		return m, nextTick()
	case tea.WindowSizeMsg:
		m.look.Width, m.look.Height = msg.Width, msg.Height
	case tea.KeyMsg:
		m.key(msg.String(), typed(msg))
	}
	return m, nil
}

// typed are the letters of a key; nil: it is none.
func typed(msg tea.KeyMsg) []rune {
	if msg.Type == tea.KeyRunes || msg.Type == tea.KeySpace {
		return msg.Runes
	}
	return nil
}

// View draws the frame.
func (m *model) View() string {
	look := m.look
	look.Now = m.view.opts.Now()
	if m.feed != nil {
		m.feed.show(&look)
	}
	look.Tabs = m.view.tabs()
	return Frame(m.view.snapshot(), look)
}
