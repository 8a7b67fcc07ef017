package app

import (
	"fmt"
	"io"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

// LoadProject reads the file of --file with the environment of --env. The project is nil when it
// cannot be read at all.
func (a *App) LoadProject() (*project.Project, diag.Problems) {
	opts := project.Options{Environment: a.Flags.Env, Env: a.Lookup}
	if a.Flags.File != "-" {
		return project.Load(a.Flags.File, opts)
	}
	data, err := io.ReadAll(a.IO.In)
	if err != nil {
		return nil, diag.Problems{{Code: "unreadable", Severity: diag.Error, Message: fmt.Sprintf("read project from standard input: %v", err)}}
	}
	return project.Parse("egk8s.yaml", data, opts)
}

// Project is LoadProject for commands that need a project without errors; its warnings are said by who
// reads the files.
func (a *App) Project() (*project.Project, error) {
	p, problems := a.LoadProject()
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

// Lookup answers variables for project files; one that is empty is not set.
func (a *App) Lookup(name string) (string, bool) {
	value := a.Getenv(name)
	return value, value != ""
}
