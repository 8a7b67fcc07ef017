package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// Heartbeat is how long a log may stay silent while a run goes on.
const Heartbeat = 15 * time.Second

// Plain writes one line per change, the time since the start first, so that logs sort and compare
// well: a log file, a pipe, a CI job, a screen reader.
type Plain struct {
	w       io.Writer
	theme   theme.Theme
	groups  Groups
	verbose bool

	lane   string    // of one of several targets, in the second column
	origin time.Time // of the elapsed time; zero: the first event

	snap    snapshot.Snapshot
	said    map[string]string // object -> last words
	last    time.Time         // of the last line
	warned  bool              // of the deadline
	quarter map[string]int64  // object -> last quarter of its bytes that was told
	told    map[string]time.Time
}

// quick is the time within which the quarters of a transfer are one line.
const quick = 2 * time.Second

// Groups folds the lines of a phase in a CI system's log viewer.
type Groups interface {
	// Line is called before each line of a phase.
	Line(w io.Writer, phase event.Phase, now time.Time)
	// End closes the group that is open.
	End(w io.Writer, now time.Time)
	// Foreign wraps lines that a workload wrote.
	Foreign(w io.Writer, lines []string)
}

// NewPlain returns a Plain that writes to w. groups may be nil.
func NewPlain(w io.Writer, t theme.Theme, groups Groups, verbose bool) *Plain {
	return &Plain{
		w: w, theme: t, groups: groups, verbose: verbose,
		said: map[string]string{}, quarter: map[string]int64{}, told: map[string]time.Time{},
	}
}

// Emit writes what changed.
func (p *Plain) Emit(e event.Event) {
	p.snap.Apply(e)
	if p.last.IsZero() {
		p.last = e.Time
	}
	switch e.Type {
	case event.PhaseStarted:
		if p.verbose {
			p.line(e, "started")
		}
	case event.PhaseFinished:
		if e.Message != "" && e.Phase != event.Done {
			p.line(e, e.Message)
		}
	case event.PhaseFailed:
		p.line(e, "failed") // the end says why, with evidence and advice
	case event.Object:
		p.object(e)
	case event.Progress:
		p.progress(e)
	case event.Info:
		p.line(e, e.Message)
	case event.Warning:
		p.line(e, "warning: "+e.Message)
	case event.Diagnosis:
		if c := e.Diagnosis; c != nil && !p.failed(c.Object) && p.said[c.Object+"\x00diagnosis"] != c.Reason {
			p.said[c.Object+"\x00diagnosis"] = c.Reason
			p.line(e, fmt.Sprintf("%s: %s", c.Object, orElse(c.Reason, c.Code)))
		}
	case event.Result:
	}
}

// take takes in an event that somebody else shows.
func (p *Plain) take(e event.Event) { p.snap.Apply(e) }

// failed tells whether a line has said already that an object failed.
func (p *Plain) failed(object string) bool {
	o := p.snap.Find(object)
	return o != nil && o.State == event.Failed
}

// Beat is called while nothing happens: it says what the run waits for when the log was silent
// for as long as Heartbeat, and once that the time limit is near.
func (p *Plain) Beat(now time.Time) {
	if p.snap.Started.IsZero() || p.snap.Outcome != "" {
		return
	}
	phase := event.Phase("")
	if current := p.snap.Current(); current != nil {
		phase = current.Name
	}
	at := event.Event{Time: now, Phase: phase}
	if deadline := p.snap.Header.Deadline; !deadline.IsZero() && !p.warned {
		total := deadline.Sub(p.snap.Started)
		if total >= Heartbeat && now.Sub(p.snap.Started) >= total*8/10 {
			p.warned = true
			p.line(at, fmt.Sprintf("warning: %s of the time limit of %s is left", Short(deadline.Sub(now)), Short(total)))
		}
	}
	if now.Sub(p.last) < Heartbeat || phase == "" {
		return
	}
	if o := p.snap.Waiting(); o != nil {
		p.line(at, fmt.Sprintf("waiting: %s %s (%s)", o.Name, orElse(o.Message, string(o.State)), Short(now.Sub(o.Since))))
		return
	}
	started := p.snap.Current().Started
	p.line(at, fmt.Sprintf("still running (%s)", Short(now.Sub(started))))
}

// Close writes the last line, or the block that explains a failure.
func (p *Plain) Close(e Ending) {
	now := p.snap.Last
	r := e.Result
	switch {
	case r.Outcome == deployer.Succeeded || r.Outcome == deployer.Unchanged || r.Outcome == deployer.Planned:
		for _, l := range e.Reach(p.theme) {
			if len(l) > 12 && l[2:9] == "Gateway" {
				p.line(event.Event{Time: now, Phase: event.Done}, "reach it: "+l[12:])
			}
		}
		p.line(event.Event{Time: now, Phase: event.Done}, doneLine(e))
		p.endGroup(now)
	case len(e.Causes()) > 0:
		p.endGroup(now)
		WriteBlock(p.w, Block(e, p.theme), p.groups)
	default:
		p.endGroup(now)
	}
}

func doneLine(e Ending) string {
	r := e.Result
	switch {
	case e.Verb == "destroy":
		return fmt.Sprintf("%s destroyed", r.Name)
	case e.Verb == "diff":
		return fmt.Sprintf("%s compared, nothing was changed", r.Name)
	case e.Verb == "rollback" && r.Outcome == deployer.Succeeded:
		return fmt.Sprintf("%s back at revision %d, as revision %d", r.Name, r.RestoredRevision, r.Revision)
	case r.Outcome == deployer.Unchanged:
		return fmt.Sprintf("%s unchanged%s, revision %d", r.Name, on(r.Cloud), r.Revision)
	case r.Outcome == deployer.Planned:
		return fmt.Sprintf("%s: %s planned%s, nothing was applied", r.Name, plural(changed(r.Changes), "change"), on(r.Cloud))
	}
	return fmt.Sprintf("%s deployed%s, revision %d", r.Name, to(r.Cloud), r.Revision)
}

// WriteBlock writes a failure block, foreign lines wrapped as the CI system asks.
func WriteBlock(w io.Writer, lines []Line, groups Groups) {
	foreign := []string{}
	flush := func() {
		if len(foreign) > 0 {
			groups.Foreign(w, foreign)
			foreign = foreign[:0]
		}
	}
	for _, l := range lines {
		if l.Foreign && groups != nil {
			foreign = append(foreign, l.Text)
			continue
		}
		flush()
		fmt.Fprintln(w, l.Text)
	}
	flush()
}

func (p *Plain) endGroup(now time.Time) {
	if p.groups != nil {
		p.groups.End(p.w, now)
	}
}

func (p *Plain) object(e event.Event) {
	words := objectWords(e)
	if !p.verbose && (e.Action == event.Unchanged && e.State == "" || strings.HasPrefix(e.Object, "ReplicaSet/")) {
		return // the Deployment above and the pods below say it all
	}
	key := e.Object + "\x00" + string(e.Action)
	if words == "" || p.said[key] == words {
		return
	}
	p.said[key] = words
	p.line(e, e.Object+" "+words)
}

// objectWords says how an object is: what was done to it, or how many replicas are ready, or its
// state, and why.
func objectWords(e event.Event) string {
	words := string(e.Action)
	switch {
	case e.State == "":
	case e.Progress != nil && e.State == event.Draining:
		words = fmt.Sprintf("draining, %d left", e.Progress.Done)
	case e.Progress != nil && e.Progress.Unit == "replicas":
		words = fmt.Sprintf("%d/%d ready", e.Progress.Done, e.Progress.Total)
	default:
		words = string(e.State)
	}
	if e.Message == "" || e.Message == words || e.Action == event.Created {
		return words // of what is new, "created" says it all
	}
	if e.State != "" && e.Progress == nil || e.Action != "" {
		return words + ": " + e.Message
	}
	return words + ", " + e.Message
}

// progress tells of bytes in quarters, so that a slow push is a few lines.
func (p *Plain) progress(e event.Event) {
	c := e.Progress
	if c == nil || c.Total <= 0 {
		return
	}
	if p.told[e.Object].IsZero() {
		p.told[e.Object] = e.Time
	}
	quarter := c.Done * 4 / c.Total
	if quarter == 0 || quarter <= p.quarter[e.Object] {
		return
	}
	// A fast transfer is one line, not four.
	if quarter < 4 && e.Time.Sub(p.told[e.Object]) < quick {
		return
	}
	p.quarter[e.Object], p.told[e.Object] = quarter, e.Time
	what := orElse(e.Object, e.Message)
	if c.Unit == "bytes" {
		p.line(e, fmt.Sprintf("%s %d%% of %s", what, quarter*25, Bytes(c.Total)))
		return
	}
	p.line(e, fmt.Sprintf("%s %d/%d %s", what, c.Done, c.Total, c.Unit))
}

func (p *Plain) line(e event.Event, text string) {
	p.last = e.Time
	if p.groups != nil {
		p.groups.Line(p.w, p.group(e.Phase), e.Time)
	}
	origin := p.origin
	if origin.IsZero() {
		origin = p.snap.Started
	}
	elapsed := e.Time.Sub(origin).Seconds()
	fmt.Fprintf(p.w, "%6.1fs %s%-8s %s\n", max(elapsed, 0), p.lane, e.Phase, Clean(text))
}

// group is the name of what a CI system folds.
func (p *Plain) group(phase event.Phase) event.Phase {
	if p.lane == "" || phase == event.Done || phase == "" {
		return phase
	}
	return event.Phase(strings.TrimSpace(p.lane) + "-" + string(phase))
}

// Bytes writes a number of bytes as 12.3 MB.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%d B", n)
	}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
