package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	got := merge([]string{"PATH=/bin", "A=1", "PATHS=x"}, []string{"PATH=/mine:/bin", "B=2"})
	want := []string{"PATH=/mine:/bin", "B=2", "A=1", "PATHS=x"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// script is a program that is a line of shell.
func script(t *testing.T, name, line string) Program {
	t.Helper()
	return Program{
		Name: name, Path: "/bin/sh", Args: []string{"sh", "-c", line},
		Log: filepath.Join(t.TempDir(), name+".log"),
	}
}

// The tests that run programs do not run at once: a sandbox takes in every child
// of its process.
func run(t *testing.T, stopAfter time.Duration, programs ...Program) ([]Event, error) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(t.Context(), stopAfter)
	defer cancel()
	var out bytes.Buffer
	err := Run(ctx, Spec{Name: "test", Programs: programs}, &out)
	var events []Event
	for dec := json.NewDecoder(&out); dec.More(); {
		var e Event
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		e.PID = 0
		events = append(events, e)
	}
	return events, err
}

func TestOneEndsAll(t *testing.T) {
	lasting := script(t, "lasting", "exec sleep 60")
	ending := script(t, "ending", "sleep 0.2; echo my reason; exit 3")
	events, err := run(t, 30*time.Second, lasting, ending)
	if err == nil || !strings.Contains(err.Error(), "ending ended: exit code 3") || !strings.Contains(err.Error(), ending.Log) {
		t.Errorf("error is %v", err)
	}
	if !slices.Contains(events, Event{Program: "lasting", Kind: "exited", Note: "signal terminated"}) {
		t.Errorf("the other did not end: %+v", events)
	}
	if log, err := os.ReadFile(ending.Log); err != nil || string(log) != "my reason\n" {
		t.Errorf("log is %q, %v", log, err)
	}
}

// The second waits for the first, and ends before it.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	first := script(t, "first", "trap 'echo first >> "+dir+"/ends; exit 0' TERM; while :; do sleep 0.02; done")
	second := script(t, "second", "trap 'sleep 0.1; echo second >> "+dir+"/ends; exit 0' TERM; while :; do sleep 0.02; done")
	var asked time.Time
	answers := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answers++; answers < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		asked = time.Now()
	}))
	defer server.Close()
	second.After = &Target{URL: server.URL}
	events, err := run(t, 600*time.Millisecond, first, second)
	if err != nil {
		t.Fatal(err)
	}
	if answers != 3 || asked.IsZero() {
		t.Errorf("asked %d times", answers)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Program+" "+e.Kind)
	}
	want := []string{"first started", "second started", "second exited", "first exited"}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	if ends, err := os.ReadFile(filepath.Join(dir, "ends")); err != nil || string(ends) != "second\nfirst\n" {
		t.Errorf("ends are %q, %v", ends, err)
	}
}

func TestStubbornIsKilled(t *testing.T) {
	began := time.Now()
	events, err := run(t, 200*time.Millisecond, script(t, "stubborn", "trap '' TERM; while :; do sleep 0.05; done"))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < graceToStop || took > 3*graceToStop {
		t.Errorf("took %v", took)
	}
	if last := events[len(events)-1]; last.Note != "signal killed" {
		t.Errorf("ended by %+v", last)
	}
}

func TestMissingProgram(t *testing.T) {
	p := script(t, "none", "")
	p.Path = "/no/such/program"
	if _, err := run(t, 30*time.Second, p); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("error is %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Network: "tcp", Address: l.Addr().String()}
	if err := target.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := target.Wait(ctx); err == nil || !strings.Contains(err.Error(), target.Address) {
		t.Errorf("error is %v", err)
	}
}
