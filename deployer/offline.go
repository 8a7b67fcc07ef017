package deployer

import (
	"cmp"
	"errors"
	"strings"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/diag"
)

// RenderOptions are the choices of Render.
type RenderOptions struct {
	Project    *project.Project
	Cloud      string // profile name; empty: the project's, then generic
	Namespace  string // empty: the project's, then "default"
	Repository string // overrides the project's image.repository
	Image      string // a full reference; empty: the image that egk8s carries
	Version    string // of egk8s
}

// Rendering is what Render made.
type Rendering struct {
	*render.Rendered
	Cloud    string
	Files    project.Files
	Warnings diag.Problems

	input   render.Input
	generic cloud.Profile
}

// Folder is the objects as files: one each, or with kustomize a base and the overlay of the cloud.
func (r *Rendering) Folder(kustomize bool) ([]render.OutFile, error) {
	if kustomize {
		return render.Kustomize(r.input, r.generic)
	}
	return render.Folder(r.Rendered)
}

// Render makes the objects of a project without asking a cluster: equal input gives equal objects.
// What is wrong with the project's files is a diag.Problems.
func Render(opts RenderOptions) (*Rendering, error) {
	profiles, problems := Clouds(opts.Project.Dir)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	resolved, err := profiles.Resolve(cmp.Or(opts.Cloud, opts.Project.Cloud), cloud.Facts{})
	if err != nil {
		return nil, err
	}
	p, problems := opts.Project.ForCloud(resolved.Profile.Name)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	files, report, problems := p.Read()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if resolved.Warning != "" {
		problems = append(problems, diag.Problem{Code: "cloud", Severity: diag.Warning, Message: resolved.Warning})
	}
	resolved.Profile = forWay(resolved.Profile, offlineWay(p.Spec.Triton))
	reference, err := renderedImage(opts, p, resolved.Profile)
	if err != nil {
		return nil, err
	}
	generic, err := profiles.Get(cloud.Generic)
	if err != nil {
		return nil, err
	}
	input := render.Input{
		Project: p, Namespace: cmp.Or(opts.Namespace, p.Namespace, "default"), Profile: resolved.Profile,
		Overlay: strings.ReplaceAll(resolved.Label(), "/", "-"),
		Image:   render.Image{Reference: reference}, Files: files, Report: report, Version: opts.Version,
	}
	rendered, err := render.Objects(input)
	if err != nil {
		return nil, err
	}
	return &Rendering{
		Rendered: rendered, Cloud: resolved.Profile.Name, Files: files, Warnings: problems,
		input: input, generic: generic,
	}, nil
}

// renderedImage is the reference that a deploy of the same options would use.
func renderedImage(opts RenderOptions, p *project.Project, profile cloud.Profile) (string, error) {
	if opts.Image != "" {
		return opts.Image, nil
	}
	source, err := image.Embedded()
	if err != nil {
		return "", err
	}
	img, err := image.Assemble(source)
	if err != nil {
		return "", err
	}
	target, err := profile.Target(cloud.Facts{}, opts.Repository, p.Spec.Image.Repository, p.Name)
	if missing := new(cloud.NoRepositoryError); errors.As(err, &missing) {
		return "", &SettingsError{Message: missing.Error(), Hint: missing.Hint()}
	}
	if err != nil {
		return "", err
	}
	return img.Reference(target.Pull, target.Delivery == cloud.Push), nil
}
