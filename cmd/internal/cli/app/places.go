package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

// Place is one of the targets that --env or --cloud name.
type Place struct {
	Name    string // of the environment, else of the cloud
	Cloud   string // of --cloud; empty: the project's, then detected
	Project *project.Project
}

// Several tells whether --env or --cloud name more than one target.
func (a *App) Several(cloud string) bool {
	return strings.Contains(a.Flags.Env, ",") || strings.Contains(cloud, ",")
}

// Places returns the targets that --env and --cloud name, in their order, each with the project as it is for it.
// The problems of all of them come together, each once.
func (a *App) Places(cloud string) ([]Place, error) {
	places, err := a.places(cloud)
	if err != nil {
		return nil, err
	}
	load, problems := a.projectFile()
	if problems != nil {
		return nil, problems
	}
	said := map[string]bool{}
	add := func(more diag.Problems) {
		for _, p := range more {
			if p.Severity == diag.Error && !said[p.String()] {
				said[p.String()] = true
				problems = append(problems, p)
			}
		}
	}
	for i := range places {
		at := &places[i]
		environment := a.Flags.Env
		if at.Cloud == "" {
			environment, at.Cloud = at.Name, cloud
		}
		p, more := load(environment)
		if p != nil && at.Cloud != "" && !more.HasErrors() {
			p, more = p.ForCloud(at.Cloud)
		}
		at.Project = p
		add(more)
	}
	if problems.HasErrors() {
		problems.Sort()
		return nil, problems
	}
	if err := a.apart(places); err != nil {
		return nil, err
	}
	return places, inWaves(places)
}

// places splits the lists of --env and --cloud.
func (a *App) places(cloud string) ([]Place, error) {
	environments, clouds := strings.Split(a.Flags.Env, ","), strings.Split(cloud, ",")
	if len(environments) > 1 && len(clouds) > 1 {
		return nil, &exit.UsageError{
			Message: "--env and --cloud name several targets each",
			Hint:    []string{"give environments their cloud in egk8s.yaml (environments.NAME.cloud) and name them with --env"},
		}
	}
	flag, names := "--env", environments
	if len(clouds) > 1 {
		flag, names = "--cloud", clouds
	}
	out := make([]Place, len(names))
	for i, name := range names {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return nil, &exit.UsageError{Message: fmt.Sprintf("%s %s: a name is empty", flag, strings.Join(names, ","))}
		case slices.ContainsFunc(out[:i], func(p Place) bool { return p.Name == name }):
			return nil, &exit.UsageError{Message: fmt.Sprintf("%s names %s twice", flag, name)}
		}
		out[i].Name = name
		if flag == "--cloud" {
			out[i].Cloud = name
		}
	}
	return out, nil
}

// apart tells whether no two targets are the same release in the same namespace of the same cluster.
func (a *App) apart(places []Place) error {
	where := map[string]string{}
	for _, p := range places {
		context, namespace := cmp.Or(a.Flags.Context, p.Project.Context), cmp.Or(a.Flags.Namespace, p.Project.Namespace)
		key := context + "\x00" + namespace
		if other, taken := where[key]; taken {
			return &exit.UsageError{
				Message: fmt.Sprintf("%s and %s are the same place: context %q, namespace %q", other, p.Name, context, namespace),
				Hint:    []string{"give each its context or namespace in egk8s.yaml, and leave --context and --namespace out"},
			}
		}
		where[key] = p.Name
	}
	return nil
}

// inWaves tells whether either no target declares its wave, or each.
func inWaves(places []Place) error {
	declares := func(p Place) bool { return p.Project.Wave > 0 }
	if !slices.ContainsFunc(places, declares) {
		return nil
	}
	at := slices.IndexFunc(places, func(p Place) bool { return !declares(p) })
	if at < 0 {
		return nil
	}
	p := places[at]
	key := "environments." + p.Name
	if p.Project.Environment != p.Name {
		key = "clouds." + p.Name
	}
	return diag.Problems{{
		Code: "wave", Severity: diag.Error, Position: p.Project.Position(key),
		Message: fmt.Sprintf("%s declares no wave, and others that are deployed with it do", p.Name), Hint: "add wave: N",
	}}
}

// ProjectFor is Project as it is for a cloud; empty: for the project's own.
func (a *App) ProjectFor(cloud string) (*project.Project, error) {
	p, err := a.Project()
	if err != nil || cloud == "" {
		return p, err
	}
	p, problems := p.ForCloud(cloud)
	return p, problems.Err()
}
