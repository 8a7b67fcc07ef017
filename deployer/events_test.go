package deployer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

func TestBelongs(t *testing.T) {
	t.Parallel()
	of := belongs("shop", []release.Entry{
		{Ref: object.Ref{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler", Name: "shop"}},
	})
	for name, want := range map[string]bool{
		"Deployment/shop": true, "Service/shop": true, "HorizontalPodAutoscaler/shop": true,
		"ReplicaSet/shop-6d5b8c9f7": true, "Pod/shop-6d5b8c9f7-2xk4q": true,
		"PodDisruptionBudget/shop": false, "Deployment/shop-admin": false, "Pod/shop-admin-6d5b8c9f7-2xk4q": false,
		"Pod/shop-backend": false, "Pod/myshop-6d5b8c9f7-2xk4q": false, "Pod/other": false, "Service/other": false,
	} {
		kind, rest, _ := strings.Cut(name, "/")
		if got := of(corev1.ObjectReference{Kind: kind, Name: rest}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestEventReader: oldest first whatever the list's order, each count once, and only what was asked for.
func TestEventReader(t *testing.T) {
	t.Parallel()
	at := func(uid, object, kind, reason string, minute, count int64) *unstructured.Unstructured {
		stamp := time.Date(2026, 11, 22, 9, int(minute), 0, 0, time.UTC).Format(time.RFC3339)
		return &unstructured.Unstructured{Object: map[string]any{
			"kind": "Event", "apiVersion": "v1", "metadata": map[string]any{"name": uid, "uid": uid}, "type": kind, "reason": reason,
			"message": " text\n", "count": count, "lastTimestamp": stamp,
			"involvedObject": map[string]any{"kind": "Deployment", "name": object},
		}}
	}
	list := []*unstructured.Unstructured{
		at("b", "shop", "Warning", "Failed", 5, 2), at("a", "shop", "Normal", "Scaled", 3, 1), at("c", "other", "Warning", "Failed", 4, 1),
	}
	var got []string
	r := &eventReader{
		belongs: belongs("shop", nil), told: map[string]int{},
		out: func(o Occurrence) { got = append(got, o.Time.Format("15:04 ")+o.Object+" "+o.Reason+" "+o.Message) },
	}
	r.Reset(list)
	r.Reset(list)                                      // a watch that lost its place
	r.Set(at("b", "shop", "Warning", "Failed", 6, 3))  // counted up
	r.Set(at("b", "shop", "Warning", "Failed", 6, 3))  // nothing new
	r.Set(at("d", "other", "Warning", "Failed", 7, 1)) // somebody else's
	want := []string{"09:03 Deployment/shop Scaled text", "09:05 Deployment/shop Failed text", "09:06 Deployment/shop Failed text"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	r = &eventReader{belongs: belongs("shop", nil), told: map[string]int{}, out: r.out, opts: EventsOptions{Warnings: true}}
	r.Reset(list)
	if len(got) != 1 {
		t.Errorf("only warnings: %q", got)
	}
	got = nil
	r = &eventReader{belongs: belongs("shop", nil), told: map[string]int{}, out: r.out, opts: EventsOptions{Object: "Service/shop"}}
	if r.Reset(list); len(got) != 0 {
		t.Errorf("only of the service: %q", got)
	}
}
