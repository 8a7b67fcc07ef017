// Package cgroup makes the control groups of a cluster's nodes, in every
// hierarchy that the machine has: version 1, version 2, or both.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// parent is the group above those of all clusters.
const parent = "egkube"

// removeLimit is how long groups may take to become empty after a kill.
const removeLimit = 5 * time.Second

// Hierarchy is one mounted tree of groups.
type Hierarchy struct {
	Dir string
	// Unified says that it is the version 2 tree.
	Unified bool
	// CPUSet says that it is a version 1 tree whose groups need CPUs assigned.
	CPUSet bool
}

// Hierarchies are those in a /proc/PID/mountinfo. On a hybrid machine the
// version 2 tree is among them although it controls nothing.
func Hierarchies(mountinfo string) []Hierarchy {
	var all []Hierarchy
	seen := map[string]bool{}
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(left), strings.Fields(right)
		if !ok || len(fields) < 5 || len(kind) < 3 || seen[fields[4]] {
			continue
		}
		h := Hierarchy{Dir: fields[4], Unified: kind[0] == "cgroup2"}
		if kind[0] != "cgroup" && !h.Unified {
			continue
		}
		for option := range strings.SplitSeq(kind[2], ",") {
			h.CPUSet = h.CPUSet || !h.Unified && option == "cpuset"
		}
		seen[h.Dir] = true
		all = append(all, h)
	}
	return all
}

// Machine are the hierarchies of this machine.
func Machine() ([]Hierarchy, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	all := Hierarchies(string(data))
	if len(all) == 0 {
		return nil, errors.New("no control groups are mounted on this machine, usually at /sys/fs/cgroup")
	}
	return all, nil
}

// Path is the group of a node, as the kubelet names it.
func Path(cluster, node string) string { return "/" + parent + "/" + cluster + "/" + node }

// Create makes a node's group in every hierarchy, able to hold all that the
// machine's own groups can.
func Create(all []Hierarchy, cluster, node string) error {
	onlyUnified := len(all) == 1 && all[0].Unified
	for _, h := range all {
		if onlyUnified {
			if err := delegate(h.Dir); err != nil {
				return err
			}
		}
		dir := h.Dir
		for _, name := range []string{parent, cluster, node} {
			dir = filepath.Join(dir, name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("make control group: %w", err)
			}
			if err := h.enable(dir, onlyUnified); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h Hierarchy) enable(dir string, onlyUnified bool) error {
	switch {
	case h.CPUSet:
		return inheritCPUs(dir)
	case onlyUnified:
		return delegate(dir)
	}
	return nil
}

// inheritCPUs gives a group the CPUs and memory nodes of the one above, without
// which no process can enter it.
func inheritCPUs(dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), value, 0o644)
		}
		if err != nil {
			return fmt.Errorf("assign CPUs to control group: %w", err)
		}
	}
	return nil
}

// delegate passes every controller of a version 2 group on to the groups below.
func delegate(dir string) error {
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("delegate control group: %w", err)
	}
	for name := range strings.FieldsSeq(string(controllers)) {
		err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+name), 0o644)
		if errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("delegate control group %s: processes are in it directly, as in a container without "+
				"an init; run egkube on the machine itself: %w", dir, err)
		}
		if err != nil && name != "rdma" && name != "misc" {
			return fmt.Errorf("delegate controller %s of control group %s: %w", name, dir, err)
		}
	}
	return nil
}

// Remove removes the groups of a cluster, and the one above when it was the last.
func Remove(all []Hierarchy, cluster string) error {
	var failed error
	for _, h := range all {
		top := filepath.Join(h.Dir, parent, cluster)
		if err := removeTree(top); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		// Not empty while there are other clusters.
		_ = os.Remove(filepath.Join(h.Dir, parent))
	}
	return failed
}

// removeTree removes groups from the innermost on. The files in them belong to
// the kernel and go with them.
func removeTree(top string) error {
	var dirs []string
	err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove control groups: %w", err)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(dirs)))
	end := time.Now().Add(removeLimit)
	for _, dir := range dirs {
		for {
			err := unix.Rmdir(dir)
			if err == nil || errors.Is(err, unix.ENOENT) {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("remove control group %s: %w", dir, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}
