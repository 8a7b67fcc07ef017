package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"egk8s.dev/egk8s/deployer/image"
)

const embeddedFolder = "deployer/image/embedded"

// buildGateways builds the gateway for Linux, its archives, and the layers that egk8s carries. The image of a
// release is for both machines: where egk8s runs says nothing about the cluster's nodes.
func (r *release) buildGateways(ctx context.Context, extras []entry) ([]string, error) {
	var programs []string
	for _, p := range r.gateways {
		program, err := r.compile(ctx, p, "egk8s-gateway")
		if err != nil {
			return nil, err
		}
		programs = append(programs, program)
		if _, err := r.archive("egk8s-gateway", p, program, extras[:licenceAndReadme]); err != nil {
			return nil, err
		}
	}
	return programs, image.Pack(filepath.Join(r.root, embeddedFolder), r.Version, programs...)
}

func (r *release) programs(ctx context.Context, extras []entry) error {
	for _, p := range r.platforms {
		program, err := r.compile(ctx, p, "egk8s", "-tags", "embedgateway")
		if err != nil {
			return err
		}
		a, err := r.archive("egk8s", p, program, extras)
		if err != nil {
			return err
		}
		r.Archives = append(r.Archives, a)
	}
	return nil
}

// compile builds a program for a platform and returns its file.
func (r *release) compile(ctx context.Context, p platform, name string, flags ...string) (string, error) {
	const variables = "egk8s.dev/egk8s/gateway/version."
	linker := fmt.Sprintf("-s -w -buildid= -X %[1]sVersion=%[2]s -X %[1]sCommit=%[3]s -X %[1]sDate=%[4]s",
		variables, r.Version, r.commit, r.date.Format("2006-01-02T15:04:05Z"))
	file := filepath.Join(r.work, p.OS+"-"+p.Arch, name)
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", linker, "-o", file}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/"+name)...) //nolint:gosec // no shell; the names are ours
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	cmd.Stderr = os.Stderr
	fmt.Fprintf(os.Stderr, "building %s for %s\n", name, p)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s for %s: %w", name, p, err)
	}
	return file, nil
}

// archive writes the archive of a program and the bill of materials beside it.
func (r *release) archive(name string, p platform, program string, extras []entry) (archive, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return archive{}, err
	}
	base := fmt.Sprintf("%s_%s_%s_%s", name, r.Version, p.OS, p.Arch)
	a := archive{platform: p, Program: name, URL: r.url + "/" + r.Version + "/" + base + ".tar.gz"}
	file := base + ".tar.gz"
	if p.OS == "windows" {
		a.Program, file = name+".exe", base+".zip"
		a.URL = r.url + "/" + r.Version + "/" + file
	}
	entries := append([]entry{{Name: a.Program, Mode: 0o755, Data: binary}}, extras...)
	if err := r.save(file, 0o644, func(w io.Writer) error { return pack(w, p.OS, entries, r.date) }); err != nil {
		return archive{}, err
	}
	if a.SHA256, err = digest(filepath.Join(r.out, file)); err != nil {
		return archive{}, err
	}
	return a, r.save(base+".spdx.json", 0o644, func(w io.Writer) error { return r.bill(w, name, base, program) })
}

// image writes the gateway image as one OCI layout in a tar file: what skopeo, crane and podman copy from.
func (r *release) image(gateways []string) error {
	source, err := image.FromBinaries(r.Version, gateways...)
	if err != nil {
		return err
	}
	img, err := image.Assemble(source)
	if err != nil {
		return err
	}
	layout := filepath.Join(r.work, "layout")
	if err := img.SaveLayout(layout); err != nil {
		return err
	}
	var entries []entry
	err = filepath.WalkDir(layout, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // a folder that this program has just made
		if err != nil {
			return err
		}
		name, err := filepath.Rel(layout, path)
		entries = append(entries, entry{Name: filepath.ToSlash(name), Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		return err
	}
	return r.save("egk8s-gateway_"+r.Version+"_oci.tar", 0o644, func(w io.Writer) error { return packTar(w, entries, r.date) })
}
