package expose_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"egk8s.dev/egk8s/deployer/expose"
)

// TestPending: who makes load balancers says why there is none yet; silence means that nobody does.
func TestPending(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	told := func(kind, reason, message string, first, last time.Duration) corev1.Event {
		return corev1.Event{
			Type: kind, Reason: reason, Message: message,
			FirstTimestamp: metav1.NewTime(now.Add(-first)), LastTimestamp: metav1.NewTime(now.Add(-last)),
		}
	}
	class := "networking.gke.io/l4-regional-external"
	cases := map[string]struct {
		class  *string
		events []corev1.Event
		says   string
		proven bool
	}{
		"nobody":          {nil, nil, "may have none", false},
		"nobody of class": {&class, nil, class, false},
		"being made":      {nil, []corev1.Event{told("Normal", "EnsuringLoadBalancer", "Ensuring load balancer", time.Minute, time.Minute)}, "is being made", false},
		"refused now":     {nil, []corev1.Event{told("Warning", "SyncLoadBalancerFailed", "quota of addresses", 2*time.Second, 2*time.Second)}, "quota of addresses", false},
		"refused for long": {nil, []corev1.Event{
			told("Warning", "SyncLoadBalancerFailed", "quota of addresses", 20*time.Second, time.Second),
			told("Normal", "EnsuringLoadBalancer", "Ensuring load balancer", 20*time.Second, time.Second),
		}, "quota of addresses", true},
		"the newest word counts": {nil, []corev1.Event{
			told("Warning", "AllocationFailed", "no available IPs", 15*time.Second, time.Second),
			told("Warning", "Other", "old", time.Minute, 30*time.Second),
		}, "no available IPs", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "n"}, Spec: corev1.ServiceSpec{LoadBalancerClass: c.class}}
			cause, proven := expose.Pending(svc, c.events, now)
			if !strings.Contains(cause.Message, c.says) || proven != c.proven || cause.Code != "load-balancer-pending" {
				t.Errorf("%+v, proven %v; want %q, %v", cause, proven, c.says, c.proven)
			}
		})
	}
}
