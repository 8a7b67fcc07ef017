package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Lanes is Plain for several targets: every line names its target after the time since the start of all.
type Lanes struct {
	w      io.Writer
	theme  theme.Theme
	groups Groups
	width  int // of the column with the target
	make   func(lane string) *Plain

	lanes  map[string]*Plain
	origin time.Time
	last   time.Time // of the newest event
}

// NewLanes returns Lanes that write to w. groups may be nil.
func NewLanes(w io.Writer, t theme.Theme, groups Groups, verbose bool, targets []string) *Lanes {
	l := &Lanes{w: w, theme: t, groups: groups, lanes: map[string]*Plain{}}
	for _, name := range targets {
		l.width = max(l.width, len([]rune(name)))
	}
	l.make = func(lane string) *Plain {
		p := NewPlain(w, t, groups, verbose)
		p.lane, p.origin = lane, l.origin
		return p
	}
	return l
}

// Emit writes what changed.
func (l *Lanes) Emit(e event.Event) {
	lane := l.lane(e)
	lane.Emit(e)
	if e.Type == event.Result && e.Message != string(deployer.Skipped) {
		lane.line(e, e.Message)
	}
}

// take takes in an event that somebody else shows.
func (l *Lanes) take(e event.Event) { l.lane(e).take(e) }

func (l *Lanes) lane(e event.Event) *Plain {
	if l.origin.IsZero() {
		l.origin = e.Time
	}
	l.last = e.Time
	lane := l.lanes[e.Target]
	if lane == nil {
		lane = l.make(fmt.Sprintf("%-*s ", l.width, e.Target))
		l.lanes[e.Target] = lane
	}
	return lane
}

// Beat passes the heartbeat on to the targets that run.
func (l *Lanes) Beat(now time.Time) {
	for _, lane := range l.lanes {
		lane.Beat(now)
	}
}

// Close writes the block of each target that is not well, and what is where.
func (l *Lanes) Close(e Ending) {
	if l.groups != nil {
		l.groups.End(l.w, l.last)
	}
	for _, t := range e.Targets {
		if t.Err != nil {
			fmt.Fprintln(l.w)
			WriteBlock(l.w, targetBlock(t, l.theme, e.Width), l.groups)
		}
	}
	fmt.Fprintln(l.w)
	for _, line := range Overview(e, l.theme) {
		fmt.Fprintln(l.w, line)
	}
}

// targetBlock is the block of one target, its name before the headline.
func targetBlock(t TargetEnding, th theme.Theme, width int) []Line {
	t.Width = width
	lines := Block(t.Ending, th)
	if len(lines) > 0 {
		lines[0].Text = t.Name + ": " + lines[0].Text
	}
	return lines
}

// Overview says what is where after a run with several targets, one line for each.
func Overview(e Ending, t theme.Theme) []string {
	width := 0
	for _, target := range e.Targets {
		width = max(width, len([]rune(target.Name)))
	}
	lines := []string{sumLine(e, t)}
	for _, target := range e.Targets {
		kind, words := targetWords(target)
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %s %-*s  wave %d  %s", t.Paint(kind, t.Sign(kind)), width, target.Name, target.Wave, words), " "))
	}
	return lines
}

// sumLine is the headline of all.
func sumLine(e Ending, t theme.Theme) string {
	good := 0
	for _, target := range e.Targets {
		if target.Err == nil && target.Result.Outcome != deployer.Skipped {
			good++
		}
	}
	kind := theme.OK
	switch {
	case e.Result.Outcome == deployer.Interrupted, e.Result.Outcome == deployer.Unfinished:
		kind = theme.Warn
	case e.Err != nil:
		kind = theme.Fail
	}
	text := fmt.Sprintf("%s %s: %d of %d targets done in %s", t.Sign(kind), e.Result.Name, good, len(e.Targets), took(e.Result.DurationMs))
	if e.Result.ExitCode != 0 {
		return t.Paint(kind, text) + fmt.Sprintf("   exit %d", e.Result.ExitCode)
	}
	return t.Paint(kind, text)
}

// targetWords says how one target is: what serves there, or why nothing was done.
func targetWords(t TargetEnding) (theme.Kind, string) {
	r := t.Result
	words := []string{string(r.Outcome)}
	if r.Revision > 0 {
		words = append(words, fmt.Sprintf("revision %d", r.Revision))
	}
	if r.Replicas > 0 {
		words = append(words, fmt.Sprintf("%d/%d ready", r.Ready, r.Replicas))
	}
	if r.RolledBack {
		words = append(words, "rolled back")
	}
	kind := theme.OK
	switch r.Outcome {
	case deployer.Skipped:
		return theme.Idle, strings.Join(append([]string{"skipped"}, r.Warnings...), ": ")
	case deployer.Planned:
		kind = theme.Idle
		words = append(words, plural(changed(r.Changes), "change"))
	case deployer.Unfinished, deployer.Interrupted:
		kind = theme.Warn
	case deployer.FailedRun:
		kind = theme.Fail
	case deployer.Succeeded, deployer.Unchanged:
		words = append(words, orElse(r.URL, r.Reach))
	}
	if len(r.Failures) > 0 && t.Err != nil {
		words = append(words, r.Failures[0].Code)
		if r.Failures[0].Serving != "" {
			words = append(words, r.Failures[0].Serving)
		}
	}
	return kind, Clean(strings.Join(words, "   "))
}
