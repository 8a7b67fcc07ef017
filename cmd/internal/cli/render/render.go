// Package render is the command that prints the Kubernetes objects of a project.
package render

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs and collaborators of the command.
type Options struct {
	App    *app.App
	Output string

	Cloud      string
	Image      string
	Repository string
	Renderer   string
	Out        string

	Project func() (*project.Project, error)
	Render  func(deployer.RenderOptions) (*deployer.Rendering, error)
}

// New returns the command. run replaces what it does, in tests.
func New(a *app.App, run func(context.Context, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	o := &Options{App: a, Project: a.Project, Render: deployer.Render}
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Print the Kubernetes objects of the project",
		Long: "Print the Kubernetes objects of the project. No cluster is asked, and equal input gives equal bytes.\n" +
			"With --out every object is a file; with --renderer kustomize the folder is a base and an overlay of\n" +
			"the cloud, which stock kustomize builds to the same objects.",
		Example: "  egk8s render --cloud gke\n" +
			"  egk8s render --out manifests\n" +
			"  egk8s render --cloud gke --renderer kustomize --out k && kubectl kustomize k/overlays/gke",
		GroupID: "project",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Output = a.Flags.Output
			if err := app.OneOf("renderer", o.Renderer, []string{"helm", "kustomize"}); err != nil {
				return err
			}
			if o.Renderer == "kustomize" && o.Out == "" {
				return &exit.UsageError{
					Message: "--renderer kustomize needs --out DIR",
					Hint:    []string{"kustomize builds from a folder; the objects alone: egk8s render"},
				}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Cloud, "cloud", "", "`PROFILE` of the cloud (default: the project's, then generic)")
	fs.StringVar(&o.Image, "image", "", "`REFERENCE` of the image (default: the one egk8s carries)")
	fs.StringVar(&o.Repository, "repository", "", "`REPOSITORY` of the image, instead of the project's")
	fs.StringVar(&o.Renderer, "renderer", "helm", "what the output is for: helm (plain manifests of the chart) or kustomize")
	fs.StringVar(&o.Out, "out", "", "write a file per object into `DIR`")
	app.Formats(cmd, output.YAML, output.JSON, "name")
	return cmd
}

// Run renders and writes.
func Run(_ context.Context, o *Options) error {
	p, err := o.Project()
	if err != nil {
		return err
	}
	r, err := o.Render(deployer.RenderOptions{
		Project: p, Cloud: o.Cloud, Namespace: o.App.Flags.Namespace, Repository: o.Repository, Image: o.Image,
		Version: version.Version,
	})
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(o.App.IO.Err, "warning:", w.String())
	}
	objects := append(append([]*unstructured.Unstructured{}, r.Config...), r.Objects...)
	if o.Out != "" {
		return o.writeFolder(r)
	}
	switch o.Output {
	case output.JSON:
		return output.Write(o.App.IO.Out, output.JSON, list(objects))
	case "name":
		for _, u := range objects {
			if _, err := fmt.Fprintf(o.App.IO.Out, "%s/%s\n", u.GetKind(), u.GetName()); err != nil {
				return err
			}
		}
		return nil
	}
	data, err := render.YAML(objects)
	if err != nil {
		return err
	}
	_, err = o.App.IO.Out.Write(data)
	return err
}

// list is a Kubernetes List, so that kubectl reads it.
func list(objects []*unstructured.Unstructured) map[string]any {
	items := make([]any, len(objects))
	for i, u := range objects {
		items[i] = u.Object
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
}
