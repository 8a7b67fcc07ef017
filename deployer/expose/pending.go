package expose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// proof is how long what a controller complains of must last before waiting for the address is given up.
const proof = 10 * time.Second

// Pending explains why a Service of type LoadBalancer has no address: what the controller that makes load
// balancers said last, or that there is none. Proven is true when waiting on will not help.
func Pending(svc *corev1.Service, events []corev1.Event, now time.Time) (cause event.Cause, proven bool) {
	cause = event.Cause{
		Code: "load-balancer-pending", Object: "Service/" + svc.Name, Reason: "Pending",
		Next: []string{"kubectl describe service " + svc.Name + " -n " + svc.Namespace},
	}
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return object.EventTime(&a).Compare(object.EventTime(&b)) })
	for _, e := range slices.Backward(events) {
		if e.Type != corev1.EventTypeWarning {
			continue
		}
		cause.Reason = e.Reason
		cause.Message = "the load balancer cannot be made: " + strings.TrimSuffix(strings.Join(strings.Fields(e.Message), " "), ".")
		cause.Events = append(cause.Events, event.KubeEvent{
			Age: now.Sub(object.EventTime(&e)).Truncate(time.Second), Type: e.Type, Reason: e.Reason, Message: e.Message, Count: max(1, int(e.Count)),
		})
		return cause, now.Sub(first(e)) >= proof
	}
	switch class := svc.Spec.LoadBalancerClass; {
	case len(events) > 0:
		cause.Message = "the load balancer is being made; that takes a cloud some minutes at times"
	case class != nil:
		cause.Message = fmt.Sprintf("no controller has taken the Service up; it asks for one of class %s", *class)
		cause.Fix = "install that controller, or choose another cloud profile (egk8s deploy --cloud)"
	default:
		cause.Message = "no controller has taken the Service up: this cluster may have none for load balancers"
		cause.Fix = "install one (MetalLB, cloud-provider-kind), or set spec.service.type to NodePort in egk8s.yaml"
	}
	return cause, false
}

// Assigned tells whether the Service has an address of its own.
func Assigned(svc *corev1.Service) bool { return len(svc.Status.LoadBalancer.Ingress) > 0 }

func first(e corev1.Event) time.Time {
	if !e.FirstTimestamp.IsZero() {
		return e.FirstTimestamp.Time
	}
	return e.CreationTimestamp.Time
}
