package tui

import (
	"context"
	"slices"
	"sync"

	"egk8s.dev/egk8s/deployer/event"
)

// Query says which lines a pane wants.
type Query struct {
	Pane    Pane   // Logs or Events
	Object  string // Kind/name; empty: of all
	Release string
	Header  event.Header // of the run: where it is
}

// Source gives the lines that a pane wants, the old ones first, until ctx ends or there are no more.
type Source func(ctx context.Context, q Query, line func(string)) error

// mostLines bounds what a pane remembers.
const mostLines = 2000

// feed are the lines of a pane while it is open.
type feed struct {
	cancel context.CancelFunc

	mu    sync.Mutex
	lines []string
	note  string
}

// follow starts to fill a feed; it ends with its cancel, or with the view.
func (v *View) follow(q Query) *feed {
	ctx, cancel := context.WithCancel(v.feeding)
	f := &feed{cancel: cancel}
	v.feeds.Go(func() {
		err := v.opts.Source(ctx, q, f.add)
		if ctx.Err() != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.note = "no more comes"; err != nil {
			f.note = err.Error()
		}
	})
	return f
}

func (f *feed) add(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, line)
	if len(f.lines) > mostLines {
		f.lines = slices.Delete(f.lines, 0, len(f.lines)-mostLines)
	}
}

// show puts what there is into a look.
func (f *feed) show(look *Look) {
	f.mu.Lock()
	defer f.mu.Unlock()
	look.Lines, look.Note = slices.Clone(f.lines), f.note
}
