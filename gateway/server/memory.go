package server

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the garbage collector keep to 90 % of the container's memory limit, so that a
// busy gateway collects more often instead of being killed. GOMEMLIMIT in the environment wins.
// It returns the limit in bytes, 0 when none was set.
func limitMemory(env *environment, files ...string) int64 {
	if env.memory != "" {
		return 0
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || limit <= 0 || limit > math.MaxInt64/2 { // "max", or version 1's "no limit"
			continue
		}
		limit = limit / 10 * 9
		debug.SetMemoryLimit(limit)
		return limit
	}
	return 0
}

// cgroupFiles hold a container's memory limit in version 2 and version 1.
func cgroupFiles() []string {
	return []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}
}
