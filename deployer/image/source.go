package image

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"egk8s.dev/egk8s/deployer/image/embedded"
)

// indexFile lists the packed layers of a folder.
const indexFile = "layers.json"

// Source is finished layers, one per platform.
type Source struct {
	version string
	created time.Time
	layers  map[string]*layer // by platform
}

// Platforms are the platforms that the source has a layer for, sorted.
func (s *Source) Platforms() []string { return slices.Sorted(maps.Keys(s.layers)) }

// packed is the content of indexFile.
type packed struct {
	Version string        `json:"version"`
	Created time.Time     `json:"created"`
	Layers  []packedLayer `json:"layers"`
}

type packedLayer struct {
	Platform string  `json:"platform"`
	File     string  `json:"file"`
	Digest   v1.Hash `json:"digest"`
	DiffID   v1.Hash `json:"diffID"`
}

// Embedded is the Source that this egk8s carries. A program built without the tag embedgateway
// carries none and gets an *Error that says so.
func Embedded() (*Source, error) {
	folder, ok := embedded.FS()
	if !ok {
		return nil, &Error{
			Verb: "assemble", Err: errors.New("this egk8s was built without the gateway image"),
			Hint: "build it with: make build; or name a gateway binary with --gateway-binary, or an image that the cluster can pull with --image",
		}
	}
	s, err := open(folder)
	if err != nil {
		return nil, &Error{Verb: "assemble", Where: "embedded layers", Err: err, Hint: "build egk8s again: make build"}
	}
	return s, nil
}

func open(folder fs.FS) (*Source, error) {
	data, err := fs.ReadFile(folder, indexFile)
	if err != nil {
		return nil, err
	}
	var list packed
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", indexFile, err)
	}
	s := &Source{version: list.Version, created: list.Created, layers: map[string]*layer{}}
	for _, l := range list.Layers {
		data, err := fs.ReadFile(folder, l.File)
		if err != nil {
			return nil, err
		}
		s.layers[l.Platform] = newLayer(data, l.Digest, l.DiffID)
	}
	return s, nil
}

// FromBinaries packs a user's own gateway builds, one file per platform (ELF; the platform is read
// from the file). version is the image's version label.
func FromBinaries(version string, files ...string) (*Source, error) {
	s := &Source{version: version, created: epoch(os.LookupEnv), layers: map[string]*layer{}}
	for _, file := range files {
		platform, binary, err := readBinary(file)
		if err != nil {
			return nil, &Error{Verb: "assemble", Where: file, Err: err, Hint: "build the gateway with: CGO_ENABLED=0 GOOS=linux go build"}
		}
		if s.layers[platform] != nil {
			return nil, &Error{Verb: "assemble", Where: file, Err: fmt.Errorf("a second binary for %s", platform)}
		}
		if s.layers[platform], _, err = packLayer(binary, s.created); err != nil {
			return nil, &Error{Verb: "assemble", Where: file, Err: err}
		}
	}
	return s, nil
}

// Pack writes finished layers of gateway binaries and their list into a folder, for embedding.
func Pack(dir, version string, files ...string) error {
	list := packed{Version: version, Created: epoch(os.LookupEnv)}
	for _, file := range files {
		platform, binary, err := readBinary(file)
		if err != nil {
			return fmt.Errorf("pack %s: %w", file, err)
		}
		l, data, err := packLayer(binary, list.Created)
		if err != nil {
			return fmt.Errorf("pack %s: %w", file, err)
		}
		name := strings.ReplaceAll(platform, "/", "-") + ".tar.gz"
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("write layer: %w", err)
		}
		list.Layers = append(list.Layers, packedLayer{Platform: platform, File: name, Digest: l.digest, DiffID: l.diffID})
	}
	slices.SortFunc(list.Layers, func(a, b packedLayer) int { return strings.Compare(a.Platform, b.Platform) })
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", indexFile, err)
	}
	if err := os.WriteFile(filepath.Join(dir, indexFile), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", indexFile, err)
	}
	return nil
}

// epoch is the time in the image: SOURCE_DATE_EPOCH, in seconds, or the beginning of 1970.
func epoch(env func(string) (string, bool)) time.Time {
	text, _ := env("SOURCE_DATE_EPOCH")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		seconds = 0
	}
	return time.Unix(seconds, 0).UTC()
}

// readBinary reads a program and says for which platform it is. The image has no libraries, so a
// program that needs them is refused.
func readBinary(file string) (platform string, data []byte, err error) {
	data, err = os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	program, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return "", nil, errors.New("this is not a Linux program (ELF)")
	}
	architectures := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}
	arch, ok := architectures[program.Machine]
	if !ok || program.Data != elf.ELFDATA2LSB {
		return "", nil, fmt.Errorf("a program for %s; the image is made for linux/amd64 and linux/arm64", program.Machine)
	}
	if program.Type != elf.ET_EXEC && program.Type != elf.ET_DYN {
		return "", nil, errors.New("this is not a program")
	}
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return "", nil, errors.New("the program needs shared libraries, and the image has none")
	}
	return "linux/" + arch, data, nil
}
