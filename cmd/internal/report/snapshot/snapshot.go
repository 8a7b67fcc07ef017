// Package snapshot folds the event stream into a picture of one moment: which phases ran, which
// objects there are and how they are. Views and reports are pure functions of it.
package snapshot

import (
	"slices"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// PhaseState is how a phase is.
type PhaseState int

// The states of a phase.
const (
	Running PhaseState = iota
	Finished
	Failed
)

// Phase is one stage that has begun.
type Phase struct {
	Name    event.Phase
	State   PhaseState
	Message string // the summary, once it has ended; before, what it does now
	Started time.Time
	Ended   time.Time
}

// Object is one Kubernetes object, or an image that is delivered.
type Object struct {
	Name     string // Kind/name
	Parent   string
	Phase    event.Phase
	Action   event.Action
	State    event.State
	Message  string
	Progress *event.Count
	First    time.Time // when it was first heard of
	Since    time.Time // when its state or message last changed
}

// Note is a warning or an information, with its phase.
type Note struct {
	Phase   event.Phase
	Message string
}

// Snapshot is a run at one moment. The zero value is a run of which nothing was heard.
type Snapshot struct {
	Target   string
	Header   event.Header
	Started  time.Time
	Last     time.Time // time of the last event
	Phases   []Phase
	Objects  []Object
	Warnings []Note
	Causes   []event.Cause
	Outcome  string // empty while it runs
}

// Apply takes in one event.
func (s *Snapshot) Apply(e event.Event) {
	if s.Started.IsZero() {
		s.Started = e.Time
	}
	s.Last = e.Time
	if e.Target != "" {
		s.Target = e.Target
	}
	if e.Started != nil {
		s.header(*e.Started)
	}
	switch e.Type {
	case event.PhaseStarted, event.PhaseFinished, event.PhaseFailed:
		s.phase(e)
	case event.Object:
		s.object(e)
	case event.Progress:
		if e.Object != "" {
			s.object(e)
		} else if p := s.running(e.Phase); p != nil && e.Message != "" {
			p.Message = e.Message
		}
	case event.Info:
		if p := s.running(e.Phase); p != nil {
			p.Message = e.Message
		}
	case event.Warning:
		s.Warnings = append(s.Warnings, Note{e.Phase, e.Message})
	case event.Diagnosis:
		if e.Diagnosis != nil {
			s.Causes = append(s.Causes, *e.Diagnosis)
		}
	case event.Result:
		s.Outcome = e.Message
	}
}

// Clone returns a copy that later events do not change.
func (s *Snapshot) Clone() Snapshot {
	c := *s
	c.Phases = slices.Clone(s.Phases)
	c.Objects = slices.Clone(s.Objects)
	c.Warnings = slices.Clone(s.Warnings)
	c.Causes = slices.Clone(s.Causes)
	return c
}

// Current returns the newest phase that runs, or nil.
func (s *Snapshot) Current() *Phase {
	for i := len(s.Phases) - 1; i >= 0; i-- {
		if s.Phases[i].State == Running {
			return &s.Phases[i]
		}
	}
	return nil
}

// Waiting returns the object that a run most likely waits for: a pod before a Deployment, a failing
// one before one that is not ready; nil when all are ready.
func (s *Snapshot) Waiting() *Object {
	best, bestRank := -1, 0
	for i, o := range s.Objects {
		if rank := s.waitingRank(o); rank > bestRank {
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		return nil
	}
	return &s.Objects[best]
}

func (s *Snapshot) waitingRank(o Object) int {
	rank := 0
	switch o.State {
	case event.Failed:
		rank = 30
	case event.Waiting, event.Progressing:
		rank = 20
	default:
		return 0
	}
	if o.Parent != "" {
		rank += 2
	}
	if o.Message != "" {
		rank++
	}
	return rank
}

// Find returns the object of that name, or nil.
func (s *Snapshot) Find(name string) *Object {
	if i := slices.IndexFunc(s.Objects, func(o Object) bool { return o.Name == name }); i >= 0 {
		return &s.Objects[i]
	}
	return nil
}

func (s *Snapshot) header(h event.Header) {
	if h.Revision == 0 {
		h.Revision = s.Header.Revision
	}
	if h.Deadline.IsZero() {
		h.Deadline = s.Header.Deadline
	}
	s.Header = h
}

func (s *Snapshot) running(name event.Phase) *Phase {
	for i := range s.Phases {
		if s.Phases[i].Name == name && s.Phases[i].State == Running {
			return &s.Phases[i]
		}
	}
	return nil
}

func (s *Snapshot) phase(e event.Event) {
	i := slices.IndexFunc(s.Phases, func(p Phase) bool { return p.Name == e.Phase })
	if i < 0 {
		i = len(s.Phases)
		s.Phases = append(s.Phases, Phase{Name: e.Phase, Started: e.Time})
	}
	p := &s.Phases[i]
	if e.Message != "" || e.Type != event.PhaseStarted {
		p.Message = e.Message
	}
	switch e.Type {
	case event.PhaseFinished:
		p.State, p.Ended = Finished, e.Time
	case event.PhaseFailed:
		p.State, p.Ended = Failed, e.Time
	default:
		p.State, p.Ended = Running, time.Time{}
	}
}

func (s *Snapshot) object(e event.Event) {
	o := s.Find(e.Object)
	if o == nil {
		s.Objects = append(s.Objects, Object{Name: e.Object, First: e.Time, Since: e.Time})
		o = &s.Objects[len(s.Objects)-1]
	}
	if e.Parent != "" {
		o.Parent = e.Parent
	}
	if e.Action != "" {
		o.Action = e.Action
	}
	if e.Type == event.Object && (e.State != o.State || e.Message != o.Message) {
		o.Since = e.Time
		o.Message = e.Message
	}
	if e.State != "" {
		o.State = e.State
	}
	if e.Progress != nil {
		count := *e.Progress
		o.Progress = &count
	}
	o.Phase = e.Phase
}
