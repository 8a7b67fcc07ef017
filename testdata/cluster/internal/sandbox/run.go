package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// graceToStop is how long a program may take to end by itself before it is
// killed. Its data are thrown away, so it needs no more.
const graceToStop = 3 * time.Second

// runner is the state of a running sandbox. Everything in it belongs to the
// goroutine that calls Run; that one must be locked to its thread, for the
// programs are told by the kernel to die when the thread that made them does.
type runner struct {
	spec   Spec
	events *json.Encoder
	// running are the programs by process number, order their starts.
	running map[int]Program
	order   []int
}

// Run starts the programs of a spec and returns when all have ended: after one
// ended by itself (an error), or after the context has ended. In a process number
// namespace of its own it also takes in every orphan.
func Run(ctx context.Context, spec Spec, out io.Writer) error {
	r := &runner{spec: spec, events: json.NewEncoder(out), running: map[int]Program{}}
	if err := prepare(spec); err != nil {
		r.tell(Event{Kind: "failed", Note: err.Error()})
		return err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan readiness)
	for _, p := range spec.Programs {
		go func() {
			answer := readiness{program: p, err: p.After.Wait(waiting)}
			select {
			case ready <- answer:
			case <-waiting.Done():
			}
		}()
	}
	err := r.loop(ctx, ready)
	if err != nil {
		r.tell(Event{Kind: "failed", Note: err.Error()})
	}
	r.stopAll()
	return err
}

type readiness struct {
	program Program
	err     error
}

func (r *runner) loop(ctx context.Context, ready <-chan readiness) error {
	children := time.NewTicker(20 * time.Millisecond)
	defer children.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-ready:
			if ctx.Err() != nil {
				return nil
			}
			if a.err != nil {
				return fmt.Errorf("start %s: %w", a.program.Name, a.err)
			}
			if err := r.start(a.program); err != nil {
				return err
			}
		case <-children.C:
			if p, status, ok := r.reap(); ok {
				return fmt.Errorf("%s ended: %s; its log is %s", p.Name, describe(status), p.Log)
			}
		}
	}
}

func (r *runner) start(p Program) error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	defer null.Close()
	pid, err := syscall.ForkExec(p.Path, p.Args, &syscall.ProcAttr{
		Env:   merge(os.Environ(), r.spec.Environment),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("start %s (%s): %w", p.Name, p.Path, err)
	}
	r.running[pid] = p
	r.order = append(r.order, pid)
	r.tell(Event{Program: p.Name, Kind: "started", PID: pid})
	return nil
}

// merge puts entries into an environment in place of those of the same name,
// for of two the first would count.
func merge(environment, entries []string) []string {
	replaced := map[string]bool{}
	for _, e := range entries {
		name, _, _ := strings.Cut(e, "=")
		replaced[name] = true
	}
	merged := append([]string(nil), entries...)
	for _, e := range environment {
		if name, _, _ := strings.Cut(e, "="); !replaced[name] {
			merged = append(merged, e)
		}
	}
	return merged
}

// reap takes in every child that has ended and reports the first of them that
// is one of the programs.
func (r *runner) reap() (Program, unix.WaitStatus, bool) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if pid <= 0 || err != nil {
			return Program{}, 0, false
		}
		p, mine := r.running[pid]
		if !mine {
			continue
		}
		delete(r.running, pid)
		r.tell(Event{Program: p.Name, Kind: "exited", PID: pid, Note: describe(status)})
		return p, status, true
	}
}

// stopAll ends the programs one after another, the last started first, so that
// the API server is gone before its etcd.
func (r *runner) stopAll() {
	for _, pid := range slices.Backward(r.order) {
		if _, ok := r.running[pid]; !ok {
			continue
		}
		_ = unix.Kill(pid, unix.SIGTERM)
		if !r.waitFor(pid, graceToStop) {
			_ = unix.Kill(-pid, unix.SIGKILL)
			r.waitFor(pid, graceToStop)
		}
	}
}

func (r *runner) waitFor(pid int, limit time.Duration) bool {
	end := time.Now().Add(limit)
	for time.Now().Before(end) {
		r.reap()
		if _, ok := r.running[pid]; !ok {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func (r *runner) tell(e Event) { _ = r.events.Encode(e) }

func describe(s unix.WaitStatus) string {
	if s.Signaled() {
		return "signal " + s.Signal().String()
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}

// prepare builds the root file system and writes the kernel settings.
func prepare(spec Spec) error {
	if spec.Isolated {
		if err := unix.Sethostname([]byte(spec.Name)); err != nil {
			return fmt.Errorf("set host name: %w", err)
		}
	}
	var err error
	switch {
	case spec.Root != nil:
		err = spec.Root.Enter()
	case spec.Isolated:
		err = hideProcesses()
	}
	if err != nil {
		return err
	}
	for name, value := range spec.Sysctls {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("set kernel value: %w", err)
		}
	}
	return nil
}
