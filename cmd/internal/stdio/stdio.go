// Package stdio is the only owner of standard input, output and error. It knows which of them are
// terminals, whether colour and other characters than ASCII may be written, and whether a question
// may be asked. Nothing else in the program looks at a file descriptor or at NO_COLOR.
package stdio

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"
)

// Colour modes of --color.
const (
	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// Streams are the three standard streams and what is known of them.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// InTTY, OutTTY and ErrTTY tell which stream is a terminal.
	InTTY, OutTTY, ErrTTY bool
	// NoInput forbids every question (--no-input).
	NoInput bool
	// Color is one of ColorAuto, ColorAlways, ColorNever.
	Color string

	env    func(string) string
	errFd  int // -1: no file behind Err
	inFd   int
	mu     sync.Mutex
	onExit []func()
}

// System returns the streams of this process. env reads an environment variable.
func System(env func(string) string) *Streams {
	return &Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Color: ColorAuto,
		env:   env, errFd: int(os.Stderr.Fd()), inFd: int(os.Stdin.Fd()),
	}
}

// Buffers are the ends of Test's streams.
type Buffers struct {
	In, Out, Err *bytes.Buffer
}

// Test returns streams over buffers, none of them a terminal, with the environment given.
func Test(env map[string]string) (*Streams, Buffers) {
	b := Buffers{In: &bytes.Buffer{}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}
	return &Streams{
		In: b.In, Out: b.Out, Err: b.Err, Color: ColorAuto,
		env: func(k string) string { return env[k] }, errFd: -1, inFd: -1,
	}, b
}

// Getenv returns the value of an environment variable, empty when it is not set.
func (s *Streams) Getenv(name string) string { return s.env(name) }

// ColorOut tells whether colour codes may be written to Out.
func (s *Streams) ColorOut() bool { return s.colored(s.OutTTY) }

// ColorErr tells whether colour codes may be written to Err.
func (s *Streams) ColorErr() bool { return s.colored(s.ErrTTY) }

func (s *Streams) colored(tty bool) bool {
	switch s.Color {
	case ColorAlways:
		return true
	case ColorNever:
		return false
	}
	return tty && s.env("NO_COLOR") == "" && !s.dumb()
}

// ASCII tells whether signs and lines must be drawn with ASCII only: EGK8S_ASCII is set, or the
// locale is not UTF-8.
func (s *Streams) ASCII() bool {
	if v := s.env("EGK8S_ASCII"); v != "" && v != "0" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := s.env(name); v != "" {
			v = strings.ToLower(v)
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	// No locale at all: CI runners and containers, whose log viewers read UTF-8; a terminal that
	// says nothing gets ASCII.
	return s.ErrTTY
}

// Accessible tells whether the user asked for append-only lines (EGK8S_ACCESSIBLE).
func (s *Streams) Accessible() bool {
	v := s.env("EGK8S_ACCESSIBLE")
	return v != "" && v != "0"
}

// CI tells whether a CI system runs us.
func (s *Streams) CI() bool {
	v := s.env("CI")
	return (v != "" && v != "false" && v != "0") || s.env("GITHUB_ACTIONS") == "true" || s.env("GITLAB_CI") == "true"
}

// CanPrompt tells whether a question may be asked of a person: not forbidden, no CI, and both the
// question (Err) and the answer (In) go through a terminal.
func (s *Streams) CanPrompt() bool {
	return !s.NoInput && !s.CI() && s.InTTY && s.ErrTTY
}

// CanAnimate tells whether a live view may be drawn on Err: guard 3 of the terminal view.
func (s *Streams) CanAnimate() bool {
	return s.ErrTTY && s.InTTY && !s.dumb() && !s.CI() && !s.Accessible()
}

func (s *Streams) dumb() bool {
	t := s.env("TERM")
	return t == "dumb" || t == ""
}

// Size returns the columns and rows of the terminal behind Err; 80 × 24 where it is unknown.
func (s *Streams) Size() (width, height int) {
	width, height = 80, 24
	if n, err := strconv.Atoi(s.env("COLUMNS")); err == nil && n > 0 {
		width = n
	}
	if s.errFd >= 0 && s.ErrTTY {
		if w, h, err := term.GetSize(s.errFd); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return width, height
}

// TerminalState saves the modes of the terminal behind In and returns the function that restores
// them; it does nothing where In is no terminal.
func (s *Streams) TerminalState() func() {
	if s.inFd < 0 || !s.InTTY {
		return func() {}
	}
	state, err := term.GetState(s.inFd)
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(s.inFd, state) }
}

// OnAbort registers what must be undone when the program ends without unwinding, such as the modes
// of the terminal. The function returned takes it back.
func (s *Streams) OnAbort(undo func()) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.onExit)
	s.onExit = append(s.onExit, undo)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.onExit[i] = nil
	}
}

// Abort runs what OnAbort registered, newest first.
func (s *Streams) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, undo := range slices.Backward(s.onExit) {
		if undo != nil {
			undo()
		}
	}
	s.onExit = nil
}

func isTerminal(f *os.File) bool {
	return isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd())
}
