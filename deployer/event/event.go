// Package event is the typed stream of what happens during a deploy: data, which the TUI, the plain
// log, NDJSON, JUnit and the CI adapters render. A thing that only one of them can show does not exist.
package event

import "time"

// Phase is a stage of the pipeline, in the order in which it runs.
type Phase string

// The phases of a deploy.
const (
	Project Phase = "project"
	Cluster Phase = "cluster"
	Cloud   Phase = "cloud"
	Render  Phase = "render"
	Check   Phase = "check"
	Plan    Phase = "plan"
	Image   Phase = "image"
	Apply   Phase = "apply"
	Rollout Phase = "rollout"
	Expose  Phase = "expose"
	Verify  Phase = "verify"
	Record  Phase = "record"
	Done    Phase = "done"
)

// Type says which fields of an Event are set.
type Type string

// The types of events.
const (
	PhaseStarted  Type = "phase-started"
	PhaseFinished Type = "phase-finished" // Message is the summary: "7 objects", "2 created, 3 changed"
	PhaseFailed   Type = "phase-failed"
	Object        Type = "object"   // Object, Parent, Action or State, Message
	Progress      Type = "progress" // Progress
	Info          Type = "info"
	Warning       Type = "warning" // Message, Problem position when it has one
	Diagnosis     Type = "diagnosis"
	Result        Type = "result" // the last event: Outcome in Message
)

// Action is what was done to an object.
type Action string

// The actions of apply.
const (
	Created    Action = "created"
	Configured Action = "configured"
	Unchanged  Action = "unchanged"
	Deleted    Action = "deleted"
)

// State is how an object is.
type State string

// The states of objects.
const (
	Waiting     State = "waiting"
	Progressing State = "progressing"
	Ready       State = "ready"
	Failed      State = "failed"
	Draining    State = "draining"
	Gone        State = "gone"
)

// Event is one thing that happened.
type Event struct {
	Time    time.Time `json:"t"`
	Seq     int64     `json:"seq"`
	Target  string    `json:"target,omitempty"` // release name; of several targets, the environment's or the cloud's
	Phase   Phase     `json:"phase"`
	Type    Type      `json:"type"`
	Object  string    `json:"object,omitempty"` // Kind/name
	Parent  string    `json:"parent,omitempty"` // Kind/name of the owner, for the tree
	Action  Action    `json:"action,omitempty"`
	State   State     `json:"state,omitempty"`
	Message string    `json:"message,omitempty"`

	Progress  *Count  `json:"progress,omitempty"`
	Diagnosis *Cause  `json:"diagnosis,omitempty"`
	Started   *Header `json:"started,omitempty"` // on the first event of a run
}

// Header says what a run is about, for the first line of every view.
type Header struct {
	Verb      string    `json:"verb"` // deploy, status, destroy
	Release   string    `json:"release,omitempty"`
	Cloud     string    `json:"cloud,omitempty"`
	Context   string    `json:"context,omitempty"`
	Namespace string    `json:"namespace,omitempty"`
	Revision  int       `json:"revision,omitempty"`
	Deadline  time.Time `json:"deadline,omitzero"`
}

// Count is how far something is: bytes of an image, replicas of a Deployment.
type Count struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	Unit  string `json:"unit"` // "replicas", "bytes"
}

// Cause is the one reason why a deploy failed, with its evidence and what to do next.
type Cause struct {
	// Code is stable: crash-loop, image-pull, unschedulable, quota, config-refused, probe-failed, …
	Code      string `json:"code"`
	Object    string `json:"object"` // Kind/name
	Container string `json:"container,omitempty"`
	// Pods is how many pods the cause holds for, and OfPods how many were looked at; 0: it is not about pods.
	Pods     int         `json:"pods,omitempty"`
	OfPods   int         `json:"ofPods,omitempty"`
	Reason   string      `json:"reason"`  // Kubernetes' own word: CrashLoopBackOff
	Message  string      `json:"message"` // one sentence
	ExitCode *int        `json:"exitCode,omitempty"`
	Restarts int         `json:"restarts,omitempty"`
	Logs     []string    `json:"logs,omitempty"` // at most 20 lines of 400 characters, cleaned and masked
	Previous bool        `json:"previous,omitempty"`
	Events   []KubeEvent `json:"events,omitempty"`
	Serving  string      `json:"serving,omitempty"` // what still serves: "revision 3 still serves (2/2)"
	File     string      `json:"file,omitempty"`    // when the evidence points into a user's file
	Line     int         `json:"line,omitempty"`
	Column   int         `json:"column,omitempty"`
	Fix      string      `json:"fix,omitempty"`
	Next     []string    `json:"next,omitempty"` // commands
}

// KubeEvent is one Kubernetes Event, shortened.
type KubeEvent struct {
	Age     time.Duration `json:"age"`
	Type    string        `json:"type"`
	Reason  string        `json:"reason"`
	Message string        `json:"message"`
	Count   int           `json:"count"`
}

// Sink receives events in order. It must not block for long and must be safe for concurrent use.
type Sink interface {
	Emit(Event)
}
