package balancer

import (
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Action is what a step does.
type Action string

// The actions.
const (
	Create Action = "created"
	Change Action = "configured"
	Delete Action = "deleted"
)

// Kind is what a step is about.
type Kind string

// The kinds.
const (
	Instance Kind = "Instance"
	NodeName Kind = "NodeTag" // the entry of ours in a node's tag triton.cns.services
	Firewall Kind = "FirewallRule"
)

// Step is one change outside of the cluster.
type Step struct {
	Kind   Kind
	Name   string
	ID     string // of the machine or the rule; empty: it is made
	Action Action
	Reason string

	New      triton.NewMachine // Instance, Create
	Start    bool              // Instance, Change
	Metadata map[string]string // Instance, Change: to write
	Drop     []string          // Instance, Change: metadata to remove
	Tags     map[string]string // Instance, Change: to write
	Entry    string            // NodeName: of the tag, to be there; empty: none
	Labels   []string          // NodeName: of entries that must not be there beside it
	Rule     triton.Rule       // Firewall
}

func (s Step) String() string { return string(s.Kind) + "/" + s.Name }

// Plan is what has to be done so that there is what is wanted, and nothing of this release beside it. What lets traffic
// through comes first, what is not needed any more last.
func (s *Site) Plan(w *Wanted) []Step {
	steps := s.planRules(w, false)
	steps = append(steps, s.planNodes(w, false)...)
	steps = append(steps, s.planInstances(w)...)
	steps = append(steps, s.planNodes(w, true)...)
	return append(steps, s.planRules(w, true)...)
}

func (w *Wanted) instanceName(i int) string { return fmt.Sprintf("%s-%d", w.Label, i) }

// newMachine is one instance.
func (s *Site) newMachine(w *Wanted, name string) triton.NewMachine {
	n := triton.NewMachine{Name: name, Firewall: true, Tags: w.tags(), Metadata: s.metadata(w)}
	if s.Image != nil {
		n.Image = s.Image.ID
	}
	if s.Package != nil {
		n.Package = s.Package.ID
	}
	for _, network := range s.Chosen {
		n.Networks = append(n.Networks, network.ID)
	}
	return n
}

func (w *Wanted) tags() map[string]string {
	return map[string]string{triton.ServicesTag: w.Label, ReleaseTag: w.Release, IDTag: w.ID}
}

func (s *Site) planInstances(w *Wanted) []Step {
	var steps, last []Step
	kept := map[string]bool{}
	for _, m := range s.Ours {
		name, remove := m.Name, ""
		switch {
		case w.Way != Instances || !w.named(m.Name):
			remove = "not wanted any more"
		case kept[m.Name]:
			remove = "there are two of that name"
		case m.State == triton.Failed || m.State == triton.Deleted:
			remove = "it is " + string(m.State)
		default:
			remove = s.replaced(w, &m)
		}
		if remove == "" {
			kept[name] = true
			steps = append(steps, s.adapt(w, &m)...)
			continue
		}
		step := Step{Kind: Instance, Name: name, ID: m.ID, Action: Delete, Reason: remove}
		if w.Way == Instances && w.named(name) {
			steps = append(steps, step) // the new one needs its name
		} else {
			last = append(last, step)
		}
	}
	for i := 1; i <= w.Count && w.Way == Instances; i++ {
		if name := w.instanceName(i); !kept[name] {
			steps = append(steps, Step{Kind: Instance, Name: name, Action: Create, Reason: "load balancer", New: s.newMachine(w, name)})
		}
	}
	return append(steps, last...)
}

// named tells whether an instance of that name is wanted.
func (w *Wanted) named(name string) bool {
	for i := 1; i <= w.Count; i++ {
		if w.instanceName(i) == name {
			return true
		}
	}
	return false
}

// replaced says why an instance cannot become what is wanted; empty: it can. A newer image alone is no reason: the
// instances stay what they are until somebody names another one.
func (s *Site) replaced(w *Wanted, m *triton.Machine) string {
	if s.Package != nil && m.Package != s.Package.Name && m.Package != s.Package.ID {
		return "its package is " + m.Package
	}
	for _, n := range s.Chosen {
		if len(m.Networks) > 0 && !slices.Contains(m.Networks, n.ID) {
			return "it is not in the network " + n.Name
		}
	}
	if w.Image != "" && s.Image != nil && s.Image.ID == w.Image && m.Image != w.Image {
		return "its image is another one"
	}
	return ""
}

// adapt changes what can be changed of an instance that is there.
func (s *Site) adapt(w *Wanted, m *triton.Machine) []Step {
	step := Step{Kind: Instance, Name: m.Name, ID: m.ID, Action: Change}
	var reasons []string
	if m.State == triton.Stopped || m.State == triton.Stopping {
		step.Start, reasons = true, append(reasons, "it is "+string(m.State))
	}
	wanted := s.metadata(w)
	for key, value := range wanted {
		if m.Meta(key) != value {
			step.Metadata = wanted
			reasons = append(reasons, strings.TrimPrefix(key, "cloud.tritoncompute:"))
		}
	}
	if _, has := wanted[metaCertificate]; !has && m.Meta(metaCertificate) != "" {
		step.Drop, reasons = []string{metaCertificate}, append(reasons, "certificate_name")
	}
	for key, value := range w.tags() {
		if m.Tag(key) != value {
			step.Tags, reasons = w.tags(), append(reasons, "tag "+key)
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	slices.Sort(reasons)
	step.Reason = strings.Join(reasons, ", ")
	return []Step{step}
}

// entry is what stands in a node's tag: the label, with the port where clients use it.
func (w *Wanted) entry() string {
	if w.Way == Names && w.Ports.HTTP != 0 {
		return fmt.Sprintf("%s:%d", w.nodesLabel(), w.Ports.HTTP)
	}
	return w.nodesLabel()
}

// planNodes adds our entry to the nodes' tags and leaves the others; leaving: takes it from machines that should not
// have it.
func (s *Site) planNodes(w *Wanted, leaving bool) []Step {
	var steps []Step
	for _, m := range s.all {
		isNode := w.Way != "" && slices.ContainsFunc(s.Nodes, func(n triton.Machine) bool { return n.ID == m.ID })
		if isNode == leaving || m.Tag(IDTag) == w.ID {
			continue
		}
		step := Step{Kind: NodeName, Name: m.Name, ID: m.ID, Action: Delete, Reason: "not needed any more", Labels: w.labels()}
		if isNode {
			step.Action, step.Entry, step.Reason = Create, w.entry(), "name "+w.nodesLabel()
		}
		if before := services(&m); !slices.Equal(before, step.entries(before)) {
			steps = append(steps, step)
		}
	}
	return steps
}

// labels are those that this release gives to nodes.
func (w *Wanted) labels() []string {
	var out []string
	for _, label := range append([]string{w.Label}, w.Former...) {
		out = append(out, label, label+nodesSuffix)
	}
	return out
}

// entries are those of a node's tag after the step; they keep their places.
func (s Step) entries(before []string) []string {
	var out []string
	there := false
	for _, e := range before {
		switch {
		case e == s.Entry && !there:
			there = true
		case slices.Contains(s.Labels, triton.ServiceLabel(e)):
			continue
		}
		out = append(out, e)
	}
	if s.Entry != "" && !there {
		out = append(out, s.Entry)
	}
	return out
}

// description marks a rule as ours.
func (w *Wanted) description(what string) string {
	return fmt.Sprintf("egk8s %s: %s (%s)", w.Label, what, w.ID)
}

func (w *Wanted) owns(r triton.Rule) bool {
	return w.ID != "" && strings.HasPrefix(r.Description, "egk8s ") && strings.HasSuffix(r.Description, "("+w.ID+")")
}

// planRules makes the rules that are missing and corrects those that differ; leaving: removes what is too much.
func (s *Site) planRules(w *Wanted, leaving bool) []Step {
	wanted := s.rules(w)
	var steps []Step
	found := map[string]bool{}
	for _, r := range s.Rules {
		if !w.owns(r) {
			continue
		}
		i := slices.IndexFunc(wanted, func(n triton.Rule) bool { return n.Description == r.Description })
		switch {
		case (i < 0 || found[r.Description]) && leaving:
			steps = append(steps, Step{Kind: Firewall, Name: r.ID, ID: r.ID, Action: Delete, Reason: "not wanted any more"})
		case i >= 0 && !found[r.Description] && !leaving && !sameRule(wanted[i], r):
			changed := wanted[i]
			changed.ID = r.ID
			steps = append(steps, Step{Kind: Firewall, Name: r.ID, ID: r.ID, Action: Change, Reason: changed.Text, Rule: changed})
		}
		if i >= 0 {
			found[r.Description] = true
		}
	}
	for _, r := range wanted {
		if !found[r.Description] && !leaving {
			steps = append(steps, Step{Kind: Firewall, Name: w.Label, Action: Create, Reason: r.Text, Rule: r})
		}
	}
	return steps
}

// sameRule compares rules; the datacenter writes their texts in its own way.
func sameRule(wanted, live triton.Rule) bool {
	return wanted.Enabled == live.Enabled && sameText(wanted.Text, live.Text)
}

func sameText(a, b string) bool {
	x, err := triton.ParseRule(a)
	y, err2 := triton.ParseRule(b)
	return err == nil && err2 == nil && x.Equal(y)
}

// rules are those that let clients to the instances, and instances, or clients, to the nodes.
func (s *Site) rules(w *Wanted) []triton.Rule {
	if w.Way == "" || len(w.ports()) == 0 {
		return nil
	}
	from := "any"
	var out []triton.Rule
	add := func(what, text string) {
		out = append(out, triton.Rule{Text: text, Enabled: true, Description: w.description(what)})
	}
	if w.Way == Instances {
		from = triton.TagTarget(IDTag, w.ID)
		var listen []int
		if w.Ports.HTTP != 0 {
			listen = append(listen, listenHTTP)
		}
		if w.Ports.HTTPS != 0 || len(w.Certificates) > 0 {
			listen = append(listen, listenHTTPS)
		}
		add("clients to load balancers", "FROM any TO "+from+" ALLOW tcp "+portList(listen))
	}
	for i, target := range s.nodeTargets(w) {
		what := "to the nodes"
		if i > 0 {
			what += fmt.Sprintf(" %d", i+1)
		}
		add(what, "FROM "+from+" TO "+target+" ALLOW tcp "+portList(w.ports()))
	}
	return out
}

// nodeTargets are the nodes as targets of rules: by a tag that all have, else by their ids, as many as a rule takes.
func (s *Site) nodeTargets(w *Wanted) []string {
	if key, value, ok := strings.Cut(w.NodeTag, "="); ok {
		return []string{triton.TagTarget(key, value)}
	}
	const clusterTag = "k8s.cluster"
	if len(s.Nodes) > 0 {
		value := s.Nodes[0].Tag(clusterTag)
		if value != "" && !slices.ContainsFunc(s.Nodes, func(m triton.Machine) bool { return m.Tag(clusterTag) != value }) {
			return []string{triton.TagTarget(clusterTag, value)}
		}
	}
	ids := make([]string, len(s.Nodes))
	for i, m := range s.Nodes {
		ids[i] = "vm " + m.ID
	}
	slices.Sort(ids)
	const most = 24
	var out []string
	for part := range slices.Chunk(ids, most) {
		if len(part) == 1 {
			out = append(out, part[0])
			continue
		}
		out = append(out, "("+strings.Join(part, " OR ")+")")
	}
	return out
}

func portList(ports []int) string {
	slices.Sort(ports)
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprint(p)
	}
	return "PORTS " + strings.Join(texts, ", ")
}
