package cgroup_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/testdata/cluster/internal/cgroup"
)

func TestHierarchies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mountinfo string
		want      []cgroup.Hierarchy
	}{
		"version 2": {
			mountinfo: `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
`,
			want: []cgroup.Hierarchy{{Dir: "/sys/fs/cgroup", Unified: true}},
		},
		"hybrid, some seen twice": {
			mountinfo: `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`,
			want: []cgroup.Hierarchy{
				{Dir: "/sys/fs/cgroup/cpu,cpuacct"},
				{Dir: "/sys/fs/cgroup/cpuset", CPUSet: true},
				{Dir: "/sys/fs/cgroup/systemd"},
				{Dir: "/sys/fs/cgroup/unified", Unified: true},
			},
		},
		"none": {mountinfo: "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\nnonsense\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, cgroup.Hierarchies(tt.mountinfo)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	if got := cgroup.Path("egk8s-abcdef", "egk8s-1"); got != "/egkube/egk8s-abcdef/egk8s-1" {
		t.Error(got)
	}
}
