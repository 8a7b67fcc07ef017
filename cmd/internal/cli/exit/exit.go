// Package exit holds the exit codes, a published contract, and the one place that maps an error to
// one of them.
package exit

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/gateway/diag"
)

// Code is the exit code of the program.
type Code int

// The exit codes. A pipeline may retry 4, 7, 8, 130 and 143.
const (
	OK          Code = 0
	Bug         Code = 1
	Usage       Code = 2
	Project     Code = 3
	Unreachable Code = 4
	Refused     Code = 5
	Unhealthy   Code = 6
	Unfinished  Code = 7
	Image       Code = 8
	NotFound    Code = 9
	Differences Code = 10
	Interrupted Code = 130
	Terminated  Code = 143
)

// Info explains a code.
type Info struct {
	Code    Code
	Meaning string
	Retry   string // yes, no, or empty where the question makes no sense
}

// Table returns all codes in order, for help and documents.
func Table() []Info {
	return []Info{
		{OK, "done, unchanged, or healthy", ""},
		{Bug, "a bug in egk8s", "no"},
		{Usage, "wrong usage; no cluster configured; an answer is missing and questions are off", "no"},
		{Project, "the project is not valid: egk8s.yaml, a gateway file, a policy this gateway lacks, a profile, a plan file", "no"},
		{Unreachable, "cluster, registry or cloud cannot be reached, or we may not", "yes"},
		{Refused, "the API server refused an object: conflict, admission, immutable field, quota; or the cluster moved since the plan", "no"},
		{Unhealthy, "not healthy: pods fail, a probe is wrong, another config is loaded; or check, --fail-on or --prove-max-lost refuses", "no"},
		{Unfinished, "not finished: time-out, detached, or another deploy holds the lock", "yes"},
		{Image, "the image could not be assembled, pushed or loaded", "yes"},
		{NotFound, "nothing is deployed under that name; or the gateway knows no such user, application, credential, scope or token", "no"},
		{Differences, "differences found (diff, or deploy with --dry-run or --plan-out, with --exit-code)", ""},
		{Interrupted, "interrupted (SIGINT)", "yes"},
		{Terminated, "terminated (SIGTERM)", "yes"},
	}
}

// Error is an error that carries its own code.
type Error struct {
	Code Code
	Err  error
	// Shown is true when the user has already been told.
	Shown bool
	Hint  []string // what to do next
}

// Error returns the message of what it wraps.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what it wraps.
func (e *Error) Unwrap() error { return e.Err }

// SignalError is the cause of a context that a signal cancelled.
type SignalError struct{ Signal os.Signal }

// Error names the signal.
func (e *SignalError) Error() string {
	if e.Signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// UsageError is a wrong command line, or an answer that is missing.
type UsageError struct {
	Message string
	Help    string   // what was probably meant
	Hint    []string // what to do instead
	Command string   // path of the command, for the usage line; empty: no usage line
	UseLine string
}

// Error returns the message.
func (e *UsageError) Error() string { return e.Message }

// Of returns the code of an error. A broken pipe is no error: the reader had enough.
func Of(err error) Code {
	var own *Error
	var usage *UsageError
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return OK
	case errors.As(err, &own):
		return own.Code
	case errors.As(err, &usage):
		return Usage
	}
	if code, ok := ofSignal(err); ok {
		return code
	}
	if _, ok := errors.AsType[diag.Problems](err); ok {
		return Project
	}
	if code, ok := ofDeployer(err); ok {
		return code
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return Usage
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unfinished
	}
	return Bug
}

// Several is the code of a run with several targets: the first of 5, 6, 8, 4 and 7 that occurred, else the
// first of the others; 10 only where nothing failed.
func Several(codes []Code) Code {
	for _, code := range []Code{Refused, Unhealthy, Image, Unreachable, Unfinished, Terminated, Interrupted, Project, Usage, Bug, NotFound, Differences} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return OK
}

func ofSignal(err error) (Code, bool) {
	var signal *SignalError
	if !errors.As(err, &signal) {
		return 0, false
	}
	if signal.Signal == syscall.SIGTERM {
		return Terminated, true
	}
	return Interrupted, true
}

// ofDeployer maps the errors that the verbs of the deployer return.
func ofDeployer(err error) (Code, bool) {
	switch {
	case errors.Is(err, deployer.ErrDetached), is[*deployer.TimeoutError](err), is[*deployer.LockedError](err):
		return Unfinished, true
	case is[*deployer.ImageError](err), is[*image.Error](err):
		return Image, true
	case is[*deployer.UnhealthyError](err), is[*deployer.CheckError](err):
		return Unhealthy, true
	case is[*deployer.ConflictError](err), is[*deployer.ImmutableError](err), is[*deployer.RefusedError](err),
		is[*deployer.StalePlanError](err):
		return Refused, true
	case is[*deployer.NoConfigError](err):
		return Usage, true
	case is[*deployer.UnreachableError](err), is[*deployer.ForbiddenError](err), is[*deployer.CloudError](err):
		return Unreachable, true
	case is[*deployer.SettingsError](err), is[*deployer.NewerRecordError](err), is[*cloud.UnknownError](err):
		return Project, true
	case is[*deployer.NotDeployedError](err):
		return NotFound, true
	}
	return 0, false
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
