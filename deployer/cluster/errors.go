package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"egk8s.dev/egk8s/deployer/object"
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

// NoKindError says that the API server does not know a kind.
type NoKindError struct {
	Kind       string
	APIVersion string
}

func (e *NoKindError) Error() string {
	return fmt.Sprintf("the cluster has no kind %s in %s", e.Kind, e.APIVersion)
}

// IsNotFound tells whether err says that an object does not exist.
func IsNotFound(err error) bool { return apierrors.IsNotFound(err) }

// IsExists tells whether err says that an object exists already.
func IsExists(err error) bool { return apierrors.IsAlreadyExists(err) }

// IsConflict tells whether err says that somebody else changed an object meanwhile, or owns its fields.
func IsConflict(err error) bool { return apierrors.IsConflict(err) }

// explain gives an error of the API server its type: want of rights, no answer, or a refusal of the
// object, which keeps its apimachinery type and gets the request's name.
func (c *Client) explain(verb string, ref object.Ref, err error) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: %w", verb, ref, err)
	case !errors.As(err, &status), apierrors.IsUnauthorized(err), unavailable(err):
		return &UnreachableError{Server: c.Server, Context: c.Context, Err: err}
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot "):
		return &ForbiddenError{Verb: verb, Resource: resourceName(ref), Namespace: ref.Namespace, Err: err}
	default:
		return fmt.Errorf("%s %s: %w", verb, ref, err)
	}
}

// unavailable tells whether the API server, or a proxy before it, answered that it cannot answer now. A webhook
// that cannot be called is a refusal: it concerns some objects only, and is named in the sentence.
func unavailable(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	s := status.Status()
	return apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		s.Code >= http.StatusInternalServerError && !strings.Contains(s.Message, "webhook")
}

func resourceName(ref object.Ref) string {
	gvr, ok := object.Resource(ref.GVK())
	if !ok {
		return ref.Kind
	}
	return gvr.GroupResource().String()
}
