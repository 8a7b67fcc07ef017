package report

import (
	"context"
	"fmt"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/report/tui"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// live is the terminal view; when it breaks, plain lines go on.
type live struct {
	app   *app.App
	view  *tui.View
	plain liner // takes over when the view breaks
	lines bool  // the view is broken
}

// liner writes lines, and can be told of what it shall not write.
type liner interface {
	Renderer
	take(event.Event)
}

func newLive(ctx context.Context, a *app.App, targets []string) *live {
	var lines liner = NewPlain(a.IO.Err, a.ErrTheme(), nil, a.Flags.Verbose > 0)
	if len(targets) > 0 {
		lines = NewLanes(a.IO.Err, a.ErrTheme(), nil, a.Flags.Verbose > 0, targets)
	}
	return &live{
		app: a, plain: lines,
		view: tui.Start(ctx, tui.Options{
			IO: a.IO, Theme: a.ErrTheme(), Now: a.Now,
			Detach: func() { a.Cancel(deployer.ErrDetached) }, Interrupt: a.Interrupt, Source: source(a), Targets: targets,
		}),
	}
}

func (l *live) Emit(e event.Event) {
	l.view.Emit(e)
	if !l.lines && l.view.Broken() != nil {
		l.view.Stop()
		l.lines = true
		fmt.Fprintf(l.app.IO.Err, "warning: %v; going on without it\n", l.view.Broken())
	}
	if l.lines {
		l.plain.Emit(e)
		return
	}
	l.plain.take(e)
}

func (l *live) Beat(now time.Time) {
	if l.lines {
		l.plain.Beat(now)
	}
}

// Close leaves the live view and keeps its last frame, the verdict below it.
func (l *live) Close(e Ending) {
	if l.lines {
		l.plain.Close(e)
		return
	}
	w, t := l.app.IO.Err, l.app.ErrTheme()
	frame := l.view.Stop()
	if e.answers() {
		return // what is true now follows on standard output
	}
	fmt.Fprintf(w, "%s\n\n", frame)
	if len(e.Targets) == 0 {
		WriteEnding(w, e, t)
		return
	}
	for _, target := range e.Targets {
		if target.Err != nil {
			WriteBlock(w, targetBlock(target, t, e.Width), nil)
			fmt.Fprintln(w)
		}
	}
	for _, line := range Overview(e, t) {
		fmt.Fprintln(w, Fold(line, e.Width))
	}
}
