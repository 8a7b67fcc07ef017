package deployer

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/expose"
	"egk8s.dev/egk8s/deployer/object"
)

// pendingAddress explains why the Service's load balancer has no address; nil: it has one, or needs none.
// Proven says that waiting will not bring it.
func (s *session) pendingAddress(ctx context.Context) (cause *event.Cause, proven bool) {
	u, err := s.client.Get(ctx, s.serviceRef())
	var svc corev1.Service
	if err != nil || cluster.Decode(u, &svc) != nil || svc.Spec.Type != corev1.ServiceTypeLoadBalancer || expose.Assigned(&svc) {
		return nil, false
	}
	list, err := s.client.List(ctx, cluster.Selection{
		Kind: object.Ref{Version: "v1", Kind: "Event"}, Namespace: s.namespace,
		Fields: "involvedObject.kind=Service,involvedObject.name=" + svc.Name,
	})
	if err != nil {
		return nil, false // without the words of the controller there is nothing to explain
	}
	events := make([]corev1.Event, 0, len(list))
	for _, u := range list {
		var e corev1.Event
		if cluster.Decode(u, &e) == nil && e.InvolvedObject.UID == svc.UID {
			events = append(events, e)
		}
	}
	c, proven := expose.Pending(&svc, events, s.now())
	return &c, proven
}

// tellPending tells of a load balancer without an address: the gateway serves, and nobody outside gets to it yet.
func (d *deploy) tellPending(ctx context.Context) {
	cause, _ := d.pendingAddress(ctx)
	if cause == nil {
		d.warn("the load balancer has no address that answers from here yet: egk8s status tells when it does")
		return
	}
	if hint := d.cloudHint(cause); hint != "" {
		cause.Fix = hint
	}
	message := cause.Message
	if cause.Fix != "" {
		message += "; " + cause.Fix
	}
	d.result.Warnings = append(d.result.Warnings, message)
	d.result.Pending = append(d.result.Pending, *cause)
	d.out.emit(event.Event{Type: event.Warning, Object: cause.Object, Message: message, Diagnosis: cause})
}
