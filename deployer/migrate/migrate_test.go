package migrate_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"egk8s.dev/egk8s/deployer/migrate"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden reads folders, and compares the page and egk8s.yaml with those of testdata.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		for _, variant := range []struct {
			suffix string
			opts   migrate.Options
		}{
			{"", migrate.Options{Name: "shop"}},
			{"-answered", migrate.Options{Name: "shop", MoveSecrets: true, Upstreams: map[string]string{"other": "http://other.shop.svc:80/base", "pair": "http://pair:80"}}},
		} {
			t.Run(name+variant.suffix, func(t *testing.T) {
				t.Parallel()
				dir := unpack(t, file)
				r, err := migrate.Read(filepath.Join(dir, "eg"), variant.opts)
				if err != nil {
					t.Fatal(err)
				}
				got := &txtar.Archive{Files: []txtar.File{{Name: "MIGRATION.md", Data: r.Page("shop")}}}
				out := t.TempDir()
				for _, f := range scaffold(t, r) {
					write(t, filepath.Join(out, f.Path), f.Data)
					if f.Path == "egk8s.yaml" || f.Path == ".env" || variant.opts.MoveSecrets && strings.HasPrefix(f.Path, "config/") && strings.Contains(string(f.Data), "${") {
						got.Files = append(got.Files, txtar.File{Name: f.Path, Data: f.Data})
					}
				}
				got.Files = append(got.Files, txtar.File{Name: "what validate says", Data: []byte(validate(out))})
				compare(t, filepath.Join("testdata", name+variant.suffix+".golden"), txtar.Format(got))
			})
		}
	}
}

// TestUnchanged copies the files byte for byte.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	dir := unpack(t, "testdata/compose.txtar")
	r, err := migrate.Read(filepath.Join(dir, "eg", "config"), migrate.Options{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{
		"config/gateway.config.yml": "config/gateway.config.yml", "config/system.config.yml": "config/system.config.yml",
		"config/config/keys/tls.key": "config/keys/tls.key", // named from where Express Gateway runs, as the config does
	} {
		want, err := os.ReadFile(filepath.Join(dir, "eg", source))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range r.Files {
			if f.Path == name {
				found = string(f.Data) == string(want)
			}
		}
		if !found {
			t.Errorf("%s is not the copy of %s", name, source)
		}
	}
}

// TestRealFolders ends every folder of real users with a verdict, and with an egk8s.yaml that loads. What validate still
// refuses stands on the page.
func TestRealFolders(t *testing.T) {
	t.Parallel()
	source := os.Getenv("EGK8S_REAL_CONFIGS")
	if source == "" {
		t.Skip("EGK8S_REAL_CONFIGS names no folder of real users' files")
	}
	files, err := filepath.Glob(filepath.Join(source, "*gateway.config.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", source, err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(filepath.Base(file), ".gateway.config.yml")
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyFile(t, file, filepath.Join(dir, "config", "gateway.config.yml"))
			system := filepath.Join(source, base+".system.config.yml")
			if _, err := os.Stat(system); err == nil {
				copyFile(t, system, filepath.Join(dir, "config", "system.config.yml"))
			}
			r, err := migrate.Read(dir, migrate.Options{Name: "real"})
			if err != nil {
				t.Fatal(err)
			}
			out := t.TempDir()
			for _, f := range scaffold(t, r) {
				write(t, filepath.Join(out, f.Path), f.Data)
			}
			said := validate(out)
			if open := r.Verdict() == migrate.NeedsYou; !open && strings.Contains(said, "error") {
				t.Errorf("verdict %s, and validate says:\n%s", r.Verdict(), said)
			}
			for _, f := range r.Findings {
				if f.Verdict == migrate.NeedsYou && len(f.Text) < 20 {
					t.Errorf("%s: no fix: %q", f.Subject, f.Text)
				}
			}
			verdict := string(r.Verdict())
			if strings.Contains(said, "error") {
				verdict = "refused with a fix"
			}
			t.Logf("%s: %d findings\n%s\n%s", verdict, len(r.Findings), r.Page("real"), said)
		})
	}
}

func scaffold(t *testing.T, r *migrate.Result) []project.NewFile {
	t.Helper()
	files, err := project.Scaffold(project.ScaffoldOptions{Name: "shop", Cloud: "generic", Adopt: true, Found: r.Found})
	if err != nil {
		t.Fatal(err)
	}
	return append(files, r.Files...)
}

// validate says what egk8s validate says of the files of a project; the folder is left out.
func validate(dir string) string {
	p, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
	if p != nil {
		_, _, more := p.Read()
		problems = append(problems, more...)
	}
	var lines []string
	problems.Sort()
	for _, one := range problems {
		one.File, _ = filepath.Rel(dir, one.File)
		if one.Severity == diag.Error || one.Code != "inline-secret" {
			lines = append(lines, string(one.Severity)+": "+one.String()+"\n")
		}
	}
	return strings.Join(lines, "")
}

func unpack(t *testing.T, file string) string {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		write(t, filepath.Join(dir, f.Name), f.Data)
	}
	return dir
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, data)
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		write(t, golden, got)
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}
