package deployer

import (
	"context"
	"errors"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// DestroyOptions say what to remove.
type DestroyOptions struct {
	Target
	Name            string
	Timeout         time.Duration // 2m
	DeleteNamespace bool          // only one that egk8s made and that is empty then
	DeleteData      bool          // volumes too
	DryRun          bool          // plan only
}

// DestroyResult is what was removed; `-o json` prints it.
type DestroyResult struct {
	APIVersion string   `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string   `json:"kind"`       // DestroyResult
	Outcome    Outcome  `json:"outcome"`
	ExitCode   int      `json:"exitCode"`
	Name       string   `json:"name"`
	Context    string   `json:"context"`
	Namespace  string   `json:"namespace"`
	DurationMs int64    `json:"durationMs"`
	Deleted    []Change `json:"deleted"`
	Kept       []string `json:"kept,omitempty"` // what stays, and why
	Error      string   `json:"error,omitempty"`
}

// Destroy removes everything that deploys of this release made, its records and its lock included.
// Nothing under that name gives a NotDeployedError.
func Destroy(ctx context.Context, opts DestroyOptions, sink event.Sink) (*DestroyResult, error) {
	return nil, errors.New("destroy is not built yet")
}
