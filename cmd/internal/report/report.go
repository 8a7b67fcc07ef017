// Package report shows the event stream of a run: as lines, as JSON, as a live view, and as what a
// CI system wants. All of them are renderers of the same stream; nothing exists in only one of them.
package report

import (
	"context"
	"strings"
	"sync"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Renderer shows a run. Emit and Beat are never called at the same time.
type Renderer interface {
	Emit(event.Event)
	// Beat is called once a second while the run lasts.
	Beat(now time.Time)
	// Close is called once, after the last event.
	Close(Ending)
}

// Session is one run and everything that shows it. It is the event.Sink of the deployer.
type Session struct {
	mu        sync.Mutex
	renderers []Renderer
	stop      context.CancelFunc
	beating   sync.WaitGroup
	closed    bool
	width     func() int // of the terminal; 0: none
}

// Options say how to show a run.
type Options struct {
	App  *app.App
	Verb string // deploy, status, destroy
	// Targets are the names of several targets; empty: there is one.
	Targets []string
	// Ended is true when the run is over before it began: there is nothing to watch.
	Ended bool
	// Tick replaces the clock of the heartbeat, in tests.
	Tick <-chan time.Time
}

// Open starts to show a run. Close must be called.
func Open(ctx context.Context, o Options) *Session {
	s := &Session{width: func() int { return 0 }}
	if io := o.App.IO; io.ErrTTY {
		s.width = func() int { w, _ := io.Size(); return w }
	}
	s.renderers = append([]Renderer{main(ctx, o, System(o.App))}, extras(o.App)...)
	ctx, s.stop = context.WithCancel(ctx)
	tick := o.Tick
	if tick == nil {
		ticker := time.NewTicker(time.Second)
		tick = ticker.C
		context.AfterFunc(ctx, ticker.Stop)
	}
	s.beating.Go(func() { s.beat(ctx, tick) })
	return s
}

// Single writes what CI systems and report files want of a command that has no events: annotations,
// outputs, summary, reports.
func Single(a *app.App, e Ending) {
	for _, r := range extras(a) {
		r.Close(e)
	}
}

// extras are the renderers besides the one that a person or a log reads.
func extras(a *app.App) []Renderer {
	renderers := []Renderer{}
	if System(a) == GitHub {
		renderers = append(renderers, NewGitHub(a))
	}
	for _, r := range a.Flags.Reports {
		kind, path, _ := strings.Cut(r, "=")
		renderers = append(renderers, NewFile(kind, path, a.IO.Err))
	}
	return renderers
}

// main returns the renderer that a person or a log reads.
func main(ctx context.Context, o Options, ci string) Renderer {
	a := o.App
	switch Mode(a) {
	case app.ProgressJSON:
		return NewNDJSON(a.IO.Err)
	case app.ProgressQuiet:
		return NewQuiet(a.IO.Err, a.ErrTheme(), groups(ci))
	case app.ProgressTUI:
		if !o.Ended {
			return newLive(ctx, a, o.Targets)
		}
		fallthrough
	default:
		if len(o.Targets) > 0 {
			return NewLanes(a.IO.Err, a.ErrTheme(), groups(ci), a.Flags.Verbose > 0, o.Targets)
		}
		return NewPlain(a.IO.Err, a.ErrTheme(), groups(ci), a.Flags.Verbose > 0)
	}
}

// Mode returns how progress is shown: what --progress says, and for auto a live view where one can
// be drawn. A live view that was asked for but cannot be drawn becomes plain.
func Mode(a *app.App) string {
	switch mode := a.Flags.Progress; mode {
	case app.ProgressTUI, app.ProgressAuto, "":
		if a.IO.CanAnimate() && a.Flags.Verbose == 0 { // what -v logs would tear the view apart
			return app.ProgressTUI
		}
		return app.ProgressPlain
	default:
		return mode
	}
}

// Emit shows one event.
func (s *Session) Emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	for _, r := range s.renderers {
		r.Emit(e)
	}
}

// Close shows the end and tells whether the reason of a failure was shown too, so that nobody says
// it again.
func (s *Session) Close(e Ending) (shown bool) {
	s.stop()
	s.beating.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for i, r := range s.renderers {
		if e.Width = 0; i == 0 {
			e.Width = s.width()
		}
		r.Close(e)
	}
	_, isJSON := s.renderers[0].(*NDJSON)
	return isJSON || len(e.Causes()) > 0 || len(e.Targets) > 0
}

func (s *Session) beat(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick:
			s.mu.Lock()
			for _, r := range s.renderers {
				r.Beat(now)
			}
			s.mu.Unlock()
		}
	}
}

// WriteEnding writes the verdict: the headline and how to reach the gateway, or why it failed.
func WriteEnding(w writer, e Ending, t theme.Theme) {
	switch {
	case e.answers(): // on standard output
	case e.Result.Outcome == deployer.Succeeded, e.Result.Outcome == deployer.Unchanged, e.Result.Outcome == deployer.Planned:
		lines := []Line{{Text: e.Headline(t)}}
		for _, l := range e.Reach(t) {
			lines = append(lines, Line{Text: l})
		}
		WriteBlock(w, folded(lines, e.Width), nil)
	case len(e.Causes()) > 0:
		WriteBlock(w, Block(e, t), nil)
	default:
		WriteBlock(w, folded([]Line{{Text: e.Headline(t)}}, e.Width), nil)
	}
}

type writer interface{ Write([]byte) (int, error) }
