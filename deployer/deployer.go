// Package deployer is everything between a project folder and a healthy release.
//
// The verbs of this package read like a table of contents: each runs stages that take the values
// of those before, emits events, and ends with a Result or a typed error. Nothing reaches back.
package deployer

import (
	"log/slog"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

// Target says which cluster, and where in it.
type Target struct {
	Kubeconfig string // path; empty: KUBECONFIG, then ~/.kube/config
	Context    string // empty: the project's, then the current one
	Namespace  string // empty: the project's, then the context's, then "default"
	Cloud      string // profile name; empty: the project's, then detected
	As         string // impersonated user; empty: none
	AsGroups   []string
	// Log receives the diagnostics of client libraries; nil: none.
	Log *slog.Logger
}

// DeployOptions are the choices of one deploy.
type DeployOptions struct {
	Target
	Project *project.Project
	Timeout time.Duration // of the whole run; 5m
	// Repository overrides the project's image.repository.
	Repository string
	// Image overrides the embedded image: a full reference that the cluster can already pull.
	Image          string
	ForceConflicts bool
	DryRun         DryRun
	RollBack       bool // roll back to the last good revision when the deploy fails
	// Evidence is the folder for the archive of what a deploy that is not healthy, or not finished in time, leaves
	// behind; empty: none is kept.
	Evidence string
	// PlanOut is the file that the plan is written to; the deploy ends then. Empty: none.
	PlanOut string
	// Plan is what must still be what the deploy would do; nil: whatever it is.
	Plan *SavedPlan
	// FailOn refuses the deploy when requests would be answered differently in that way.
	FailOn   FailOn
	Prove    ProveOptions
	CreateNS bool // create the namespace when it is missing
	// Version is the version of egk8s, written into the release record.
	Version string
}

// DryRun says how far a dry run goes.
type DryRun string

// The dry runs.
const (
	DryRunNone   DryRun = ""
	DryRunClient DryRun = "client" // stop after the plan
	DryRunServer DryRun = "server" // let the API server judge every object
)

// Outcome is the last word on a run.
type Outcome string

// The outcomes.
const (
	Succeeded   Outcome = "succeeded"
	Unchanged   Outcome = "unchanged"
	Planned     Outcome = "planned" // a dry run that found changes
	FailedRun   Outcome = "failed"
	Unfinished  Outcome = "unfinished"
	Interrupted Outcome = "interrupted"
	Skipped     Outcome = "skipped" // one of several targets that was not begun
)

// Change is one object of a plan.
type Change struct {
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`
	Namespace string       `json:"namespace,omitempty"`
	Action    event.Action `json:"action"`
	Reason    string       `json:"reason,omitempty"`
}

// ProbeResult is one request of the verification.
type ProbeResult struct {
	Name    string `json:"name"`   // apiEndpoint, or the declared probe's method and path
	Method  string `json:"method"` // GET
	Path    string `json:"path"`
	Host    string `json:"host,omitempty"`
	Status  int    `json:"status"`  // 0: no answer
	Outcome string `json:"outcome"` // ok, warning, failed
	Message string `json:"message,omitempty"`
}

// Result is what a deploy or a rollback did; `-o json` prints it. ExitCode stays 0 here: the program maps the
// error that came with the Result to a code.
type Result struct {
	APIVersion          string   `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind                string   `json:"kind"`       // DeployResult, RollbackResult
	Outcome             Outcome  `json:"outcome"`
	ExitCode            int      `json:"exitCode"`
	Name                string   `json:"name"`
	Cloud               string   `json:"cloud"`
	Context             string   `json:"context"`
	Namespace           string   `json:"namespace"`
	Revision            int      `json:"revision"`
	DurationMs          int64    `json:"durationMs"`
	TimeToFirstAnswerMs int64    `json:"timeToFirstAnswerMs,omitempty"`
	Image               string   `json:"image"`
	ImageDigest         string   `json:"imageDigest"`
	ConfigDigest        string   `json:"configDigest"`
	Replicas            int      `json:"replicas"`
	Ready               int      `json:"ready"`
	URL                 string   `json:"url,omitempty"`   // set only when it answered from here
	Reach               string   `json:"reach,omitempty"` // else the command that makes it reachable
	RolledBack          bool     `json:"rolledBack,omitempty"`
	RestoredRevision    int      `json:"restoredRevision,omitempty"` // that a rollback brought back
	Changes             []Change `json:"changes"`
	// Requests are answered differently than by the revision before; empty: none, or there was none before.
	Requests []offline.Change `json:"requests,omitempty"`
	Probes   []ProbeResult    `json:"probes"`
	Proof    *Proof           `json:"proof,omitempty"` // of --prove
	Warnings []string         `json:"warnings,omitempty"`
	Failures []event.Cause    `json:"failures"`
	// Pending is what is not there yet and stops no deploy: an address of the load balancer.
	Pending  []event.Cause `json:"pending,omitempty"`
	Evidence string        `json:"evidence,omitempty"` // path of the archive of a failure
	PlanFile string        `json:"planFile,omitempty"` // that --plan-out wrote
	Error    string        `json:"error,omitempty"`
}
