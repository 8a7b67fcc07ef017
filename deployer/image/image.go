// Package image makes the gateway's container image without a container engine, and brings it to a
// registry, an archive or the nodes of a kind cluster.
package image

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// LocalRepository names the image where it is loaded into nodes and no repository is given.
const LocalRepository = "egk8s.local/gateway"

// User is who the gateway runs as when the cluster does not say otherwise; any other user may, too.
const User = "65532:0"

// tagLength is how many hex digits of the digest the tag shows.
const tagLength = 16

// Image is the gateway image for one or more platforms. Its digests are known before anything is sent.
type Image struct {
	Tag       string   // a prefix of the digest
	Digest    string   // sha256:… of the index
	Version   string   // of the gateway in it
	Platforms []string // linux/amd64, linux/arm64
	Size      int64    // bytes of all layers, compressed

	index   v1.ImageIndex
	images  map[string]v1.Image // by platform
	layers  map[string]*layer
	digests []string
}

// Assemble makes the image for the platforms, or for all that the source has when there are none.
func Assemble(src *Source, platforms ...string) (*Image, error) {
	if len(platforms) == 0 {
		platforms = src.Platforms()
	}
	platforms = slices.Compact(slices.Sorted(slices.Values(platforms)))
	i := &Image{
		Version: src.version, Platforms: platforms, images: map[string]v1.Image{}, layers: map[string]*layer{},
		index: mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
	}
	for _, platform := range platforms {
		l, ok := src.layers[platform]
		if !ok {
			return nil, &Error{
				Verb: "assemble", Err: fmt.Errorf("no gateway for the platform %s", platform),
				Hint: "there are: " + strings.Join(src.Platforms(), ", "),
			}
		}
		if err := i.add(src, platform, l); err != nil {
			return nil, &Error{Verb: "assemble", Where: platform, Err: err}
		}
	}
	digest, err := i.index.Digest()
	if err != nil {
		return nil, &Error{Verb: "assemble", Err: err}
	}
	i.Digest, i.Tag = digest.String(), digest.Hex[:tagLength]
	i.digests = append([]string{i.Digest}, i.digests...)
	return i, nil
}

func (i *Image) add(src *Source, platform string, l *layer) error {
	system, arch, _ := strings.Cut(platform, "/")
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(img, mutate.Addendum{
		Layer: l, History: v1.History{Created: v1.Time{Time: src.created}, CreatedBy: "egk8s image build"},
	})
	if err != nil {
		return err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = system, arch, v1.Time{Time: src.created}
	file.Config = runConfig(src.version)
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return err
	}
	i.images[platform], i.layers[platform] = img, l
	i.Size += l.size
	i.index = mutate.AppendManifests(i.index, mutate.IndexAddendum{
		Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: arch}},
	})
	manifest, err := img.Digest()
	if err != nil {
		return err
	}
	config, err := img.ConfigName()
	if err != nil {
		return err
	}
	i.digests = append(i.digests, manifest.String(), config.String())
	return nil
}

func runConfig(version string) v1.Config {
	labels := map[string]string{
		"org.opencontainers.image.title":       "egk8s-gateway",
		"org.opencontainers.image.description": "API gateway, a drop-in for Express Gateway",
		"org.opencontainers.image.url":         "https://egk8s.dev",
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if version != "" {
		labels["org.opencontainers.image.version"] = version
	}
	return v1.Config{
		User:         User,
		Entrypoint:   []string{"/" + binaryPath},
		WorkingDir:   "/etc/egk8s/config",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8443/tcp": {}, "9877/tcp": {}, "9878/tcp": {}},
		Labels:       labels,
	}
}

// Reference is what a pod names: repository:tag@digest after a push (pinned); repository:tag for images
// that are loaded into nodes, where a digest may not resolve. An empty repository is LocalRepository.
func (i *Image) Reference(repository string, pinned bool) string {
	if repository == "" {
		repository = LocalRepository
	}
	reference := repository + ":" + i.Tag
	if pinned {
		reference += "@" + i.Digest
	}
	return reference
}

// Digests are all digests by which the image may be named: of the index, then of the manifest and the
// config of each platform.
func (i *Image) Digests() []string { return slices.Clone(i.digests) }

// Matches tells whether a container status' imageID names this image: by config, manifest or index
// digest, depending on how it came to the node.
func (i *Image) Matches(imageID string) bool {
	at := strings.LastIndex(imageID, "sha256:")
	return at >= 0 && slices.Contains(i.digests, imageID[at:])
}

// SaveArchive writes a docker-archive of one platform under the reference: what containerd, kind and
// docker load.
func (i *Image) SaveArchive(w io.Writer, platform, reference string) error {
	img, err := i.platform("save", platform)
	if err != nil {
		return err
	}
	ref, err := name.NewTag(reference, name.WeakValidation)
	if err != nil {
		return &Error{Verb: "save", Image: reference, Err: err}
	}
	if err := tarball.Write(ref, img, w); err != nil {
		return &Error{Verb: "save", Image: reference, Where: platform, Err: err}
	}
	return nil
}

func (i *Image) platform(verb, platform string) (v1.Image, error) {
	img, ok := i.images[platform]
	if !ok {
		return nil, &Error{
			Verb: verb, Err: fmt.Errorf("the image has nothing for the platform %s", platform),
			Hint: "there are: " + strings.Join(slices.Sorted(maps.Keys(i.images)), ", "),
		}
	}
	return img, nil
}

// SaveLayout writes an OCI image layout with all platforms into the folder, under the tag.
func (i *Image) SaveLayout(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &Error{Verb: "save", Where: dir, Err: err}
	}
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(i.index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": i.Tag}))
	}
	if err != nil {
		return &Error{Verb: "save", Where: dir, Err: err}
	}
	return nil
}
