//go:build root

package cgroup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/cgroup"
)

// TestRealGroups makes and removes groups in the machine's hierarchies, all of
// them and then its version 2 tree alone, as if it had no other.
func TestRealGroups(t *testing.T) {
	all, err := cgroup.Machine()
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string][]cgroup.Hierarchy{"all": all}
	for _, h := range all {
		if h.Unified {
			sets["version 2"] = []cgroup.Hierarchy{h}
		}
	}
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			const cluster = "cgroup-test"
			if err := cgroup.Create(set, cluster, "n"); err != nil {
				t.Fatal(err)
			}
			for _, h := range set {
				dir := filepath.Join(h.Dir, cgroup.Path(cluster, "n"))
				if h.CPUSet {
					if cpus, err := os.ReadFile(filepath.Join(dir, "cpuset.cpus")); err != nil || strings.TrimSpace(string(cpus)) == "" {
						t.Errorf("%s has CPUs %q, %v", dir, cpus, err)
					}
				}
				if len(set) == 1 {
					sameControllers(t, h.Dir, dir)
				}
			}
			if err := cgroup.Remove(set, cluster); err != nil {
				t.Fatal(err)
			}
			for _, h := range set {
				if _, err := os.Stat(filepath.Join(h.Dir, "egkube", cluster)); err == nil {
					t.Errorf("a group is left in %s", h.Dir)
				}
			}
		})
	}
}

func sameControllers(t *testing.T, top, dir string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join(top, "cgroup.controllers"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control")); err != nil || string(got) != string(want) {
		t.Errorf("%s passes on %q, %v; the machine has %q", dir, got, err, want)
	}
}
