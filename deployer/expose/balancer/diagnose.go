package balancer

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Problem is why the release does not answer through its load balancers.
type Problem struct {
	Code, Object, Message, Fix string
}

// Diagnose explains answers that are not good, by what there is now; nil: they are.
func (s *Site) Diagnose(ctx context.Context, w *Wanted, a *Asker, answers []Answer) *Problem {
	if good(answers) {
		return nil
	}
	if p := s.path(w); p != nil {
		return p
	}
	if w.Way == Instances && !a.Known(ctx, s.backend(w)) {
		return &Problem{
			Code: "balancer-name", Object: "Name/" + s.backend(w), Message: "the name by which the load balancers find the nodes does not exist",
			Fix: "it comes from the nodes' tag " + triton.ServicesTag + "; names need up to a minute, and the account's flag triton_cns_enabled",
		}
	}
	for _, answer := range answers {
		if answer.NoName {
			return &Problem{
				Code: "balancer-name", Object: "Name/" + s.Host(w), Message: "the name of the release does not exist, from here",
				Fix: "names need up to a minute; is the zone delegated to the name servers of this machine? EGK8S_CNS_SERVER names another one",
			}
		}
	}
	for _, answer := range answers {
		switch {
		case answer.Status == http.StatusServiceUnavailable:
			return &Problem{
				Code: "balancer-path", Object: "URL/" + answer.URL, Message: "the load balancer answers 503: it has no node that passes its health check",
				Fix: fmt.Sprintf("the check is GET %s on node port %d, which must answer 200; look at haproxy on the instance", w.Ready, w.Ports.Status),
			}
		case answer.Status != 0 && !answer.Good:
			return &Problem{
				Code: "balancer-path", Object: "URL/" + answer.URL, Message: fmt.Sprintf("something else answers with %d, or a gateway with another configuration", answer.Status),
				Fix: "is the address used by somebody else, or does an instance of an earlier deploy answer?",
			}
		}
	}
	for _, answer := range answers {
		if !answer.Good {
			return &Problem{
				Code: "balancer-path", Object: "URL/" + answer.URL, Message: fmt.Sprintf("nothing answers: %v", answer.Err),
				Fix: "can this machine reach that network? The instances may need longer: egk8s status tells when they answer",
			}
		}
	}
	return &Problem{Code: "balancer-path", Object: "Instance/" + w.Label, Message: "the release has no address outside of the cluster", Fix: "egk8s deploy makes it"}
}

// path looks for what keeps traffic from going from the instances to the nodes, or from clients to either.
func (s *Site) path(w *Wanted) *Problem {
	clients := &triton.Machine{}
	if w.Way == Names {
		for _, n := range s.Nodes {
			if p := s.closed(clients, &n, w.Ports.HTTP); p != nil {
				return p
			}
		}
		return nil
	}
	for _, lb := range s.Ours {
		if p := s.closed(clients, &lb, listenHTTP); p != nil && w.Ports.HTTP != 0 {
			return p
		}
		for _, n := range s.Nodes {
			if p := s.toNode(w, &lb, &n); p != nil {
				return p
			}
		}
	}
	return nil
}

func (s *Site) toNode(w *Wanted, lb, n *triton.Machine) *Problem {
	if !slices.ContainsFunc(lb.Networks, func(id string) bool { return slices.Contains(n.Networks, id) }) {
		return &Problem{
			Code: "balancer-network", Object: "Instance/" + lb.Name,
			Message: fmt.Sprintf("it is in no network of the node %s: it has no way to the node ports", n.Name),
			Fix:     "egk8s deploy replaces it; if the datacenter leaves the network out again, name it in spec.triton.networks",
		}
	}
	for _, port := range w.ports() {
		if p := s.closed(lb, n, port); p != nil {
			return p
		}
	}
	return nil
}

// closed says that the firewall of a machine is on and no rule opens it; a machine without a name stands for clients.
func (s *Site) closed(from, to *triton.Machine, port int) *Problem {
	opens := func(r triton.Rule) bool {
		spec, err := triton.ParseRule(r.Text)
		return err == nil && r.Enabled && spec.Opens(from, to, port)
	}
	if !to.Firewall || slices.ContainsFunc(s.Rules, opens) {
		return nil
	}
	who := "clients"
	if from.Name != "" {
		who = "the load balancer " + from.Name
	}
	return &Problem{
		Code: "balancer-firewall", Object: "Instance/" + to.Name,
		Message: fmt.Sprintf("no enabled firewall rule lets %s to port %d of it", who, port),
		Fix:     "its tags are: " + some(tags(to)) + "; egk8s deploy corrects rules of its own: triton fwrule list",
	}
}
