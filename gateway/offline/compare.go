package offline

import (
	"fmt"
	"io/fs"
	"slices"

	"egk8s.dev/egk8s/gateway/behaviour"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
)

// Change is one way in which two configurations answer differently.
type Change = behaviour.Change

// Class says how much a Change matters.
type Class = behaviour.Class

// The classes, from the least to the most.
const (
	Safe     = behaviour.Safe
	Review   = behaviour.Review
	Breaking = behaviour.Breaking
)

// Side is one of two configurations: its files, and what its pods know.
type Side struct {
	// Files are the content of the files by their slash-separated paths, egk8s.settings.json among them.
	Files map[string][]byte
	// Env are the variables of its pods whose values are known, PodOnly those whose values are not.
	Env     map[string]string
	PodOnly []string
}

// ReadFile implements config.FileReader.
func (s Side) ReadFile(path string) ([]byte, error) {
	data, ok := s.Files[path]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return data, nil
}

// Compare says how two configurations answer requests differently, the worst change first; none: no request that was
// tried is answered differently. Problems are those of a configuration that cannot be read.
func Compare(before, after Side) ([]Change, diag.Problems, error) {
	catalogue, err := policy.Catalogue()
	if err != nil {
		return nil, nil, fmt.Errorf("compare configurations: %w", err)
	}
	var sides [2]*config.Config
	for i, side := range []Side{before, after} {
		cfg, problems := config.Load("", side.load(catalogue))
		if cfg == nil {
			return nil, problems, nil
		}
		sides[i] = cfg
	}
	changes, problems := behaviour.Compare(sides[0], sides[1])
	return changes, problems, nil
}

func (s Side) load(catalogue config.Catalogue) config.Options {
	return config.Options{
		Lookup:  func(name string) (string, bool) { v, ok := s.Env[name]; return v, ok },
		Outside: true,
		PodOnly: func(name string) bool { return slices.Contains(s.PodOnly, name) },
		Unset:   func(name string) bool { return !ofContainer(name) },
		Files:   s, Catalogue: catalogue,
	}
}
