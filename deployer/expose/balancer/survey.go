package balancer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Survey reads what there is.
func Survey(ctx context.Context, api *triton.Client, w *Wanted) (*Site, error) {
	s := &Site{}
	account, err := api.Account(ctx)
	if err != nil {
		return nil, err
	}
	s.Account = *account
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) { s.Networks, err = api.Networks(reading); return err })
	g.Go(func() (err error) { s.all, err = api.Machines(reading, "", ""); return err })
	g.Go(func() (err error) { s.Rules, err = api.Rules(reading); return err })
	g.Go(func() (err error) { s.skew, err = api.Skew(reading); return err })
	if w.Way == Instances {
		g.Go(func() (err error) { s.images, err = api.Images(reading, w.Image); return err })
		g.Go(func() (err error) { s.packages, err = api.Packages(reading); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.choose(w)
	return s, s.readZones(ctx, api)
}

// choose finds in what was read what is meant.
func (s *Site) choose(w *Wanted) {
	for _, m := range s.all {
		if m.Tag(IDTag) == w.ID && w.ID != "" {
			s.Ours = append(s.Ours, m)
		}
	}
	slices.SortFunc(s.Ours, func(a, b triton.Machine) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range w.Nodes {
		if m := machineOf(n, s.all); m != nil {
			s.Nodes = append(s.Nodes, *m)
		} else {
			s.Lost = append(s.Lost, n.Name)
		}
	}
	for _, i := range s.images {
		if (i.State == "active" || i.State == "") && (s.Image == nil || i.Published.After(s.Image.Published)) {
			s.Image = &i
		}
	}
	for _, p := range s.packages {
		if p.Name == w.Package || p.ID == w.Package {
			s.Package = &p
		}
	}
	s.Shared = s.shared()
	s.Chosen = s.chosen(w)
}

// machineOf finds the machine behind a node: by the id that the cluster knows, else by an address that both have, else
// by the name.
func machineOf(n Node, all []triton.Machine) *triton.Machine {
	if rest, ok := strings.CutPrefix(n.ProviderID, "triton:///"); ok {
		id := rest[strings.LastIndex(rest, "/")+1:]
		if i := slices.IndexFunc(all, func(m triton.Machine) bool { return m.ID == id }); i >= 0 {
			return &all[i]
		}
	}
	byAddress := func(m triton.Machine) bool {
		return slices.ContainsFunc(m.IPs, func(ip string) bool { return slices.Contains(n.Addresses, ip) })
	}
	byName := func(m triton.Machine) bool { return m.Name == n.Name }
	for _, same := range []func(triton.Machine) bool{byAddress, byName} {
		if i := slices.IndexFunc(all, same); i >= 0 {
			return &all[i]
		}
	}
	return nil
}

// shared is the network that all nodes are in, a fabric rather than a public one.
func (s *Site) shared() *triton.Network {
	var found *triton.Network
	for i, n := range s.Networks {
		everywhere := len(s.Nodes) > 0 && !slices.ContainsFunc(s.Nodes, func(m triton.Machine) bool { return !slices.Contains(m.Networks, n.ID) })
		if everywhere && (found == nil || n.Fabric && !found.Fabric || found.Public && !n.Public) {
			found = &s.Networks[i]
		}
	}
	return found
}

// chosen are the networks of instances: those that were named, else the first public one and that of the nodes.
func (s *Site) chosen(w *Wanted) []triton.Network {
	var out []triton.Network
	for _, name := range w.Networks {
		if i := slices.IndexFunc(s.Networks, func(n triton.Network) bool { return n.Name == name || n.ID == name }); i >= 0 {
			out = append(out, s.Networks[i])
		}
	}
	if len(w.Networks) > 0 {
		return out
	}
	if i := slices.IndexFunc(s.Networks, func(n triton.Network) bool { return n.Public }); i >= 0 && !w.Internal {
		out = append(out, s.Networks[i])
	}
	if s.Shared != nil && !slices.ContainsFunc(out, func(n triton.Network) bool { return n.ID == s.Shared.ID }) {
		out = append(out, *s.Shared)
	}
	return out
}

// readZones reads the DNS zones of the networks that matter: the list of networks does not tell them everywhere.
func (s *Site) readZones(ctx context.Context, api *triton.Client) error {
	zones := map[string][]string{}
	matter := slices.Clone(s.Chosen)
	if s.Shared != nil {
		matter = append(matter, *s.Shared)
	}
	for _, m := range s.Nodes {
		for _, id := range m.Networks {
			if i := slices.IndexFunc(s.Networks, func(n triton.Network) bool { return n.ID == id }); i >= 0 {
				matter = append(matter, s.Networks[i])
			}
		}
	}
	for _, n := range matter {
		if _, known := zones[n.ID]; known {
			continue
		}
		full, err := api.Network(ctx, n.ID)
		if err != nil {
			return fmt.Errorf("read network %s: %w", n.Name, err)
		}
		zones[n.ID] = full.Suffixes
	}
	for i := range s.Networks {
		s.Networks[i].Suffixes = append(s.Networks[i].Suffixes, zones[s.Networks[i].ID]...)
	}
	for i := range s.Chosen {
		s.Chosen[i].Suffixes = zones[s.Chosen[i].ID]
	}
	return nil
}

// zone is the DNS zone of services in a network; empty: the datacenter does not tell.
func zone(n *triton.Network) string {
	if n == nil {
		return ""
	}
	i := slices.IndexFunc(n.Suffixes, func(s string) bool { return strings.HasPrefix(s, "svc.") })
	if i < 0 {
		return ""
	}
	return n.Suffixes[i]
}

// backend is the name by which instances find the nodes.
func (s *Site) backend(w *Wanted) string { return w.nodesLabel() + "." + zone(s.Shared) }

// Host is the name by which clients find the release; empty: it is not known.
func (s *Site) Host(w *Wanted) string {
	networks := s.Chosen
	if w.Way == Names {
		networks = s.nodeNetworks()
	}
	var best *triton.Network
	for i, n := range networks {
		if zone(&n) != "" && (best == nil || n.Public && !best.Public) {
			best = &networks[i]
		}
	}
	if best == nil {
		return ""
	}
	return w.Label + "." + zone(best)
}

// nodeNetworks are the networks in which any node is.
func (s *Site) nodeNetworks() []triton.Network {
	return slices.DeleteFunc(slices.Clone(s.Networks), func(n triton.Network) bool {
		return !slices.ContainsFunc(s.Nodes, func(m triton.Machine) bool { return slices.Contains(m.Networks, n.ID) })
	})
}
