package manifest_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"egk8s.dev/egk8s/gateway/config/manifest"
)

// TestVectors holds the format against files that other programs can be held against too: each archive has the
// config files, "secrets" with "path name" lines, and the manifest (NUL written as \0) with its digest, both
// computed with coreutils.
func TestVectors(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			secrets := map[string]string{}
			var entries []manifest.Entry
			var want, digest string
			for _, f := range a.Files {
				text := string(f.Data)
				switch f.Name {
				case "secrets":
					for line := range strings.Lines(text) {
						path, secret, _ := strings.Cut(strings.TrimSpace(line), " ")
						secrets[path] = secret
					}
				case "manifest":
					want = strings.ReplaceAll(text, `\0`, "\x00")
				case "digest":
					digest = strings.TrimSpace(text)
				default:
					if secret, ok := secrets[f.Name]; ok {
						entries = append(entries, manifest.SecretFile(f.Name, f.Data, secret))
						continue
					}
					entries = append(entries, manifest.File(f.Name, f.Data))
				}
			}
			got, err := manifest.Build(entries)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
			if got := manifest.Digest(got); got != digest {
				t.Errorf("digest = %s, want %s", got, digest)
			}
			parsed, err := manifest.Parse(got)
			if err != nil {
				t.Fatal(err)
			}
			again, err := manifest.Build(parsed)
			if err != nil || string(again) != string(got) {
				t.Errorf("read and written again it is %q, %v", again, err)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	hash := manifest.File("x", nil).SHA256
	for name, entries := range map[string][]manifest.Entry{
		"leaves the folder":   {{Path: "../x", SHA256: hash}},
		"absolute":            {{Path: "/x", SHA256: hash}},
		"itself":              {{Path: manifest.Name, SHA256: hash}},
		"twice":               {manifest.File("x", nil), manifest.File("x", []byte("y"))},
		"line break":          {{Path: "x\ny", SHA256: hash}},
		"no hash":             {{Path: "x"}},
		"both":                {{Path: "x", SHA256: hash, Secret: "s"}},
		"upper case hash":     {{Path: "x", SHA256: strings.ToUpper(hash)}},
		"no Secret's name":    {{Path: "x", Secret: "A b"}},
		"Secret like a hash":  {{Path: "x", Secret: hash}},
		"negative size":       {{Path: "x", Size: -1, SHA256: hash}},
		"backslash is a name": {{Path: "a/./b", SHA256: hash}},
	} {
		if text, err := manifest.Build(entries); err == nil {
			t.Errorf("%s: built %q", name, text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	hash := manifest.File("x", nil).SHA256
	line := func(path string) string { return path + "\x000\x00" + hash + "\n" }
	for name, text := range map[string]string{
		"no line break":    "x\x000\x00" + hash,
		"two fields":       "x\x000\n",
		"four fields":      "x\x000\x00" + hash + "\x00\n",
		"size with zero":   "x\x0000\x00" + hash + "\n",
		"size with sign":   "x\x00+1\x00" + hash + "\n",
		"negative size":    "x\x00-1\x00" + hash + "\n",
		"out of order":     line("b") + line("a"),
		"twice":            line("a") + line("a"),
		"leaves":           line("../a"),
		"carriage return":  "x\x000\x00" + hash + "\r\n",
		"empty third":      "x\x000\x00\n",
		"short hash":       "x\x000\x00" + hash[1:] + "X\n",
		"empty line":       "\n",
		"lists itself":     line(manifest.Name),
		"upper case":       "x\x000\x00" + strings.ToUpper(hash) + "\n",
		"blank at the end": line("a") + " \n",
	} {
		if entries, err := manifest.Parse([]byte(text)); err == nil {
			t.Errorf("%s: parsed %v", name, entries)
		}
	}
}

// newTestMount lays files out as a kubelet does: a folder of a version, "..data" pointing to it, a link for each file.
func newTestMount(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	version := filepath.Join(dir, "..2026_11_22")
	for name, text := range files {
		path := filepath.Join(version, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..2026_11_22", filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		if err := os.Symlink(filepath.Join("..data", top), filepath.Join(dir, top)); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	t.Parallel()
	text, err := manifest.Build([]manifest.Entry{
		manifest.File("a.yml", []byte("a")), manifest.File("models/users.json", []byte("{}")), manifest.SecretFile("s.yml", []byte("secret"), "shop-secret-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{manifest.Name: string(text), "a.yml": "a", "models/users.json": "{}", "s.yml": "secret", "stray.yml": "x"}
	t.Run("mounted", func(t *testing.T) {
		t.Parallel()
		dir := newTestMount(t, files)
		if !manifest.Exists(dir) {
			t.Error("the manifest is not seen")
		}
		got, err := manifest.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != manifest.Digest(text) {
			t.Errorf("digest = %s, want %s", got.Digest(), manifest.Digest(text))
		}
		if diff := cmp.Diff([]string{"a.yml", "models/users.json", "s.yml"}, got.Paths()); diff != "" {
			t.Error(diff)
		}
		if content, err := got.ReadFile("models/users.json"); err != nil || string(content) != "{}" {
			t.Errorf("content %q, %v", content, err)
		}
		if _, err := got.ReadFile("stray.yml"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not listed is read: %v", err)
		}
	})
	for name, change := range map[string]func(map[string]string){
		"another content": func(f map[string]string) { f["a.yml"] = "b" },
		"another length":  func(f map[string]string) { f["s.yml"] = "longer secret" },
		"missing":         func(f map[string]string) { delete(f, "a.yml") },
		"no manifest":     func(f map[string]string) { delete(f, manifest.Name) },
		"broken manifest": func(f map[string]string) { f[manifest.Name] = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := maps.Clone(files)
			change(changed)
			if got, err := manifest.Open(newTestMount(t, changed)); err == nil {
				t.Errorf("opened with digest %s", got.Digest())
			}
		})
	}
}

// TestOpenTellsAll holds that every file at fault is named at once, and nothing of its content.
func TestOpenTellsAll(t *testing.T) {
	t.Parallel()
	text, err := manifest.Build([]manifest.Entry{manifest.File("a", []byte("a")), manifest.File("b", []byte("b"))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = manifest.Open(newTestMount(t, map[string]string{manifest.Name: string(text), "a": "PASSWORD"}))
	if err == nil {
		t.Fatal("opened")
	}
	if got := err.Error(); !strings.Contains(got, "a is not the file that the manifest lists") || !strings.Contains(got, "b: no such file") || strings.Contains(got, "PASSWORD") {
		t.Errorf("error = %v", err)
	}
}
