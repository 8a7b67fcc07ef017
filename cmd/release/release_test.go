package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// made returns a release of one archive whose program is a script, in the layout that `make release` leaves.
func made(t *testing.T) *release {
	t.Helper()
	r := &release{
		Version: "v1.2.3", commit: "0123456789abcdef", date: time.Unix(1700000000, 0).UTC(), url: "https://releases.example.com",
		root: filepath.Join("..", ".."), out: filepath.Join(t.TempDir(), "v1.2.3"), work: t.TempDir(),
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		t.Fatal(err)
	}
	extras, err := r.extras()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []platform{{runtime.GOOS, runtime.GOARCH}, {"darwin", "arm64"}, {"windows", "amd64"}} {
		file := "egk8s_v1.2.3_" + p.OS + "_" + p.Arch + ".tar.gz"
		entries := append([]entry{{Name: "egk8s", Mode: 0o755, Data: []byte("#!/bin/sh\necho \"egk8s v1.2.3 ($*)\"\n")}}, extras...)
		if err := r.save(file, 0o644, func(w io.Writer) error { return pack(w, p.OS, entries, r.date) }); err != nil {
			t.Fatal(err)
		}
		r.Archives = append(r.Archives, archive{platform: p, Program: "egk8s", URL: r.url + "/v1.2.3/" + file, SHA256: strings.Repeat("a", 64)})
	}
	for _, step := range []func() error{r.chart, r.installers, r.checksums} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// install runs the release's install.sh against a server that has the release, and returns where it installed.
func install(t *testing.T, r *release, env ...string) (program, output string, err error) {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(r.out))))
	defer server.Close()
	folder := filepath.Join(t.TempDir(), "bin")
	cmd := exec.Command("sh", filepath.Join(r.out, "install.sh"))
	cmd.Env = append(os.Environ(), "EGK8S_BASE_URL="+server.URL, "EGK8S_BIN_DIR="+folder, "EGK8S_VERSION=")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return filepath.Join(folder, "egk8s"), string(out), err
}

func TestInstall(t *testing.T) {
	t.Parallel()
	r := made(t)
	program, said, err := install(t, r)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	out, err := exec.Command(program, "version").CombinedOutput()
	if err != nil || string(out) != "egk8s v1.2.3 (version)\n" {
		t.Errorf("the installed program: %v: %s", err, out)
	}
}

func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		env        string
		spoil      func(t *testing.T, r *release, archive string)
	}{
		{"a tampered archive", "is not what the release lists", "", func(t *testing.T, _ *release, archive string) {
			t.Helper()
			data, err := os.ReadFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(archive, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"an archive that is not listed", "does not list", "", func(t *testing.T, r *release, _ string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"an archive that is missing", "cannot download", "", func(t *testing.T, _ *release, archive string) {
			t.Helper()
			if err := os.Remove(archive); err != nil {
				t.Fatal(err)
			}
		}},
		{"a version that is a path", "is not the name of a release", "EGK8S_VERSION=../v1.2.3", func(*testing.T, *release, string) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := made(t)
			test.spoil(t, r, filepath.Join(r.out, "egk8s_v1.2.3_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz"))
			program, said, err := install(t, r, test.env)
			if err == nil || !strings.Contains(said, test.want) {
				t.Errorf("error %v, said %q, want %q", err, said, test.want)
			}
			if _, err := os.Stat(program); err == nil {
				t.Error("something was installed")
			}
		})
	}
}

func TestManifests(t *testing.T) {
	t.Parallel()
	r := made(t)
	formula, err := os.ReadFile(filepath.Join(r.out, "egk8s.rb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`version "1.2.3"`, "on_macos do\n    on_arm do\n", "on_linux do", r.Archives[1].URL, r.Archives[1].SHA256} {
		if !strings.Contains(string(formula), want) {
			t.Errorf("the formula has no %q:\n%s", want, formula)
		}
	}
	var krew struct {
		Spec struct {
			Version   string
			Platforms []struct{ URI, SHA256, Bin string }
		}
	}
	data, err := os.ReadFile(filepath.Join(r.out, "krew.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &krew); err != nil {
		t.Fatal(err)
	}
	if krew.Spec.Version != "v1.2.3" || len(krew.Spec.Platforms) != 3 || krew.Spec.Platforms[2].URI != r.Archives[2].URL {
		t.Errorf("the krew manifest: %+v", krew)
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	r := made(t)
	chart, err := loader.LoadFile(filepath.Join(r.out, "egk8s-gateway-1.2.3.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := chart.Validate(); err != nil {
		t.Error(err)
	}
	if chart.Metadata.Version != "1.2.3" || chart.Metadata.AppVersion != "v1.2.3" {
		t.Errorf("the chart is %s of %s", chart.Metadata.Version, chart.Metadata.AppVersion)
	}
}

func TestSemver(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3-rc.1": "1.2.3-rc.1", "56f7bfe": "0.0.0-dev.g56f7bfe", "0123456-dirty": "0.0.0-dev.g0123456-dirty",
		"v1.2.3-4-gabcdef0": "1.2.3-4-gabcdef0",
	} {
		if got := (&release{Version: version}).Semver(); got != want {
			t.Errorf("Semver of %s = %s, want %s", version, got, want)
		}
	}
}

// The order in which files are found, and when, must not show.
func TestPackIsReproducible(t *testing.T) {
	t.Parallel()
	files := []entry{{"b", 0o644, []byte("b")}, {"a", 0o755, []byte("a")}}
	for _, system := range []string{"linux", "windows"} {
		var first, second bytes.Buffer
		if err := pack(&first, system, files, time.Unix(1700000000, 0)); err != nil {
			t.Fatal(err)
		}
		zone := time.FixedZone("east", 9*3600)
		if err := pack(&second, system, []entry{files[1], files[0]}, time.Unix(1700000000, 0).In(zone)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: two archives of the same files differ", system)
		}
	}
}
