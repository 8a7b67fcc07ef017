// Package process looks at processes through /proc.
package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ID names one process for good: a process number may be used again, the pair
// with the start time is not.
type ID struct {
	PID int `json:"pid"`
	// Start is the start time in clock ticks since boot, as in /proc/PID/stat.
	Start uint64 `json:"start"`
}

// Self is the running process.
func Self() (ID, error) { return Of(os.Getpid()) }

// Of is the process that has the number now.
func Of(pid int) (ID, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ID{}, fmt.Errorf("read process: %w", err)
	}
	start, err := startTime(data)
	if err != nil {
		return ID{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return ID{PID: pid, Start: start}, nil
}

// Alive says whether the process runs and is not a zombie.
func (id ID) Alive() bool {
	if id.PID <= 0 {
		return false
	}
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(id.PID), "stat"))
	if err != nil {
		return false
	}
	start, err := startTime(data)
	return err == nil && start == id.Start && !isZombie(data)
}

// afterName is the part of a stat line behind the program name, which may itself
// hold spaces and brackets.
func afterName(stat []byte) []string {
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 {
		return nil
	}
	return strings.Fields(string(stat[i+1:]))
}

func startTime(stat []byte) (uint64, error) {
	fields := afterName(stat)
	if len(fields) < 20 {
		return 0, fmt.Errorf("stat line %q is too short", stat)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

func isZombie(stat []byte) bool {
	fields := afterName(stat)
	return len(fields) > 0 && (fields[0] == "Z" || fields[0] == "X")
}

// WithEnvironment lists the processes, this one excepted, whose environment holds
// the entry KEY=VALUE and that this user may read.
func WithEnvironment(entry string) []ID {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	var found []ID
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(file)
		if err != nil || !hasEntry(env, entry) {
			continue
		}
		if id, err := Of(pid); err == nil && id.Alive() {
			found = append(found, id)
		}
	}
	return found
}

func hasEntry(environ []byte, entry string) bool {
	for e := range bytes.SplitSeq(environ, []byte{0}) {
		if string(e) == entry {
			return true
		}
	}
	return false
}
