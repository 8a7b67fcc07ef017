package app

import (
	"fmt"
	"io"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

// LoadProject reads the file of --file with the environment of --env. The project is nil when it
// cannot be read at all.
func (a *App) LoadProject() (*project.Project, diag.Problems) {
	load, problems := a.projectFile()
	if problems != nil {
		return nil, problems
	}
	return load(a.Flags.Env)
}

// projectFile returns what reads the file of --file with an environment; standard input is read once.
func (a *App) projectFile() (load func(environment string) (*project.Project, diag.Problems), problems diag.Problems) {
	if a.Flags.File != "-" {
		return func(environment string) (*project.Project, diag.Problems) {
			return project.Load(a.Flags.File, project.Options{Environment: environment, Env: a.Lookup})
		}, nil
	}
	data, err := io.ReadAll(a.IO.In)
	if err != nil {
		return nil, diag.Problems{{Code: "unreadable", Severity: diag.Error, Message: fmt.Sprintf("read project from standard input: %v", err)}}
	}
	return func(environment string) (*project.Project, diag.Problems) {
		return project.Parse("egk8s.yaml", data, project.Options{Environment: environment, Env: a.Lookup})
	}, nil
}

// Project is LoadProject for commands that need a project without errors; its warnings are said by who
// reads the files.
func (a *App) Project() (*project.Project, error) {
	if strings.Contains(a.Flags.Env, ",") {
		return nil, &exit.UsageError{Message: "--env takes one environment here", Hint: []string{"deploy and status take several"}}
	}
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
