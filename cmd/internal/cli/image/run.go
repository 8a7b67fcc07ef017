package image

import (
	"context"
	"fmt"
	"os"

	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/deployer/image"
)

// Run runs the subcommand of that name.
func Run(ctx context.Context, name string, o *Options) error {
	img, err := o.assemble()
	if err != nil {
		return err
	}
	switch name {
	case "save":
		return o.save(img)
	case "push":
		return o.push(ctx, img)
	case "load":
		return o.load(ctx, img)
	default:
		return o.build(img)
	}
}

func (o *Options) build(img *image.Image) error {
	d := document(img)
	if o.Layout != "" {
		if err := img.SaveLayout(o.Layout); err != nil {
			return err
		}
	}
	return o.print(d, describe(d))
}

// save writes the archive; with - the archive is what goes to standard output, and nothing else.
func (o *Options) save(img *image.Image) (err error) {
	reference := img.Reference(o.repository(), false)
	if o.File == "-" {
		return img.SaveArchive(o.App.IO.Out, o.Platform, reference)
	}
	f, err := os.Create(o.File)
	if err != nil {
		return &image.Error{Verb: "save", Image: reference, Where: o.File, Err: err}
	}
	if err := img.SaveArchive(f, o.Platform, reference); err != nil {
		_ = f.Close()
		_ = os.Remove(o.File)
		return err
	}
	if err := f.Close(); err != nil {
		return &image.Error{Verb: "save", Image: reference, Where: o.File, Err: err}
	}
	d := document(img)
	d.Reference = reference
	return o.print(d, fmt.Sprintf("%s saved to %s (%s)\n", reference, o.File, o.Platform))
}

func (o *Options) push(ctx context.Context, img *image.Image) error {
	pushed, err := img.Push(ctx, image.PushOptions{Repository: o.File, Insecure: o.Insecure, Progress: o.progress("layer")})
	if err != nil {
		return err
	}
	d := document(img)
	d.Reference, d.Existed = pushed.Reference, pushed.Existed
	word := "pushed"
	if pushed.Existed {
		word = "exists"
	}
	return o.print(d, fmt.Sprintf("%s %s\n", pushed.Reference, word))
}

func (o *Options) load(ctx context.Context, img *image.Image) error {
	reference := img.Reference(o.repository(), false)
	err := img.LoadKind(ctx, image.LoadOptions{Cluster: o.Cluster, Reference: reference, Progress: o.progress("node")})
	if err != nil {
		return err
	}
	d := document(img)
	d.Reference = reference
	return o.print(d, fmt.Sprintf("%s loaded into kind cluster %s\n", reference, o.Cluster))
}

// progress tells on standard error when an item begins and when it is done.
func (o *Options) progress(kind string) func(image.Progress) {
	if o.App.Flags.Quiet {
		return nil
	}
	told := map[string]bool{}
	return func(p image.Progress) {
		if p.Done < p.Total || told[p.Item] {
			return
		}
		told[p.Item] = true
		word := "sent"
		if p.Exists {
			word = "exists"
		}
		fmt.Fprintf(o.App.IO.Err, "%s %s %s (%s)\n", kind, p.Item, word, report.Bytes(p.Total))
	}
}
