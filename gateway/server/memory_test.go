package server

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// TestLimitMemory is not parallel: the limit belongs to the process.
func TestLimitMemory(t *testing.T) { //nolint:paralleltest // see above
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	file := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{
		"268435456\n": 268435456 / 10 * 9, "max\n": 0, "9223372036854771712\n": 0, "nonsense": 0,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := limitMemory(&environment{}, "/none", file); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := debug.SetMemoryLimit(-1); got != 268435456/10*9 {
		t.Errorf("the limit in force is %d", got)
	}
	if got := limitMemory(&environment{memory: "100MiB"}, file); got != 0 {
		t.Errorf("GOMEMLIMIT of the environment does not win: %d", got)
	}
}
