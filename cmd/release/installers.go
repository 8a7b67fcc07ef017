package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"egk8s.dev/egk8s/charts"
)

//go:embed files/*.tmpl
var templates embed.FS

var semantic = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$`)

// Semver is the version as charts and krew want it. A build between releases sorts before all of them.
func (r *release) Semver() string {
	if found := semantic.FindStringSubmatch(r.Version); found != nil {
		return found[1]
	}
	return "0.0.0-dev." + strings.Trim(regexp.MustCompile(`[^0-9A-Za-z-]+`).ReplaceAllString("g"+r.Version, "-"), "-")
}

// Plain is the version without the v of the tag.
func (r *release) Plain() string { return strings.TrimPrefix(r.Version, "v") }

var chartVersions = regexp.MustCompile(`(?m)^(version|appVersion): .*$`)

// chart writes the chart as `helm package` would, with the versions of this release.
func (r *release) chart() error {
	var entries []entry
	err := fs.WalkDir(charts.FS, "egk8s-gateway", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := charts.FS.ReadFile(name)
		if name == "egk8s-gateway/Chart.yaml" {
			data = chartVersions.ReplaceAllFunc(data, func(line []byte) []byte {
				key, _, _ := strings.Cut(string(line), ":")
				return fmt.Appendf(nil, "%s: %q", key, map[string]string{"version": r.Semver(), "appVersion": r.Version}[key])
			})
		}
		entries = append(entries, entry{Name: name, Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		return err
	}
	return r.save("egk8s-gateway-"+r.Semver()+".tgz", 0o644, func(w io.Writer) error { return pack(w, "linux", entries, r.date) })
}

type system struct {
	Brew     string // how Homebrew names it
	Archives []brewed
}

type brewed struct {
	archive
	Brew string
}

// Systems are the archives that Homebrew installs.
func (r *release) Systems() []system {
	cpus := map[string]string{"amd64": "intel", "arm64": "arm"}
	var systems []system
	for _, of := range []struct{ name, brew string }{{"darwin", "macos"}, {"linux", "linux"}} {
		s := system{Brew: of.brew}
		for _, a := range r.Archives {
			if a.OS == of.name {
				s.Archives = append(s.Archives, brewed{archive: a, Brew: cpus[a.Arch]})
			}
		}
		if len(s.Archives) > 0 {
			systems = append(systems, s)
		}
	}
	return systems
}

// installers writes the formula, the krew manifest and the install script, all of this version.
func (r *release) installers() error {
	parsed, err := template.ParseFS(templates, "files/*.tmpl")
	if err != nil {
		return err
	}
	for file, from := range map[string]string{"egk8s.rb": "egk8s.rb.tmpl", "krew.yaml": "krew.yaml.tmpl"} {
		if err := r.save(file, 0o644, func(w io.Writer) error { return parsed.ExecuteTemplate(w, from, r) }); err != nil {
			return err
		}
	}
	script, err := os.ReadFile(filepath.Join(r.root, "install.sh"))
	if err != nil {
		return err
	}
	script = releasesLine.ReplaceAllLiteral(script, []byte("releases_url="+r.url))
	script = bytes.Replace(script, []byte("\nrelease_version=\n"), []byte("\nrelease_version="+r.Version+"\n"), 1)
	return r.save("install.sh", 0o755, func(w io.Writer) error { _, err := w.Write(script); return err })
}
