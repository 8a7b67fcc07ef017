// Package image packs one static program into an image, without any engine.
package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Options say what goes into the image.
type Options struct {
	// Binary is a statically linked program; it becomes /app.
	Binary string
	// Name is the image's reference, with a tag.
	Name string
	// User is the numeric user and group, root when empty.
	User string
}

// programPath is where the program lies in the image.
const programPath = "app"

// New makes the image: equal programs make equal images.
func New(o Options) (v1.Image, error) {
	program, err := os.ReadFile(o.Binary)
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	content, err := layerOf(program)
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	})
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config.Entrypoint = []string{"/" + programPath}
	file.Config.User = o.User
	img, err = mutate.ConfigFile(img, file)
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", o.Name, err)
	}
	return img, nil
}

func layerOf(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	epoch := time.Unix(0, 0)
	headers := []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: epoch},
		{Typeflag: tar.TypeReg, Name: programPath, Mode: 0o755, Size: int64(len(program)), ModTime: epoch},
	}
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	return out.Bytes(), w.Close()
}

// WriteFile makes the image and writes it as an archive that docker load,
// ctr images import and egkube load take.
func WriteFile(o Options, file string) error {
	tag, err := name.NewTag(o.Name, name.WithDefaultRegistry(""))
	if err != nil {
		return fmt.Errorf("make image: %w", err)
	}
	img, err := New(o)
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write image %s: %w", o.Name, err)
	}
	if err := errors.Join(tarball.Write(tag, img, out), out.Close()); err != nil {
		return fmt.Errorf("write image %s: %w", o.Name, err)
	}
	return nil
}
