package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// binaryPath is where the gateway lies in the image.
const binaryPath = "egk8s-gateway"

const userList = `root:x:0:0:root:/:/sbin/nologin
egk8s:x:65532:0:egk8s gateway:/:/sbin/nologin
`

const groupList = `root:x:0:
`

// layer is one finished layer: its bytes are compressed already and its digests known.
type layer struct {
	digest, diffID v1.Hash
	size           int64
	open           func() (io.ReadCloser, error) // the compressed bytes
}

func (l *layer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l *layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *layer) Size() (int64, error)                { return l.size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }
func (l *layer) Compressed() (io.ReadCloser, error)  { return l.open() }
func (l *layer) Uncompressed() (io.ReadCloser, error) {
	compressed, err := l.open()
	if err != nil {
		return nil, err
	}
	plain, err := gzip.NewReader(compressed)
	if err != nil {
		return nil, fmt.Errorf("open layer: %w", err)
	}
	return plain, nil
}

// packLayer makes the one layer of the image: the gateway, CA certificates and a passwd entry.
// Everything belongs to 0:0 and is readable by all, so that any user may run it. The same binary and
// time give the same bytes.
func packLayer(binary []byte, created time.Time) (*layer, []byte, error) {
	var compressed bytes.Buffer
	outer, plain := sha256.New(), sha256.New()
	zip, err := gzip.NewWriterLevel(io.MultiWriter(&compressed, outer), gzip.BestCompression)
	if err != nil {
		return nil, nil, fmt.Errorf("compress layer: %w", err)
	}
	if err := writeTar(io.MultiWriter(zip, plain), binary, created); err != nil {
		return nil, nil, fmt.Errorf("write layer: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, nil, fmt.Errorf("compress layer: %w", err)
	}
	data := compressed.Bytes()
	return newLayer(data, hash(outer.Sum(nil)), hash(plain.Sum(nil))), data, nil
}

func newLayer(data []byte, digest, diffID v1.Hash) *layer {
	return &layer{
		digest: digest, diffID: diffID, size: int64(len(data)),
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

func hash(sum []byte) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sum)} }

func writeTar(w io.Writer, binary []byte, created time.Time) error {
	archive := tar.NewWriter(w)
	entries := []struct {
		name string
		mode int64
		data []byte
	}{
		{binaryPath, 0o755, binary},
		{"etc/", 0o755, nil},
		{"etc/egk8s/", 0o755, nil},
		{"etc/egk8s/config/", 0o755, nil},
		{"etc/group", 0o644, []byte(groupList)},
		{"etc/passwd", 0o644, []byte(userList)},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, caCertificates()},
	}
	for _, e := range entries {
		header := &tar.Header{
			Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: created, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if e.data == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.data); err != nil {
			return err
		}
	}
	return archive.Close()
}

// caCertificates is Mozilla's root store as PEM. A root that is trusted up to a date only cannot be
// written so; it is left out, for a file would trust it for ever.
func caCertificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}
