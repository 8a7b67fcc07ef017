package network_test

import (
	"net/netip"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/network"
)

func TestRangesDoNotOverlap(t *testing.T) {
	t.Parallel()
	var seen []netip.Prefix
	for i := range network.Subnets {
		a, err := network.NewAddresses(i)
		if err != nil {
			t.Fatal(err)
		}
		nodes, err := netip.MustParseAddr(a.ControlPlane()).Prefix(a.NodeBits())
		if err != nil {
			t.Fatal(err)
		}
		services, pods := netip.MustParsePrefix(a.Services()), netip.MustParsePrefix(a.Pods())
		for _, p := range []netip.Prefix{nodes, services, pods} {
			for _, other := range seen {
				if p.Overlaps(other) {
					t.Fatalf("cluster %d: %s overlaps %s", i, p, other)
				}
			}
			seen = append(seen, p)
		}
		for n := 1; n <= 9; n++ {
			if !nodes.Contains(netip.MustParseAddr(a.Node(n))) {
				t.Errorf("node %d of cluster %d is at %s, outside %s", n, i, a.Node(n), nodes)
			}
			if !pods.Overlaps(netip.MustParsePrefix(a.PodsOf(n))) {
				t.Errorf("pods of node %d of cluster %d are outside %s", n, i, pods)
			}
		}
		for _, address := range []string{a.DNS(), a.API()} {
			if !services.Contains(netip.MustParseAddr(address)) {
				t.Errorf("%s is outside %s", address, services)
			}
		}
	}
	if _, err := network.NewAddresses(network.Subnets); err == nil {
		t.Error("one index too many is accepted")
	}
}

func TestFreePortsDiffer(t *testing.T) {
	t.Parallel()
	ports, err := network.FreePorts("127.0.0.1", 5)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if p == 0 || seen[p] {
			t.Errorf("ports %v", ports)
		}
		seen[p] = true
	}
}
