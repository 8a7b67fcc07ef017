package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// apt calls apt-get without root: with the machine's package lists, else with
// lists of its own below dir.
type apt struct {
	dir     string
	options []string
}

// resolve returns the packages that are needed and not installed, with those
// they need themselves.
func (a *apt) resolve(ctx context.Context, needs []Need) ([]string, error) {
	packages, err := a.plan(ctx, needs)
	if err == nil {
		return packages, nil
	}
	// No lists yet, as on a fresh machine, or old ones.
	if update := a.update(ctx); update != nil {
		return nil, errors.Join(err, update)
	}
	return a.plan(ctx, needs)
}

func (a *apt) plan(ctx context.Context, needs []Need) ([]string, error) {
	args := append(slices.Clip(a.options),
		"-o", "Debug::NoLocking=1", "--print-uris", "--yes", "--no-install-recommends", "--reinstall", "install")
	for _, n := range needs {
		args = append(args, n.Package)
	}
	out, err := output(ctx, a.dir, "apt-get", args...)
	if err != nil {
		return nil, err
	}
	packages := ParseURIs(out)
	if len(packages) == 0 {
		return nil, errors.New("apt-get names no package to download")
	}
	return packages, nil
}

// update fetches package lists into a folder of our own.
func (a *apt) update(ctx context.Context) error {
	lists, cache := filepath.Join(a.dir, "lists"), filepath.Join(a.dir, "cache")
	for _, dir := range []string{filepath.Join(lists, "partial"), filepath.Join(cache, "archives", "partial")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make folder for package lists: %w", err)
		}
	}
	a.options = []string{"-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache=" + cache, "-o", "APT::Sandbox::User="}
	_, err := output(ctx, a.dir, "apt-get", append(a.options, "update")...)
	return err
}

// fetch downloads packages into the folder debs. Lists that are out of date name
// versions that are gone, so it tries once more with new lists.
func (a *apt) fetch(ctx context.Context, packages []string) error {
	debs := filepath.Join(a.dir, "debs")
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return fmt.Errorf("make folder for packages: %w", err)
	}
	err := a.download(ctx, debs, packages)
	if err == nil || len(a.options) > 0 {
		return err
	}
	if update := a.update(ctx); update != nil {
		return errors.Join(err, update)
	}
	return a.download(ctx, debs, packages)
}

func (a *apt) download(ctx context.Context, debs string, packages []string) error {
	args := append(slices.Clip(a.options), "-o", "APT::Sandbox::User=", "download")
	_, err := output(ctx, debs, "apt-get", append(args, packages...)...)
	return err
}

// ParseURIs reads the package names from what apt-get --print-uris says: a line
// for each file, with its address in quotes, its name, size and hash.
func ParseURIs(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "'") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasSuffix(fields[1], ".deb") {
			continue
		}
		name, _, ok := strings.Cut(fields[1], "_")
		if ok {
			names = append(names, name)
		}
	}
	return names
}
