package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// served tells whether the Service leads to the pods that are ready; where nobody may look it is believed.
func (j *judge) served() bool {
	switch j.know(Endpoints) {
	case barred:
		return true
	case unread:
		return false
	case known:
	}
	svc := j.s.Service
	switch {
	case svc == nil:
		j.unserved("NotFound", "the Service is not there", "deploy again: egk8s deploy makes it")
	case svc.Spec.Type == corev1.ServiceTypeExternalName, len(svc.Spec.Selector) == 0, j.v.Wanted == 0:
		return true
	default:
		return j.endpoints(svc)
	}
	return false
}

// endpoints tells whether every port of the Service has a ready endpoint.
func (j *judge) endpoints(svc *corev1.Service) bool {
	ports, any := readyPorts(j.s.Slices)
	if !any {
		message, fix := "no ready pod stands behind the Service", ""
		if differs := j.selectorDiffers(svc); differs != "" {
			message = "the Service selects other pods than the ready ones: " + differs
			fix = "correct the selector or the pods' labels; egk8s diff shows what is not as deployed"
		}
		j.unserved("NoEndpoints", message, fix)
		return false
	}
	for _, p := range svc.Spec.Ports {
		if !ports[p.Name] {
			j.unserved("NoEndpoints", fmt.Sprintf("no pod has the port %s that port %d of the Service leads to", p.TargetPort.String(), p.Port),
				"correct the Service's targetPort, or name the container's port so")
			return false
		}
	}
	return true
}

func (j *judge) unserved(reason, message, fix string) {
	name := j.s.Deployment.Name
	x := suspicion{mark: "service/" + reason, after: 8 * time.Second, cause: event.Cause{
		Code: "no-endpoints", Object: "Service/" + name, Reason: reason, Message: message, Fix: fix,
		Next: []string{"kubectl describe service " + name + " -n " + j.s.Deployment.Namespace},
	}}
	if svc := j.s.Service; svc != nil {
		x.born, x.cause.Events = svc.CreationTimestamp.Time, kubeEvents(j.s.eventsOf(svc.UID), j.s.Now)
	}
	j.suspect(x)
}

// selectorDiffers says which labels the Service asks for and the ready pods do not have; empty: none.
func (j *judge) selectorDiffers(svc *corev1.Service) string {
	for _, p := range j.s.Pods {
		if !podReady(p) {
			continue
		}
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(svc.Spec.Selector)) {
			if want := svc.Spec.Selector[key]; p.Labels[key] != want {
				parts = append(parts, fmt.Sprintf("it asks for %s=%s, they have %q", key, want, p.Labels[key]))
			}
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// readyPorts are the names of the ports that lead to an endpoint that takes requests, and whether there is
// such an endpoint at all.
func readyPorts(list []*discovery.EndpointSlice) (ports map[string]bool, any bool) {
	ports = map[string]bool{}
	for _, s := range list {
		ready := slices.ContainsFunc(s.Endpoints, func(e discovery.Endpoint) bool {
			return e.Conditions.Ready == nil || *e.Conditions.Ready
		})
		if !ready {
			continue
		}
		any = true
		for _, p := range s.Ports {
			if p.Name != nil {
				ports[*p.Name] = true
			}
		}
	}
	return ports, any
}
