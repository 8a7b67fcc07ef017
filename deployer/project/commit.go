package project

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CommitError says that a folder's state at a commit cannot be had.
type CommitError struct {
	Ref    string
	Reason string // git's own words, or why git was not asked
}

// Error names the commit and the reason.
func (e *CommitError) Error() string {
	return fmt.Sprintf("%q is no folder, and no commit can be read: %s", e.Ref, e.Reason)
}

// AtCommit writes the folder dir as it is at a commit, a branch or a tag of its git repository into a new
// folder, which remove deletes. The git program does the reading; an error is a CommitError or one of the disk.
func AtCommit(ctx context.Context, dir, ref string) (path string, remove func(), err error) {
	if strings.HasPrefix(ref, "-") {
		return "", nil, &CommitError{Ref: ref, Reason: "this is no name of a commit"}
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", ref+"^{commit}")
	if err != nil {
		return "", nil, &CommitError{Ref: ref, Reason: reason(err, "no commit, branch or tag has this name")}
	}
	archive, err := git(ctx, dir, "archive", "--format=tar", strings.TrimSpace(string(commit)), ".")
	if err != nil {
		return "", nil, &CommitError{Ref: ref, Reason: reason(err, "the folder is not part of it")}
	}
	if path, err = os.MkdirTemp("", "egk8s-commit-"); err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(path) } // a temporary folder
	if err := unpack(bytes.NewReader(archive), path); err != nil {
		remove()
		return "", nil, fmt.Errorf("unpack %s: %w", ref, err)
	}
	return path, remove, nil
}

func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...) //nolint:gosec // a ref is an argument, never an option
	return cmd.Output()
}

// reason returns what git says of a failure, or otherwise.
func reason(err error, otherwise string) string {
	var exited *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "there is no git program on the PATH"
	case errors.As(err, &exited) && len(bytes.TrimSpace(exited.Stderr)) > 0:
		first, _, _ := strings.Cut(strings.TrimSpace(string(exited.Stderr)), "\n")
		return first
	case errors.As(err, &exited):
		return otherwise
	default:
		return err.Error()
	}
}

// unpack writes the folders and files of a tar archive below dir, and nothing else: no links, nothing outside.
func unpack(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // it was read from only
	archive := tar.NewReader(r)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch name := filepath.FromSlash(strings.TrimSuffix(head.Name, "/")); head.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = write(root, name, archive)
		}
		if err != nil {
			return err
		}
	}
}

func write(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
