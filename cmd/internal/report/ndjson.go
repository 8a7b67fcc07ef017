package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// NDJSON writes one event per line, for programs.
type NDJSON struct{ encoder *json.Encoder }

// NewNDJSON returns an NDJSON that writes to w.
func NewNDJSON(w io.Writer) *NDJSON {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &NDJSON{e}
}

// Emit writes the event.
func (n *NDJSON) Emit(e event.Event) { _ = n.encoder.Encode(e) }

// Beat writes nothing: silence is data too.
func (n *NDJSON) Beat(time.Time) {}

// End is the last line of the stream.
type End struct {
	Type     string           `json:"type"` // end
	Outcome  deployer.Outcome `json:"outcome"`
	ExitCode int              `json:"exitCode"`
	Error    string           `json:"error,omitempty"`
	Problems diag.Problems    `json:"problems,omitempty"`
	Targets  []TargetEnd      `json:"targets,omitempty"` // of several targets
}

// TargetEnd is how one of several targets ended.
type TargetEnd struct {
	Target   string           `json:"target"`
	Wave     int              `json:"wave"`
	Outcome  deployer.Outcome `json:"outcome"`
	ExitCode int              `json:"exitCode"`
	Error    string           `json:"error,omitempty"`
}

// Close writes how the run ended.
func (n *NDJSON) Close(e Ending) {
	end := End{Type: "end", Outcome: e.Result.Outcome, ExitCode: e.Result.ExitCode, Problems: e.Problems}
	if e.Err != nil {
		end.Error = Clean(e.Err.Error())
	}
	for _, t := range e.Targets {
		one := TargetEnd{Target: t.Name, Wave: t.Wave, Outcome: t.Result.Outcome, ExitCode: t.Result.ExitCode}
		if t.Err != nil {
			one.Error = Clean(t.Err.Error())
		}
		end.Targets = append(end.Targets, one)
	}
	_ = n.encoder.Encode(end)
}

// Quiet writes nothing but the reason of a failure.
type Quiet struct {
	w      io.Writer
	theme  theme.Theme
	groups Groups
}

// NewQuiet returns a Quiet that writes to w. groups may be nil.
func NewQuiet(w io.Writer, t theme.Theme, groups Groups) *Quiet { return &Quiet{w, t, groups} }

// Emit writes nothing.
func (q *Quiet) Emit(event.Event) {}

// Beat writes nothing.
func (q *Quiet) Beat(time.Time) {}

// Close writes the failure block where there is a cause to explain; another error is told by who ends
// the program.
func (q *Quiet) Close(e Ending) {
	for _, t := range e.Targets {
		if t.Err != nil {
			WriteBlock(q.w, targetBlock(t, q.theme, 0), q.groups)
		}
	}
	if e.Err != nil && len(e.Targets) > 0 {
		fmt.Fprintf(q.w, "\n%s\n", strings.Join(Overview(e, q.theme), "\n"))
	}
	if e.Err != nil && len(e.Causes()) > 0 {
		WriteBlock(q.w, Block(e, q.theme), q.groups)
	}
}
