package deployer

import (
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// Health is one word for how a release is.
type Health string

// The healths.
const (
	Healthy     Health = "healthy"     // every replica is ready and serves the recorded config
	Updating    Health = "progressing" // a rollout is under way and nothing is wrong
	Degraded    Health = "degraded"    // it serves, and something is wrong
	Unavailable Health = "unavailable" // nothing serves
)

// StatusOptions say which release to look at.
type StatusOptions struct {
	Target
	Name string
	// Timeout bounds one look; 30s. Watch has no bound but the context.
	Timeout time.Duration
}

// PodStatus is one replica.
type PodStatus struct {
	Name            string      `json:"name"`
	Node            string      `json:"node,omitempty"`
	State           event.State `json:"state"`
	Message         string      `json:"message,omitempty"` // why it is not ready
	Restarts        int         `json:"restarts"`
	Since           time.Time   `json:"since"`
	Version         string      `json:"version,omitempty"`      // of the gateway; empty: did not answer
	ConfigDigest    string      `json:"configDigest,omitempty"` // that it has loaded; empty: did not answer
	ConsumersDigest string      `json:"consumersDigest,omitempty"`
	Current         bool        `json:"current"` // made from the newest pod template
}

// ServiceStatus is how the gateway is reached.
type ServiceStatus struct {
	Type      string   `json:"type"`
	Ports     []string `json:"ports"`               // http 8080, https 8443
	Addresses []string `json:"addresses,omitempty"` // load balancer addresses, node ports
	Endpoints int      `json:"endpoints"`           // ready ones
}

// Drift is an object that somebody changed since the last deploy.
type Drift struct {
	Object string   `json:"object"` // Kind/name
	Fields []string `json:"fields,omitempty"`
	By     string   `json:"by,omitempty"` // field manager
}

// StatusResult is how a release is; `-o json` prints it.
type StatusResult struct {
	APIVersion   string        `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind         string        `json:"kind"`       // Status
	Name         string        `json:"name"`
	Namespace    string        `json:"namespace"`
	Context      string        `json:"context"`
	Cloud        string        `json:"cloud,omitempty"`
	Health       Health        `json:"health"`
	Revision     int           `json:"revision"`
	Updated      time.Time     `json:"updated"` // when that revision was recorded
	Image        string        `json:"image"`
	ImageDigest  string        `json:"imageDigest,omitempty"`
	ConfigDigest string        `json:"configDigest"`
	Replicas     int           `json:"replicas"` // wanted
	Ready        int           `json:"ready"`
	Current      int           `json:"current"` // ready ones that have loaded ConfigDigest
	Restarts     int           `json:"restarts"`
	Pods         []PodStatus   `json:"pods"`
	Service      ServiceStatus `json:"service"`
	URL          string        `json:"url,omitempty"`
	Reach        string        `json:"reach,omitempty"`
	Drift        []Drift       `json:"drift,omitempty"`
	// Unfinished says that a deploy was interrupted: by whom, when, and the command that resumes it.
	Unfinished string        `json:"unfinished,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"`
	Failures   []event.Cause `json:"failures"`
}
