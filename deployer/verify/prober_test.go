package verify_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/verify"
)

// lateKubelet is a cluster whose kubelet hears of the prober's pod only after some requests for its log;
// with gone the pod is not there at all.
type lateKubelet struct {
	verify.Cluster

	refusals int
	gone     bool
}

var errNotFound = apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "probe")

func (c *lateKubelet) Get(context.Context, object.Ref) (*unstructured.Unstructured, error) {
	if c.gone {
		return nil, errNotFound
	}
	return &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"phase": "Pending"}}}, nil
}

func (c *lateKubelet) PodLogs(context.Context, string, string, cluster.LogOptions) (io.ReadCloser, error) {
	if c.refusals--; c.gone || c.refusals >= 0 {
		return nil, errNotFound
	}
	return io.NopCloser(strings.NewReader(`{"id":"a","status":200,"final":true}` + "\n" + `{"end":true}` + "\n")), nil
}

// TestAnswersFromALateKubelet: a kubelet that does not know the new pod yet answers 404 for its log. That
// ends the waiting only when the pod is gone.
func TestAnswersFromALateKubelet(t *testing.T) {
	t.Parallel()
	var got []string
	take := func(a verify.Answer) bool { got = append(got, a.ID); return true }
	late := &verify.Prober{Cluster: &lateKubelet{refusals: 2}}
	if err := late.Answers(t.Context(), take); err != nil || len(got) != 1 {
		t.Errorf("%v, answers %q", err, got)
	}
	gone := &verify.Prober{Cluster: &lateKubelet{gone: true}}
	if err := gone.Answers(t.Context(), take); !errors.Is(err, errNotFound) {
		t.Errorf("error %v", err)
	}
}
