package main_test

import (
	"cmp"
	"encoding/json"
	"fmt"
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

const (
	casesDir        = "../../testdata/conformance"
	differencesFile = casesDir + "/differences.json"
	differencesDir  = casesDir + "/differences"
	modelsDir       = "../../gateway/consumer/models"
	// workers is more than there are cores: most cases wait for a process to start, or sleep.
	workers = 8
)

// TestConformance plays the cases recorded from Express Gateway against the real binary. Every case
// must pass, except those in differences.json: they differ on purpose and must go on doing so. What
// this gateway answers instead may stand in differences/ID.yaml, the same case with other answers,
// and must pass too. Set EGK8S_GATEWAY_BINARY to try another build, EGK8S_CASES=key- to play some cases only.
func TestConformance(t *testing.T) {
	var (
		recorded    = newTestCases(t, casesDir)
		instead     = newTestCases(t, differencesDir)
		differences = readJSON[map[string]string](t, differencesFile)
		runner      = &conformance.Runner{Binary: newTestBinary(t), Models: newTestModels(t)}
	)
	checkDifferences(t, recorded, instead, differences)
	played, skipped := choose(recorded)
	results := playAll(t, runner, played)
	for _, c := range played {
		switch diffs, reason := results[c.ID], differences[c.ID]; {
		case reason != "" && len(diffs) == 0:
			t.Errorf("%s passes now: take it out of differences.json", c.ID)
		case reason == "" && len(diffs) > 0:
			t.Errorf("%s (%s) differs:\n\t%s", c.ID, c.Title, strings.Join(diffs, "\n\t"))
		}
	}
	played, _ = choose(instead)
	results = playAll(t, runner, played)
	for _, c := range played {
		if diffs := results[c.ID]; len(diffs) > 0 {
			t.Errorf("differences/%s.yaml (%s) is not what comes back:\n\t%s", c.ID, c.Title, strings.Join(diffs, "\n\t"))
		}
	}
	t.Logf("%d cases recorded, %d differ on purpose, %d left out", len(recorded), len(differences), skipped)
}

// choose takes the cases to play now and counts the others.
func choose(cases []conformance.Case) (played []conformance.Case, skipped int) {
	only := os.Getenv("EGK8S_CASES")
	for _, c := range cases {
		if strings.Contains(c.ID, only) && (!testing.Short() || !c.Tagged("slow")) {
			played = append(played, c)
		}
	}
	return played, len(cases) - len(played)
}

// checkDifferences holds that the list of differences and the cases belong together.
func checkDifferences(t *testing.T, recorded, instead []conformance.Case, differences map[string]string) {
	t.Helper()
	ids := map[string]bool{}
	for _, c := range recorded {
		ids[c.ID] = true
	}
	for id := range differences {
		if !ids[id] {
			t.Errorf("differences.json names %s, which does not exist", id)
		}
	}
	for _, c := range instead {
		if differences[c.ID] == "" {
			t.Errorf("differences/%s.yaml answers a case that is not in differences.json", c.ID)
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

func newTestCases(t *testing.T, dir string) []conformance.Case {
	t.Helper()
	cases, err := conformance.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("no cases in %s", dir)
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
	build := exec.CommandContext(t.Context(), "go", "build", "-pgo=off", "-o", path, ".") // shares the build cache with the other tests
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
