package app

import (
	"fmt"
	"io"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/project"
)

// Project reads the file of --file with the environment of --env. The problems are a diag.Problems;
// warnings come beside the project.
func (a *App) Project() (*project.Project, error) {
	opts := project.Options{Environment: a.Flags.Env, Env: a.lookup}
	if a.Flags.File == "-" {
		data, err := io.ReadAll(a.IO.In)
		if err != nil {
			return nil, fmt.Errorf("read project from standard input: %w", err)
		}
		p, problems := project.Parse("egk8s.yaml", data, opts)
		return p, problems.Err()
	}
	p, problems := project.Load(a.Flags.File, opts)
	return p, problems.Err()
}

// Release returns which release a command is about: the one named, else the project's, and the
// cluster and namespace that flags and project give.
func (a *App) Release(name string) (string, deployer.Target, error) {
	target := a.Target("")
	if name != "" {
		return name, target, nil
	}
	p, err := a.Project()
	if err != nil {
		return "", target, err
	}
	if target.Namespace == "" {
		target.Namespace = p.Namespace
	}
	if target.Context == "" {
		target.Context = p.Context
	}
	return p.Name, target, nil
}

func (a *App) lookup(name string) (string, bool) {
	value := a.Getenv(name)
	return value, value != ""
}
