package deployer

import (
	"errors"
	"fmt"
	"time"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/deployer/release"
)

// The errors that the verbs return, found with errors.As; the number is the exit code of its class.
// An error that is none of these, nor a diag.Problems (3), nor a context error (130, 143; ErrDetached: 7) is a
// bug in egk8s (1).
type (
	// NoConfigError (2): no kubeconfig, or no such context.
	NoConfigError = cluster.NoConfigError
	// UnreachableError (4): the API server did not answer or does not know us.
	UnreachableError = cluster.UnreachableError
	// ForbiddenError (4): a request was refused for want of rights.
	ForbiddenError = cluster.ForbiddenError
	// ConflictError (5): fields belong to other field managers.
	ConflictError = apply.ConflictError
	// ImmutableError (5): a field that cannot be changed.
	ImmutableError = apply.ImmutableError
	// RefusedError (5): the API server or a webhook refused an object.
	RefusedError = apply.RefusedError
	// LockedError (7): another deploy of this release is running.
	LockedError = release.LockedError
	// ImageError (8): the image could not be assembled, pushed or loaded.
	ImageError = image.Error
	// NewerRecordError (3): a newer egk8s deployed last.
	NewerRecordError = release.NewerRecordError
)

// SettingsError (3) says that the project, the profile or a flag asks for what cannot be. Where a
// file is to blame, the error is a diag.Problems instead.
type SettingsError struct {
	Message string
	Hint    string
}

func (e *SettingsError) Error() string { return e.Message }

// CheckError (6) says that preflight found what makes the deploy fail: nothing was changed.
type CheckError struct {
	Code    string
	Message string
	Hint    string
}

func (e *CheckError) Error() string { return e.Message }

// UnhealthyError (6) says that the release was applied and is not healthy.
type UnhealthyError struct {
	Cause      event.Cause   // the first one, which explains the others
	Others     []event.Cause // further ones
	RolledBack bool
}

func (e *UnhealthyError) Error() string {
	return fmt.Sprintf("%s: %s", e.Cause.Object, e.Cause.Message)
}

// TimeoutError (7) says that time ran out before a verdict.
type TimeoutError struct {
	After   time.Duration
	Waiting []event.Cause // what was still not ready, and why as far as known
	// Evidence is the path of the archive that the run left; empty: none.
	Evidence string
}

func (e *TimeoutError) Error() string {
	if len(e.Waiting) == 0 {
		return fmt.Sprintf("not finished after %s", e.After)
	}
	return fmt.Sprintf("not finished after %s: %s: %s", e.After, e.Waiting[0].Object, e.Waiting[0].Message)
}

// InterruptedError (130 or 143, by the signal; 7 when it wraps ErrDetached) says that the context
// ended first, and what had been done until then.
type InterruptedError struct {
	Applied []Change // what is in the cluster now
	Pending []Change // what was not sent any more
	Err     error    // the cause of the context's end
}

func (e *InterruptedError) Error() string {
	if errors.Is(e.Err, ErrDetached) {
		return ErrDetached.Error()
	}
	return fmt.Sprintf("%v after %d of %d objects were applied", e.Err, len(e.Applied), len(e.Applied)+len(e.Pending))
}

func (e *InterruptedError) Unwrap() error { return e.Err }

// NotDeployedError (9) says that nothing is deployed under that name.
type NotDeployedError struct {
	Name, Namespace, Context string
	Others                   []string // releases that exist there
}

func (e *NotDeployedError) Error() string {
	return fmt.Sprintf("nothing named %q is deployed in namespace %s of context %q", e.Name, e.Namespace, e.Context)
}
