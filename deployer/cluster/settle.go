package cluster

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
)

// settle sends a write that must happen once. Where the answer was lost, the object itself tells whether it
// happened: then it is what was sent, else the write is sent again.
func (c *Client) settle(ctx context.Context, sent *unstructured.Unstructured, write func() (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	wait := firstWait
	for attempt := 1; ; attempt++ {
		out, err := write()
		doubtful := unanswered(err)
		if err == nil || ctx.Err() != nil || attempt == attempts || !doubtful && attempt == 1 {
			return out, err
		}
		if !doubtful && !IsExists(err) && !IsConflict(err) {
			return nil, err
		}
		live, getErr := c.Get(ctx, object.Of(sent))
		switch {
		case getErr == nil && holdsAll(live, sent):
			return live, nil
		case !doubtful, getErr != nil && !IsNotFound(getErr):
			return nil, err
		}
		pause(ctx, wait)
		wait = min(2*wait, mostWait)
	}
}

// unanswered tells whether it is unknown what became of a request.
func unanswered(err error) bool {
	var status apierrors.APIStatus
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case !errors.As(err, &status):
		return connectionLost(err) || notSent(err)
	default:
		return status.Status().Code >= http.StatusInternalServerError
	}
}

// holdsAll tells whether live has everything that was sent, apart from what the API server keeps for itself.
func holdsAll(live, sent *unstructured.Unstructured) bool {
	for key, value := range sent.Object {
		if key != "metadata" && key != "status" && !within(value, live.Object[key]) {
			return false
		}
	}
	return within(anyMap(sent.GetLabels()), anyMap(live.GetLabels())) && within(anyMap(sent.GetAnnotations()), anyMap(live.GetAnnotations()))
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// within tells whether all of part is in whole: maps may have more there, lists may not.
func within(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		if !ok {
			return len(part) == 0
		}
		for k, v := range part {
			if !within(v, w[k]) {
				return false
			}
		}
		return true
	case []any:
		w, _ := whole.([]any)
		if len(w) != len(part) {
			return false
		}
		for i := range part {
			if !within(part[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(part, whole)
	}
}
