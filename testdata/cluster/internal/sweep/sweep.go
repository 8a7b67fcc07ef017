// Package sweep removes what is left of a cluster, whatever ended it.
package sweep

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/process"
)

// killLimit is how long a killed process may take to vanish.
const killLimit = 10 * time.Second

// All removes everything of a cluster: processes, mounts, cgroups and files. It
// is called by the daemon at its end, and by others when no daemon runs.
func All(c layout.Cluster) error {
	if err := machine(c); err != nil {
		return err
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		return fmt.Errorf("remove state of cluster %s: %w", c.Name, err)
	}
	return nil
}

// KeepLogs removes everything but the state file and the logs.
func KeepLogs(c layout.Cluster) error {
	if err := machine(c); err != nil {
		return err
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return fmt.Errorf("remove state of cluster %s: %w", c.Name, err)
	}
	keep := map[string]bool{
		filepath.Base(c.Logs()): true, filepath.Base(c.Log()): true, filepath.Base(c.State()): true,
	}
	var all error
	for _, e := range entries {
		if !keep[e.Name()] {
			all = errors.Join(all, os.RemoveAll(filepath.Join(c.Dir, e.Name())))
		}
	}
	return all
}

// machine ends what runs, and only then looks at the rest.
func machine(c layout.Cluster) error {
	if err := killAll(c); err != nil {
		return err
	}
	if err := checkMounts(c); err != nil {
		return err
	}
	return removeGroups(c)
}

func killAll(c layout.Cluster) error {
	end := time.Now().Add(killLimit)
	for {
		left := process.WithEnvironment(c.Marker())
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("end cluster %s: process %d does not end", c.Name, left[0].PID)
		}
		for _, id := range left {
			if err := syscall.Kill(id.PID, syscall.SIGKILL); errors.Is(err, syscall.EPERM) {
				return fmt.Errorf("end cluster %s: process %d belongs to another user: %w", c.Name, id.PID, os.ErrPermission)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// checkMounts refuses to remove files while something is mounted among them: the
// cluster's mounts live in its own namespaces and end with those, so this finds
// only what somebody else put there.
func checkMounts(c layout.Cluster) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("read mounts: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasPrefix(fields[4], c.Dir+"/") {
			return fmt.Errorf("end cluster %s: %s is still mounted", c.Name, fields[4])
		}
	}
	return nil
}
