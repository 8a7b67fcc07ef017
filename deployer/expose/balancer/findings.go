package balancer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Finding is something that keeps the load balancers from working.
type Finding struct {
	Code    string
	Fatal   bool
	Message string
	Hint    string
}

// What a clock may be off: CloudAPI refuses signatures that are 300 s old.
const (
	skewFatal = 240 * time.Second
	skewWarn  = 60 * time.Second
)

// Findings tells what is missing, before anything is made.
func (s *Site) Findings(w *Wanted) []Finding {
	var out []Finding
	fatal := func(code, hint, format string, args ...any) {
		out = append(out, Finding{Code: code, Fatal: true, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if off := s.skew.Abs(); off > skewWarn {
		out = append(out, Finding{
			Code: "triton-clock", Fatal: off > skewFatal, Message: fmt.Sprintf("this machine's clock is %s off that of CloudAPI", off.Round(time.Second)),
			Hint: "set the clock: CloudAPI refuses signatures older than 300 s",
		})
	}
	if !s.Account.CNS {
		fatal("triton-cns-off", "triton account update triton_cns_enabled=true", "the account %s has no DNS names: CNS is switched off", s.Account.Login)
	}
	out = append(out, s.nodeFindings(w)...)
	if w.Way == Instances {
		out = append(out, s.instanceFindings(w)...)
	}
	if other := s.taken(w); other != "" {
		fatal("triton-name-taken", "give this release another one: spec.triton.name",
			"the DNS label %s is that of %s", w.Label, other)
	}
	return out
}

func (s *Site) nodeFindings(w *Wanted) []Finding {
	var out []Finding
	if len(w.Nodes) == 0 {
		out = append(out, Finding{
			Code: "triton-nodes", Fatal: true, Message: "which nodes the cluster has is not known: this user may not list them",
			Hint: "let it get and list nodes, by a ClusterRole, or choose spec.triton.way: nodePort",
		})
	}
	if len(s.Lost) > 0 {
		out = append(out, Finding{
			Code: "triton-nodes", Fatal: len(s.Nodes) == 0,
			Message: fmt.Sprintf("no instance of the account %s is behind the nodes %s: neither providerID, addresses nor names agree", s.Account.Login, some(s.Lost)),
			Hint:    "is this the account in which the cluster runs? triton instance list",
		})
	}
	var silent []string
	for _, m := range s.Nodes {
		if m.Tag(triton.DisableTag) == "true" {
			silent = append(silent, m.Name)
		}
	}
	if len(silent) > 0 {
		out = append(out, Finding{
			Code: "triton-node-names", Fatal: len(silent) == len(s.Nodes),
			Message: fmt.Sprintf("the nodes %s have no DNS names: their tag %s is true", some(silent), triton.DisableTag),
			Hint:    "triton instance tag delete NODE " + triton.DisableTag,
		})
	}
	if key, value, ok := strings.Cut(w.NodeTag, "="); ok {
		without := slices.DeleteFunc(slices.Clone(s.Nodes), func(m triton.Machine) bool { return m.Tag(key) == value })
		if len(without) > 0 {
			out = append(out, Finding{
				Code: "triton-node-tag", Fatal: true, Message: fmt.Sprintf("the node %s has no tag %s: the firewall would keep the load balancers out", without[0].Name, w.NodeTag),
				Hint: "its tags are: " + some(tags(&without[0])) + "; correct spec.triton.nodeTag, or leave it out",
			})
		}
	}
	if len(s.Nodes) == 0 {
		return out
	}
	switch {
	case s.Shared == nil:
		out = append(out, Finding{Code: "triton-network", Fatal: true, Message: "the nodes have no network in common, in which load balancers could find them", Hint: "put all nodes into one fabric network"})
	case zone(s.Shared) == "":
		out = append(out, Finding{
			Code: "triton-zone", Fatal: true, Message: fmt.Sprintf("the datacenter does not tell the DNS zone of the network %s", s.Shared.Name),
			Hint: "ask the operator for CloudAPI of November 2024 or newer, or choose spec.triton.way: nodePort",
		})
	}
	return out
}

func (s *Site) instanceFindings(w *Wanted) []Finding {
	var out []Finding
	fatal := func(code, hint, format string, args ...any) {
		out = append(out, Finding{Code: code, Fatal: true, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if s.Image == nil {
		fatal("triton-image-missing", "ask the operator to import and share it, or choose spec.triton.way: triton-cns-nodeport",
			"the account %s has no image %s", s.Account.Login, w.Image)
	}
	switch {
	case w.Package == "":
		fatal("triton-package", "set spec.triton.package to one of "+some(s.packageNames()), "no package is named for the load balancer instances")
	case s.Package == nil:
		fatal("triton-package", "known: "+some(s.packageNames()), "there is no package %s", w.Package)
	}
	for _, name := range w.Networks {
		if !slices.ContainsFunc(s.Networks, func(n triton.Network) bool { return n.Name == name || n.ID == name }) {
			fatal("triton-network", "known: "+some(s.networkNames()), "there is no network %s", name)
		}
	}
	isPublic := func(n triton.Network) bool { return n.Public }
	if len(w.Networks) == 0 && !w.Internal && !slices.ContainsFunc(s.Networks, isPublic) {
		fatal("triton-network", "set spec.triton.internal: true, or name networks in spec.triton.networks", "the account has no public network")
	}
	if s.Shared != nil && len(s.Chosen) > 0 && !s.reachesNodes(s.Chosen) {
		fatal("triton-network", fmt.Sprintf("add %s to spec.triton.networks", s.Shared.Name),
			"the load balancers would not reach the nodes: no network of %s is one of theirs", some(w.Networks))
	}
	return out
}

// reachesNodes tells whether every node is in one of the networks.
func (s *Site) reachesNodes(networks []triton.Network) bool {
	return !slices.ContainsFunc(s.Nodes, func(m triton.Machine) bool {
		return !slices.ContainsFunc(networks, func(n triton.Network) bool { return slices.Contains(m.Networks, n.ID) })
	})
}

// taken is what is not this release's and answers to its label, or has the name of an instance. Whose an entry in a node's
// tag is, the firewall rule beside it tells.
func (s *Site) taken(w *Wanted) string {
	for _, r := range s.Rules {
		if strings.HasPrefix(r.Description, "egk8s "+w.Label+": ") && !w.owns(r) {
			return "another release (firewall rule " + r.ID + ")"
		}
	}
	for _, m := range s.all {
		if m.Tag(IDTag) == w.ID && w.ID != "" {
			continue
		}
		isNode := slices.ContainsFunc(s.Nodes, func(n triton.Machine) bool { return n.ID == m.ID })
		if isNode {
			continue
		}
		if slices.ContainsFunc(services(&m), func(e string) bool { return triton.ServiceLabel(e) == w.Label }) {
			return "the instance " + m.Name
		}
		for i := 1; i <= w.Count && w.Way == Instances; i++ {
			if m.Name == w.instanceName(i) {
				return "the instance " + m.Name
			}
		}
	}
	return ""
}

// TrustFinding says that the gateway would take the load balancers for the clients.
func (s *Site) TrustFinding(w *Wanted, trusted []string) *Finding {
	if w.Way != Instances || w.Mode == "tcp" || s.Shared == nil {
		return nil
	}
	fabric, err := netip.ParsePrefix(s.Shared.Subnet)
	if err != nil {
		return nil
	}
	for _, text := range trusted {
		if p, err := netip.ParsePrefix(text); err == nil && p.Bits() <= fabric.Bits() && p.Contains(fabric.Addr()) {
			return nil
		}
	}
	return &Finding{
		Code: "triton-trusted-proxies", Message: "the gateway sees the load balancers as its clients: limits by address count them",
		Hint: fmt.Sprintf("trust what they say of clients: spec.trustedProxies: [%s]", s.Shared.Subnet),
	}
}

func services(m *triton.Machine) []string {
	tag := m.Tag(triton.ServicesTag)
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

func (s *Site) packageNames() []string {
	sorted := slices.SortedFunc(slices.Values(s.packages), func(a, b triton.Package) int { return a.Memory - b.Memory })
	out := make([]string, len(sorted))
	for i, p := range sorted {
		out[i] = p.Name
	}
	return out
}

func (s *Site) networkNames() []string {
	out := make([]string, len(s.Networks))
	for i, n := range s.Networks {
		out[i] = n.Name
	}
	return out
}

func tags(m *triton.Machine) []string {
	var out []string
	for key := range m.Tags {
		out = append(out, key+"="+m.Tag(key))
	}
	slices.Sort(out)
	return out
}

// some names a few things.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
