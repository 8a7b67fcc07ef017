package cloud

import (
	"fmt"
	"path"
)

// Target is where the image goes and what the nodes call it.
type Target struct {
	Delivery Delivery
	Push     string // repository as seen from here; empty unless Delivery is Push
	Pull     string // repository as the nodes see it; empty: the image package's own name
}

// NoRepositoryError says that the nodes pull from a registry and nobody said which (exit 3).
type NoRepositoryError struct {
	Cloud, Example string
}

func (e *NoRepositoryError) Error() string {
	return fmt.Sprintf("the nodes of cloud %s pull the gateway image from a registry, and none is named", e.Cloud)
}

// Hint says how to name one.
func (e *NoRepositoryError) Hint() string {
	return fmt.Sprintf("set spec.image.repository in egk8s.yaml, or --repository %s", e.Example)
}

// Target decides how the image reaches the nodes: the repository asked for by flag, else the local
// registry that the cluster announces, else what the profile says with the project's repository. name is
// the release's.
func (p Profile) Target(facts Facts, flag, repository, name string) (Target, error) {
	switch {
	case flag != "":
		return Target{Delivery: Push, Push: flag, Pull: flag}, nil
	case facts.Registry != nil && facts.Registry.Host != "":
		pull := facts.Registry.HostFromRuntime
		if pull == "" {
			pull = facts.Registry.Host
		}
		return Target{Delivery: Push, Push: path.Join(facts.Registry.Host, name), Pull: path.Join(pull, name)}, nil
	case p.Image.Delivery != Push:
		return Target{Delivery: p.Image.Delivery, Pull: repository}, nil
	case repository == "":
		return Target{}, &NoRepositoryError{Cloud: p.Name, Example: p.Image.Example}
	default:
		return Target{Delivery: Push, Push: repository, Pull: repository}, nil
	}
}
