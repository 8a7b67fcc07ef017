// Package apply runs a plan: it applies objects in stages, deletes what the plan prunes, and turns
// the API server's refusals into errors that name the field and its owner.
package apply

import (
	"fmt"
	"strings"
)

// FieldConflict is one field that somebody else owns.
type FieldConflict struct {
	Field   string // spec.replicas
	Manager string // kubectl-scale
}

// ConflictError says that fields of an object belong to other field managers.
type ConflictError struct {
	Object    string // Kind/name
	Conflicts []FieldConflict
	Err       error
}

func (e *ConflictError) Error() string {
	parts := make([]string, len(e.Conflicts))
	for i, c := range e.Conflicts {
		parts[i] = fmt.Sprintf("field %q of %s is owned by %q", c.Field, e.Object, c.Manager)
	}
	return strings.Join(parts, "; ")
}

func (e *ConflictError) Unwrap() error { return e.Err }

// ImmutableError says that a field cannot be changed on a live object.
type ImmutableError struct {
	Object string
	Field  string
	Err    error
}

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("field %q of %s cannot be changed on a live object", e.Field, e.Object)
}

func (e *ImmutableError) Unwrap() error { return e.Err }

// RefusedError says that the API server or an admission webhook refused an object.
type RefusedError struct {
	Object string
	Reason string // Invalid, Forbidden by admission, quota exceeded
	Err    error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("apply %s: %s: %v", e.Object, e.Reason, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }
