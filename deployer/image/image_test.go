package image_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"egk8s.dev/egk8s/deployer/image"
)

// newTestBinary writes a file with the header of a static Linux program and some content.
func newTestBinary(t *testing.T, machine elf.Machine, content string) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56, Shentsize: 64,
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, header); err != nil {
		t.Fatal(err)
	}
	b.WriteString(content)
	file := filepath.Join(t.TempDir(), "gateway")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newTestImage(t *testing.T) *image.Image {
	t.Helper()
	src, err := image.FromBinaries("1.2.3", newTestBinary(t, elf.EM_X86_64, "amd"), newTestBinary(t, elf.EM_AARCH64, "arm"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Assemble(src)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestArchiveReadsBack(t *testing.T) {
	t.Parallel()
	img := newTestImage(t)
	var archive bytes.Buffer
	reference := img.Reference("", false)
	if err := img.SaveArchive(&archive, "linux/arm64", reference); err != nil {
		t.Fatal(err)
	}
	back, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(back); err != nil {
		t.Fatal(err)
	}
	config, err := back.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User: "65532:0", Entrypoint: []string{"/egk8s-gateway"}, WorkingDir: "/etc/egk8s/config",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8443/tcp": {}, "9877/tcp": {}, "9878/tcp": {}},
	}
	got := config.Config
	if got.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("labels: %v", got.Labels)
	}
	got.Labels = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if config.Architecture != "arm64" || config.OS != "linux" || config.Created.Unix() != 0 {
		t.Errorf("%+v", config)
	}
	if name, _ := back.ConfigName(); !img.Matches(name.String()) {
		t.Errorf("config digest %s of a loaded archive is not recognised", name)
	}
	files := readLayer(t, back)
	if !strings.HasSuffix(files["egk8s-gateway"], "arm") || !strings.Contains(files["etc/passwd"], ":65532:0:") {
		t.Errorf("files: %v", keys(files))
	}
	if n := strings.Count(files["etc/ssl/certs/ca-certificates.crt"], "BEGIN CERTIFICATE"); n < 100 {
		t.Errorf("%d CA certificates", n)
	}
}

// readLayer returns the files of the image and checks that any user can read them.
func readLayer(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	stream := mutate.Extract(img)
	defer func() { _ = stream.Close() }()
	files := map[string]string{}
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Mode&0o044 != 0o044 || header.Uid != 0 || header.Gid != 0 || header.ModTime.Unix() != 0 {
			t.Errorf("%s: mode %o, owner %d:%d, time %v", header.Name, header.Mode, header.Uid, header.Gid, header.ModTime)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(data)
	}
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

func TestDigestsAreKnownAndStable(t *testing.T) {
	t.Parallel()
	a, b := newTestImage(t), newTestImage(t)
	if a.Digest != b.Digest {
		t.Errorf("two builds: %s and %s", a.Digest, b.Digest)
	}
	if !strings.HasPrefix(a.Digest, "sha256:"+a.Tag) {
		t.Errorf("tag %s is no prefix of %s", a.Tag, a.Digest)
	}
	if want := "registry.example.com/t/g:" + a.Tag + "@" + a.Digest; a.Reference("registry.example.com/t/g", true) != want {
		t.Error(a.Reference("registry.example.com/t/g", true))
	}
	for _, digest := range a.Digests() {
		if !a.Matches("registry.example.com/t/g@" + digest) {
			t.Errorf("%s is not recognised", digest)
		}
	}
	if len(a.Digests()) != 5 || a.Matches("sha256:"+strings.Repeat("0", 64)) || a.Matches("") {
		t.Errorf("digests: %v", a.Digests())
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	img := newTestImage(t)
	dir := filepath.Join(t.TempDir(), "oci")
	if err := img.SaveLayout(dir); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Manifests[0].Digest.String(); got != img.Digest {
		t.Errorf("layout has %s, want %s", got, img.Digest)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		file string
		want string
	}{
		"not ELF":     {text, "not a Linux program"},
		"other CPU":   {newTestBinary(t, elf.EM_RISCV, "x"), "EM_RISCV"},
		"no file":     {text + ".none", "no such file"},
		"dynamic":     {"/bin/ls", "shared libraries"},
		"second time": {"", "a second binary for linux/amd64"},
	}
	for name, tt := range tests {
		files := []string{tt.file}
		if tt.file == "" {
			files = []string{newTestBinary(t, elf.EM_X86_64, "a"), newTestBinary(t, elf.EM_X86_64, "b")}
		}
		_, err := image.FromBinaries("", files...)
		var typed *image.Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	src, err := image.FromBinaries("", newTestBinary(t, elf.EM_X86_64, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := image.Assemble(src, "linux/arm64"); err == nil || !strings.Contains(err.Error(), "linux/arm64") {
		t.Errorf("missing platform: %v", err)
	}
}

func TestEmbeddedSaysWhatItHas(t *testing.T) {
	t.Parallel()
	src, err := image.Embedded()
	if err != nil {
		var typed *image.Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), "without the gateway image") || !strings.Contains(typed.Hint, "make build") {
			t.Errorf("%v", err)
		}
		return
	}
	img, err := image.Assemble(src)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, img.Platforms); diff != "" {
		t.Error(diff)
	}
}
