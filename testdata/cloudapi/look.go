package cloudapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Node is a machine that stands for a node of a cluster.
type Node struct {
	Name    string
	ID      string            // empty: a new one
	Network string            // by name
	Address string            // empty: the network's next
	Tags    map[string]string // of it
}

// AddNode adds a running machine, firewall on, and returns its id.
func (s *Server) AddNode(n Node) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &machine{created: s.Now(), nics: map[string]string{}}
	m.ID, m.Name, m.State, m.Brand, m.Firewall = n.ID, n.Name, triton.Running, "bhyve", true
	if m.ID == "" {
		m.ID = uuid.NewString()
	}
	m.Image, m.Package = s.Images[0].ID, s.Packages[1].Name
	m.Tags, m.Metadata = map[string]any{}, map[string]any{}
	for key, value := range n.Tags {
		m.Tags[key] = value
	}
	for _, network := range s.Networks {
		if network.Name != n.Network {
			continue
		}
		s.attach(m, network)
		if n.Address != "" {
			m.nics[network.ID] = n.Address
			m.IPs = []string{n.Address}
		}
	}
	s.machines = append(s.machines, m)
	return m.ID
}

// Machines are those that are there, as they are seen now.
func (s *Server) Machines() []triton.Machine {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []triton.Machine
	for _, m := range s.machines {
		m.settle(s.Now(), s.Delay)
		if m.State != triton.Deleted {
			c := m.Machine
			c.Tags, c.Metadata = maps.Clone(m.Tags), maps.Clone(m.Metadata)
			c.IPs, c.Networks = slices.Clone(m.IPs), slices.Clone(m.Networks)
			out = append(out, c)
		}
	}
	return out
}

// Change changes a machine from outside, as somebody else would.
func (s *Server) Change(id string, change func(*triton.Machine)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.machines {
		if m.ID == id {
			change(&m.Machine)
		}
	}
}

// Rules are the firewall rules.
func (s *Server) Rules() []triton.Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]triton.Rule, len(s.rules))
	for i, r := range s.rules {
		out[i] = *r
	}
	return out
}

// SetRules replaces the firewall rules from outside.
func (s *Server) SetRules(rules []triton.Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
	for _, r := range rules {
		if r.ID == "" {
			r.ID = uuid.NewString()
		}
		s.rules = append(s.rules, &r)
	}
}

// Names are the DNS names that CNS has, with their addresses.
func (s *Server) Names() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]string{}
	for _, m := range s.machines {
		m.settle(s.Now(), s.Delay)
		if m.State != triton.Running || !s.Account.CNS || m.Tag(triton.DisableTag) == "true" || m.Meta("triton.cns.status") == "down" {
			continue
		}
		entries, _ := triton.Services(m.Tag(triton.ServicesTag))
		for _, network := range s.Networks {
			address, ok := m.nics[network.ID]
			if !ok {
				continue
			}
			for _, suffix := range network.Suffixes {
				if strings.HasPrefix(suffix, "inst.") {
					out[m.ID+"."+suffix] = append(out[m.ID+"."+suffix], address)
					continue
				}
				for _, entry := range entries {
					name := triton.ServiceLabel(entry) + "." + suffix
					out[name] = append(out[name], address)
				}
			}
		}
	}
	return out
}

// Open tells whether the networks and the firewall let TCP from one machine to a port of another.
func (s *Server) Open(from, to string, port int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a, b *machine
	for _, m := range s.machines {
		if m.ID == from {
			a = m
		}
		if m.ID == to {
			b = m
		}
	}
	if a == nil || b == nil || !slices.ContainsFunc(a.Networks, func(n string) bool { return slices.Contains(b.Networks, n) }) {
		return false
	}
	if !b.Firewall {
		return true
	}
	return slices.ContainsFunc(s.rules, func(r *triton.Rule) bool {
		spec, err := triton.ParseRule(r.Text)
		return err == nil && r.Enabled && spec.Opens(&a.Machine, &b.Machine, port)
	})
}
