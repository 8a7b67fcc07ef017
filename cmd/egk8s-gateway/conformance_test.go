package main_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"egk8s.dev/egk8s/cmd/egk8s-gateway/internal/conformance"
	_ "egk8s.dev/egk8s/gateway/server" // a change of the gateway makes a remembered test result void
)

var raise = flag.Bool("raise", false, "write higher floors where more cases pass")

const (
	casesDir        = "../../testdata/conformance"
	floorsFile      = casesDir + "/floors.json"
	differencesFile = casesDir + "/differences.json"
	modelsDir       = "../../gateway/consumer/models"
	// workers is more than there are cores: most cases wait for a process to start, or sleep.
	workers = 8
)

// TestConformance plays the cases recorded from Express Gateway against the real binary. Per area
// as many must pass as floors.json says; the cases in differences.json differ on purpose and must
// go on doing so. Set EGK8S_GATEWAY_BINARY to try another build, EGK8S_CASES=key- to play some cases only.
func TestConformance(t *testing.T) {
	var (
		cases       = newTestCases(t)
		floors      = readJSON[map[string]int](t, floorsFile)
		differences = readJSON[map[string]string](t, differencesFile)
		only        = os.Getenv("EGK8S_CASES")
		skipped     = map[string]int{}
		passed      = map[string]int{}
		played      []conformance.Case
	)
	for _, c := range cases {
		switch {
		case !strings.Contains(c.ID, only):
		case testing.Short() && c.Tagged("slow"):
			skipped[c.Area]++
		default:
			played = append(played, c)
		}
	}
	runner := &conformance.Runner{Binary: newTestBinary(t), Models: newTestModels(t)}
	results := playAll(t, runner, played)
	for _, c := range played {
		diffs, reason := results[c.ID], differences[c.ID]
		switch {
		case reason != "" && len(diffs) == 0:
			t.Errorf("%s passes now: take it out of differences.json", c.ID)
		case reason != "":
		case len(diffs) == 0:
			passed[c.Area]++
		default:
			t.Logf("differs: %s (%s)\n\t%s", c.ID, c.Title, strings.Join(diffs, "\n\t"))
		}
	}
	for id := range differences {
		if !slices.ContainsFunc(cases, func(c conformance.Case) bool { return c.ID == id }) {
			t.Errorf("differences.json names %s, which does not exist", id)
		}
	}
	if only == "" {
		compare(t, cases, differences, floors, passed, skipped)
	}
}

// compare holds the floors and says where one can be raised.
func compare(t *testing.T, cases []conformance.Case, differences map[string]string, floors, passed, skipped map[string]int) {
	t.Helper()
	total := map[string]int{}
	for _, c := range cases {
		if differences[c.ID] == "" {
			total[c.Area]++
		}
	}
	raised := false
	for _, area := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%-10s %d of %d pass, floor %d, skipped %d", area, passed[area], total[area], floors[area], skipped[area])
		switch {
		case passed[area]+skipped[area] < floors[area]:
			t.Errorf("%s: %d cases pass, fewer than its floor of %d: something that worked is broken", area, passed[area], floors[area])
		case passed[area] > floors[area]:
			t.Logf("%s: the floor can be raised from %d to %d (go test -raise)", area, floors[area], passed[area])
			floors[area], raised = passed[area], true
		}
	}
	if raised && *raise {
		text, err := json.MarshalIndent(floors, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(floorsFile, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// playAll plays every case, the slow ones first, and those that differ once more by themselves:
// a loaded machine must not decide.
func playAll(t *testing.T, runner *conformance.Runner, cases []conformance.Case) map[string][]string {
	t.Helper()
	var (
		mu      sync.Mutex
		all     sync.WaitGroup
		results = map[string][]string{}
		queue   = make(chan conformance.Case)
	)
	for range workers {
		all.Go(func() {
			for c := range queue {
				diffs := runner.Play(t.Context(), c)
				mu.Lock()
				results[c.ID] = diffs
				mu.Unlock()
			}
		})
	}
	start := time.Now()
	for _, c := range slices.SortedFunc(slices.Values(cases), slowFirst) {
		queue <- c
	}
	close(queue)
	all.Wait()
	again := 0
	for _, c := range cases {
		if len(results[c.ID]) == 0 || c.Tagged("slow") || again == 10 {
			continue
		}
		again++
		if second := runner.Play(t.Context(), c); len(second) == 0 {
			t.Logf("%s passed only by itself; beside others it differed:\n\t%s", c.ID, strings.Join(results[c.ID], "\n\t"))
			results[c.ID] = nil
		}
	}
	t.Logf("%d cases in %.1f s", len(cases), time.Since(start).Seconds())
	return results
}

func slowFirst(a, b conformance.Case) int {
	rank := func(c conformance.Case) int {
		if c.Tagged("slow") {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
}

func newTestCases(t *testing.T) []conformance.Case {
	t.Helper()
	cases, err := conformance.Load(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("no cases in %s", casesDir)
	}
	return cases
}

// newTestBinary builds the gateway once.
func newTestBinary(t *testing.T) string {
	t.Helper()
	if given := os.Getenv("EGK8S_GATEWAY_BINARY"); given != "" {
		return given
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources { // go test remembers a result until a file that the test looked at changes
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "egk8s-gateway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the gateway: %v\n%s", err, out)
	}
	return path
}

// newTestModels reads Express Gateway's own models.
func newTestModels(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(modelsDir, "*.json"))
	if err != nil || len(files) != 3 {
		t.Fatalf("models: %v, %v", files, err)
	}
	models := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		models[filepath.Base(name)] = string(text)
	}
	return models
}

func readJSON[T any](t *testing.T, name string) T {
	t.Helper()
	var out T
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("read %s: %w", name, err))
	}
	return out
}
