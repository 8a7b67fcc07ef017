package sweep

import (
	"os"

	"egk8s.dev/egk8s/testdata/cluster/internal/cgroup"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
)

// removeGroups removes the control groups, which only root can have made.
func removeGroups(c layout.Cluster) error {
	if os.Geteuid() != 0 {
		return nil
	}
	all, err := cgroup.Machine()
	if err != nil {
		return nil //nolint:nilerr // without groups none are left
	}
	return cgroup.Remove(all, c.ID())
}
