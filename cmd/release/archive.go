package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is one file of an archive.
type entry struct {
	Name string // with slashes
	Mode os.FileMode
	Data []byte
}

// archive is a finished archive of egk8s.
type archive struct {
	platform
	Program string // file of the program in it
	URL     string
	SHA256  string
}

// pack returns the entries as a .tar.gz or, for windows, a .zip file: sorted, of one time, owned by nobody.
func pack(w io.Writer, system string, entries []entry, date time.Time) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	if system == "windows" {
		return packZip(w, entries, date)
	}
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := packTar(compressed, entries, date); err != nil {
		return err
	}
	return compressed.Close()
}

func packTar(w io.Writer, entries []entry, date time.Time) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		err := archive.WriteHeader(&tar.Header{
			Name: e.Name, Mode: int64(e.Mode), Size: int64(len(e.Data)), ModTime: date, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		})
		if err != nil {
			return err
		}
		if _, err := archive.Write(e.Data); err != nil {
			return err
		}
	}
	return archive.Close()
}

func packZip(w io.Writer, entries []entry, date time.Time) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.Name, Method: zip.Deflate, Modified: date.UTC()}
		header.SetMode(e.Mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := file.Write(e.Data); err != nil {
			return err
		}
	}
	return archive.Close()
}

// save writes a file of the release.
func (r *release) save(name string, mode os.FileMode, write func(io.Writer) error) error {
	file, err := os.OpenFile(filepath.Join(r.out, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		_ = file.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	return file.Close()
}

func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// checksums writes SHA256SUMS, which sha256sum -c reads, over all other files of the release.
func (r *release) checksums() error {
	files, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, f := range files {
		sum, err := digest(filepath.Join(r.out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%s  %s\n", sum, f.Name())
	}
	return r.save("SHA256SUMS", 0o644, func(w io.Writer) error { _, err := io.WriteString(w, list.String()); return err })
}
