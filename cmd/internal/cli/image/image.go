// Package image are the commands about the gateway image that egk8s carries.
package image

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/gateway/version"
)

// Options are the inputs of the image commands.
type Options struct {
	App    *app.App
	Output string

	Binaries   []string // instead of the gateway that egk8s carries
	Platforms  []string
	Platform   string
	Repository string
	Insecure   bool
	Cluster    string
	Layout     string
	File       string

	Embedded func() (*image.Source, error)
}

// Document is what -o json prints of an image.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Version    string   `json:"version"`
	Tag        string   `json:"tag"`
	Digest     string   `json:"digest"`
	Platforms  []string `json:"platforms"`
	Size       int64    `json:"size"`
	Reference  string   `json:"reference,omitempty"`
	Existed    bool     `json:"existed,omitempty"`
}

// New returns the commands. run replaces what they do, in tests; it is called with the name of the
// subcommand.
func New(a *app.App, run func(context.Context, string, *Options) error) *cobra.Command {
	if run == nil {
		run = Run
	}
	group := app.Group(&cobra.Command{
		Use:     "image",
		Short:   "Build, save, push or load the gateway image, without Docker",
		GroupID: "parts",
	})
	for _, build := range []func() (*cobra.Command, *Options){buildCommand, saveCommand, pushCommand, loadCommand} {
		cmd, o := build()
		o.App, o.Embedded = a, image.Embedded
		cmd.Flags().StringArrayVar(&o.Binaries, "gateway-binary", nil, "`FILE` of your own gateway build, one per platform (default: the gateway that egk8s carries)")
		name := cmd.Name()
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			o.Output = a.Flags.Output
			if len(args) > 0 {
				o.File = args[0]
			}
			return run(cmd.Context(), name, o)
		}
		app.Formats(cmd, output.JSON, output.YAML)
		group.AddCommand(cmd)
	}
	return group
}

func buildCommand() (*cobra.Command, *Options) {
	o := &Options{}
	cmd := &cobra.Command{
		Use:     "build",
		Short:   "Assemble the image and print its digest; --layout also writes it",
		Example: "  egk8s image build\n  egk8s image build --layout ./gateway-image",
		Args:    app.NoArgs,
	}
	cmd.Flags().StringSliceVar(&o.Platforms, "platform", nil, "`PLATFORMS` as linux/amd64,linux/arm64 (default: all)")
	cmd.Flags().StringVar(&o.Layout, "layout", "", "also write an OCI image layout into `DIR`")
	return cmd, o
}

func saveCommand() (*cobra.Command, *Options) {
	o := &Options{}
	cmd := &cobra.Command{
		Use:     "save FILE",
		Short:   "Write an archive of one platform that docker, containerd and kind load",
		Example: "  egk8s image save gateway.tar\n  egk8s image save - --platform linux/arm64 | ssh node ctr -n k8s.io images import -",
		Args:    app.ExactArgs("FILE (- for standard output)"),
	}
	cmd.Flags().StringVar(&o.Platform, "platform", "linux/amd64", "`PLATFORM` of the archive")
	cmd.Flags().StringVar(&o.Repository, "repository", "", "`REPOSITORY` that the archive names (default: "+image.LocalRepository+")")
	return cmd, o
}

func pushCommand() (*cobra.Command, *Options) {
	o := &Options{}
	cmd := &cobra.Command{
		Use:   "push REPOSITORY",
		Short: "Send the image to a registry, with docker's credentials",
		Long: "Send the image to a registry. Credentials come from docker's configuration and its credential helpers;\n" +
			"docker itself is not needed. Layers that the registry has are not sent again.",
		Example: "  egk8s image push registry.example.com/team/gateway",
		Args:    app.ExactArgs("REPOSITORY"),
	}
	cmd.Flags().StringSliceVar(&o.Platforms, "platform", nil, "`PLATFORMS` to send (default: all)")
	cmd.Flags().BoolVar(&o.Insecure, "insecure", false, "allow plain http")
	return cmd, o
}

func loadCommand() (*cobra.Command, *Options) {
	o := &Options{}
	cmd := &cobra.Command{
		Use:     "load",
		Short:   "Load the image into the nodes of a kind cluster",
		Example: "  egk8s image load --cluster kind",
		Args:    app.NoArgs,
	}
	cmd.Flags().StringVar(&o.Cluster, "cluster", "kind", "`NAME` of the kind cluster: its context without kind-")
	cmd.Flags().StringVar(&o.Repository, "repository", "", "`REPOSITORY` under which the nodes know it (default: "+image.LocalRepository+")")
	return cmd, o
}

// assemble makes the image from the binaries given, else from what egk8s carries.
func (o *Options) assemble() (*image.Image, error) {
	source, err := o.source()
	if err != nil {
		return nil, err
	}
	return image.Assemble(source, o.Platforms...)
}

func (o *Options) source() (*image.Source, error) {
	if len(o.Binaries) > 0 {
		return image.FromBinaries(version.Version, o.Binaries...)
	}
	return o.Embedded()
}

func document(i *image.Image) Document {
	return Document{
		APIVersion: "egk8s.dev/v1alpha1", Kind: "Image", Version: i.Version, Tag: i.Tag, Digest: i.Digest,
		Platforms: i.Platforms, Size: i.Size,
	}
}

func (o *Options) repository() string { return cmp.Or(o.Repository, image.LocalRepository) }

func (o *Options) print(d Document, text string) error {
	if output.IsDocument(o.Output) {
		return output.Write(o.App.IO.Out, o.Output, d)
	}
	_, err := fmt.Fprint(o.App.IO.Out, text)
	return err
}

func describe(d Document) string {
	return fmt.Sprintf("digest     %s\ntag        %s\nversion    %s\nplatforms  %s\n", d.Digest, d.Tag, d.Version, strings.Join(d.Platforms, ", "))
}
