package project

import "egk8s.dev/egk8s/gateway/diag"

// Options say how to read egk8s.yaml.
type Options struct {
	Environment string // an entry of environments; empty: none
	// Env looks a variable of egk8s' own environment up; nil: none is set.
	Env func(name string) (string, bool)
}

// Load reads egk8s.yaml strictly and applies the environment. Every problem is found in one pass;
// the project is nil when the file cannot be read or is not YAML.
func Load(file string, opts Options) (*Project, diag.Problems) { return nil, nil }

// ForCloud returns the project with the overrides of a cloud applied below those of the
// environment, for when the cloud is known at last.
func (p *Project) ForCloud(name string) (*Project, diag.Problems) { return p, nil }

// ExpandProbes returns the declared probes with ${NAME} in their headers replaced. A variable that is
// not set is a problem at its place.
func (p *Project) ExpandProbes(env func(name string) (string, bool)) ([]Probe, diag.Problems) {
	return p.Spec.Probes, nil
}

// Collect reads the files that go to the cluster: the gateway and system config, the models, what the
// config refers to (references, relative to the config folder) and the consumers.
func (p *Project) Collect(references []string) (Files, diag.Problems) { return Files{}, nil }

// ConfigDir is the path of the config folder.
func (p *Project) ConfigDir() string { return "" }

type document struct{}
