// Package state is what a cluster's daemon and the commands tell each other
// through files.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"egk8s.dev/egk8s/testdata/cluster/internal/process"
)

// Phase is how far a cluster is.
type Phase string

// The phases of a cluster in their order; Failed may follow Starting and Ready.
const (
	Starting Phase = "starting"
	Ready    Phase = "ready"
	Stopping Phase = "stopping"
	Failed   Phase = "failed"
)

// Spec is what up asks the daemon to run.
type Spec struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	// Build is the folder of the compiled programs.
	Build string `json:"build"`
	// Tools are the programs that nodes need and that are not compiled here.
	Tools Tools `json:"tools"`
	// UID and GID own the kubeconfig and the control socket.
	UID int `json:"uid"`
	GID int `json:"gid"`
	// Subnet is the index of the address ranges, different in each cluster.
	Subnet int `json:"subnet"`
}

// Tools says where the container runtime and its companions are.
type Tools struct {
	// Root is the folder of unpacked packages, empty when none were needed.
	Root string `json:"root,omitempty"`
	// Path are the folders for PATH, Libraries those for LD_LIBRARY_PATH.
	Path      []string `json:"path,omitempty"`
	Libraries []string `json:"libraries,omitempty"`
	// CNI is the folder of the network plugins.
	CNI string `json:"cni,omitempty"`
}

// Step is something the daemon has finished, and how long after its start.
type Step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// State is what the daemon says about its cluster.
type State struct {
	Name    string     `json:"name"`
	Nodes   int        `json:"nodes"`
	Subnet  int        `json:"subnet"`
	Phase   Phase      `json:"phase"`
	Error   string     `json:"error,omitempty"`
	Daemon  process.ID `json:"daemon"`
	Server  string     `json:"server,omitempty"`
	Host    string     `json:"registry,omitempty"`
	Build   string     `json:"build"`
	Steps   []Step     `json:"steps,omitempty"`
	AsRoot  bool       `json:"asRoot"`
	Started string     `json:"started"`
}

// Running says whether the daemon that wrote the state still runs.
func (s *State) Running() bool { return s != nil && s.Daemon.Alive() }

// Read returns the state in a file, nil when there is none.
func Read(file string) (*State, error) {
	s := &State{}
	err := ReadJSON(file, s)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no file is an ordinary answer
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ReadJSON decodes a file into v.
func ReadJSON(file string, v any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

// WriteJSON replaces a file at once, so that a reader never sees half of it.
func WriteJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := tmp.Write(append(data, '\n')); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", file, err), tmp.Close())
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Close(), os.Rename(tmp.Name(), file)); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// FreeSubnet is the lowest index that no state in the folder uses, a state being
// in use while its daemon runs.
func FreeSubnet(clusters string, limit int) (int, error) {
	files, err := filepath.Glob(filepath.Join(clusters, "*", "state.json"))
	if err != nil {
		return 0, fmt.Errorf("list clusters: %w", err)
	}
	used := map[int]bool{}
	for _, file := range files {
		if s, err := Read(file); err == nil && s.Running() {
			used[s.Subnet] = true
		}
	}
	for i := range limit {
		if !used[i] {
			return i, nil
		}
	}
	return 0, fmt.Errorf("choose address ranges: all %d are in use; end a cluster with egkube down", limit)
}
