// Package image makes the gateway's container image without a container engine, and brings it to a
// registry, an archive or the nodes of a kind cluster.
package image

import (
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Image is the gateway image for one or more platforms. Its digests are known before anything is sent.
type Image struct {
	Tag       string   // a prefix of the digest
	Digest    string   // sha256:… of the index
	Platforms []string // linux/amd64, linux/arm64

	index  v1.ImageIndex
	images map[string]v1.Image // by platform
}

// Source is where the layers come from.
type Source interface {
	Platforms() []string
	layer(platform string) (v1.Layer, error)
}

// Embedded is the Source that this egk8s carries. A program built without the tag embedgateway
// carries none and gets an *Error that says so.
func Embedded() (Source, error) { return nil, errors.New("not built yet") }

// FromBinaries packs a user's own gateway builds, one file per platform (ELF; the platform is read
// from the file).
func FromBinaries(files ...string) (Source, error) { return nil, errors.New("not built yet") }

// Assemble makes the image for the platforms, or for all that the source has when there are none.
func Assemble(src Source, platforms ...string) (*Image, error) {
	return nil, errors.New("not built yet")
}

// Reference is what a pod names: repository:tag@digest after a push; repository:tag for images that
// are loaded into nodes, where a digest may not resolve.
func (i *Image) Reference(repository string, pinned bool) string { return "" }

// Matches tells whether a container status' imageID names this image: by config, manifest or index
// digest, depending on how it came to the node.
func (i *Image) Matches(imageID string) bool { return false }

// Digests are all digests by which the image may be named: index, then manifest and config per platform.
func (i *Image) Digests() []string { return nil }

// SaveArchive writes a docker-archive of one platform under the reference: what containerd, kind and
// docker load.
func (i *Image) SaveArchive(w io.Writer, platform, reference string) error { return nil }

// SaveLayout writes an OCI image layout with all platforms into the folder.
func (i *Image) SaveLayout(dir string) error { return nil }

// Progress is how far a delivery is.
type Progress struct {
	Item   string // short digest of a layer, or the name of a node
	Done   int64  // bytes
	Total  int64
	Exists bool // it was there already, nothing was sent
}

// PushOptions are the choices of Push.
type PushOptions struct {
	Repository string         // registry.example.com/team/gateway
	Insecure   bool           // plain http; loopback registries are always asked by http too
	Progress   func(Progress) // may be nil; never called twice at the same time
}

// Pushed is what Push did.
type Pushed struct {
	Reference string // repository:tag@digest
	Existed   bool   // the registry had it, nothing was sent
}

// Push sends the image to a registry, with the credentials that docker's configuration and its
// credential helpers give.
func (i *Image) Push(ctx context.Context, opts PushOptions) (Pushed, error) {
	return Pushed{}, errors.New("not built yet")
}

// LoadOptions are the choices of LoadKind.
type LoadOptions struct {
	Cluster   string         // name of the kind cluster
	Reference string         // repository:tag under which the nodes know it
	Progress  func(Progress) // may be nil; one Item per node
}

// LoadKind imports the image into every node of a kind cluster, through the docker program.
func (i *Image) LoadKind(ctx context.Context, opts LoadOptions) error {
	return errors.New("not built yet")
}

// Error says what could not be done with an image, where and why, and what to do next (exit 8).
type Error struct {
	Verb  string // assemble, push, load, save
	Image string // reference or repository
	Where string // registry host, node, file
	Err   error
	Hint  string
}

func (e *Error) Error() string {
	s := e.Verb + " image"
	if e.Image != "" {
		s += " " + e.Image
	}
	if e.Where != "" {
		s += " (" + e.Where + ")"
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
