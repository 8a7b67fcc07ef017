package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPackedLayersAreTheImage packs a real program as `make build` does and assembles the image from
// the folder and from the program itself.
func TestPackedLayersAreTheImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "gateway")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GO111MODULE=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out := t.TempDir()
	if err := Pack(out, "1.2.3", binary); err != nil {
		t.Fatal(err)
	}
	packed, err := open(os.DirFS(out))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := FromBinaries("1.2.3", binary)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Assemble(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Assemble(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest != b.Digest || a.Platforms[0] != "linux/amd64" || a.Size == 0 {
		t.Errorf("%s from the folder, %s from the program", a.Digest, b.Digest)
	}
	if err := Pack(out, "", source); err == nil {
		t.Error("a source file was packed")
	}
	if err := Pack(filepath.Join(out, "none"), "", binary); err == nil {
		t.Error("packed into no folder")
	}
	if _, err := open(os.DirFS(dir)); err == nil {
		t.Error("opened a folder without layers")
	}
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"": 0, "1700000000": 1700000000, "-1": 0, "soon": 0} {
		got := epoch(func(string) (string, bool) { return text, text != "" })
		if got.Unix() != want || got.Location().String() != "UTC" {
			t.Errorf("SOURCE_DATE_EPOCH=%s: %v", text, got)
		}
	}
}
