package apply

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// Explain turns what the API server says about an object into the error that names the field.
func Explain(ref object.Ref, err error) error { return explain(ref, err) }

func explain(ref object.Ref, err error) error {
	var forbidden *cluster.ForbiddenError
	var unreachable *cluster.UnreachableError
	var kind *cluster.NoKindError
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &forbidden), errors.As(err, &unreachable):
		return err
	case errors.As(err, &kind):
		return &RefusedError{Object: ref.String(), Reason: "unknown kind", Err: err}
	case !errors.As(err, &status):
		return err
	}
	causes := causesOf(status)
	if c := conflicts(causes); len(c) > 0 {
		return &ConflictError{Object: ref.String(), Conflicts: c, Err: err}
	}
	for _, c := range causes {
		if strings.Contains(c.Message, "field is immutable") || strings.Contains(c.Message, "may not be changed") {
			return &ImmutableError{Object: ref.String(), Field: c.Field, Err: err}
		}
	}
	return &RefusedError{Object: ref.String(), Reason: reason(status.Status()), Err: errors.New(status.Status().Message)}
}

// onlyOurs tells whether an apply conflicts with nobody but the manager to which we handed fields over.
func onlyOurs(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	list := conflicts(causesOf(status))
	return len(list) > 0 && !slices.ContainsFunc(list, func(c FieldConflict) bool { return c.Manager != handOver })
}

// outrun tells whether a write failed because the object changed meanwhile, or because nobody answered.
func outrun(err error) bool {
	var status apierrors.APIStatus
	var unreachable *cluster.UnreachableError
	return errors.As(err, &unreachable) || errors.As(err, &status) && cluster.IsConflict(err) && len(conflicts(causesOf(status))) == 0
}

func causesOf(status apierrors.APIStatus) []metav1.StatusCause {
	if d := status.Status().Details; d != nil {
		return d.Causes
	}
	return nil
}

// conflicts reads who owns what from causes such as: conflict with "kubectl-scale" using apps/v1
func conflicts(causes []metav1.StatusCause) []FieldConflict {
	owner := regexp.MustCompile(`conflict with "([^"]+)"`)
	var out []FieldConflict
	for _, c := range causes {
		if c.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		conflict := FieldConflict{Field: strings.TrimPrefix(c.Field, "."), Manager: c.Message}
		if m := owner.FindStringSubmatch(c.Message); m != nil {
			conflict.Manager = m[1]
		}
		out = append(out, conflict)
	}
	return out
}

func reason(s metav1.Status) string {
	switch {
	case strings.Contains(s.Message, "exceeded quota"):
		return "quota exceeded"
	case strings.Contains(s.Message, "admission webhook"), strings.Contains(s.Message, "failed calling webhook"):
		return "refused by an admission webhook"
	case s.Reason == metav1.StatusReasonForbidden:
		return "refused by admission"
	case s.Reason == metav1.StatusReasonInvalid:
		return "not valid"
	case s.Reason == metav1.StatusReasonNotFound:
		return "namespace or kind missing"
	case s.Reason == metav1.StatusReasonAlreadyExists:
		return "exists already"
	default:
		return string(s.Reason)
	}
}
