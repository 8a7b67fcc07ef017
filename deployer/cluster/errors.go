package cluster

import (
	"fmt"
	"strings"
)

// NoConfigError says that no cluster is configured, or that the context asked for does not exist.
type NoConfigError struct {
	Files    []string // kubeconfig files that were looked at
	Context  string   // the context asked for; empty: there is no current one
	Contexts []string // the contexts that exist
	Err      error    // why a file could not be read; may be nil
}

func (e *NoConfigError) Error() string {
	files := strings.Join(e.Files, ", ")
	switch {
	case e.Err != nil:
		return fmt.Sprintf("read kubeconfig %s: %v", files, e.Err)
	case e.Context != "":
		return fmt.Sprintf("no context %q in %s", e.Context, files)
	case len(e.Contexts) > 0:
		return fmt.Sprintf("no cluster chosen: %s has no current context", files)
	default:
		return fmt.Sprintf("no cluster configured: %s", files)
	}
}

func (e *NoConfigError) Unwrap() error { return e.Err }

// UnreachableError says that the API server did not answer, or that it did not accept who we are.
type UnreachableError struct {
	Server  string
	Context string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("reach API server %s (context %q): %v", e.Server, e.Context, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// ForbiddenError says that the API server refused a request for want of rights.
type ForbiddenError struct {
	Verb      string // create
	Resource  string // deployments.apps
	Namespace string
	Err       error // the API server's own sentence
}

func (e *ForbiddenError) Error() string {
	if e.Namespace == "" {
		return fmt.Sprintf("not allowed to %s %s: %v", e.Verb, e.Resource, e.Err)
	}
	return fmt.Sprintf("not allowed to %s %s in namespace %s: %v", e.Verb, e.Resource, e.Namespace, e.Err)
}

func (e *ForbiddenError) Unwrap() error { return e.Err }
