// Package fence runs JavaScript that nobody vouches for, so that it costs a bounded time and a bounded
// memory, sees nothing of the process, and leaves nothing behind.
//
// Every run has a runtime of its own that is thrown away. How memory is bounded stands in
// docs/adr/0011-javascript-in-a-fence.md.
package fence

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/dop251/goja"
)

// The limits of one run.
const (
	// Time is how long a run may take, from its first instruction to its last.
	Time = 80 * time.Millisecond
	// Memory is how many bytes a run may ask for in all, as Ledger counts them.
	Memory = 16 << 20
	// callDepth is how many calls may be open: each also takes stack of the Go program.
	callDepth = 200
	// wait is how long a run waits for its turn.
	wait = 200 * time.Millisecond
)

// What ends a run from outside. A script cannot catch it.
var (
	ErrTime   = errors.New("the expression took longer than it may")
	ErrMemory = errors.New("the expression asked for more memory than it may have")
	ErrBusy   = errors.New("too many expressions are running")
	errDepth  = errors.New("RangeError: Maximum call stack size exceeded")
)

// ThrownError is what a script threw and did not catch.
type ThrownError struct{ Message string }

// Error returns JavaScript's words.
func (e *ThrownError) Error() string { return e.Message }

// Sandbox is the inside of the fence during one run.
type Sandbox struct {
	*Ledger
	VM *goja.Runtime

	open     int                 // native functions that have called each other
	joining  []*goja.Object      // arrays being joined
	targets  []goja.Value        // see nameObject
	forEach  map[string]callable // of Map and Set
	patterns *patterns
}

type callable = goja.Callable

// turns is how many runs there are at once: they are work for processors, and their memory together stays small.
var turns = make(chan struct{}, min(8, max(2, runtime.GOMAXPROCS(0)))) //nolint:gochecknoglobals // a limit of the whole process

// Run runs the program. begin sets up the globals; end takes the result while the runtime still lives.
// An error is a *ThrownError, ErrTime, ErrMemory or ErrBusy.
func (p *Program) Run(begin func(*Sandbox), end func(*Sandbox, goja.Value)) (err error) {
	if err := takeTurn(); err != nil {
		return err
	}
	defer func() { <-turns }()

	s := &Sandbox{VM: goja.New(), patterns: newPatterns(p.patterns)}
	s.Ledger = newLedger(s.VM)
	defer func() { err = verdict(recover(), err) }()
	s.VM.SetMaxCallStackSize(callDepth)
	s.enclose(p.surface)
	begin(s)
	s.deadline = time.Now().Add(Time) // building the fence is not the script's work
	clock := time.AfterFunc(Time, func() { s.VM.Interrupt(ErrTime) })
	defer clock.Stop()
	s.Take(p.cost)
	v, err := s.VM.RunProgram(p.code)
	if err != nil {
		return err
	}
	if end != nil {
		end(s, v)
	}
	return nil
}

func takeTurn() error {
	select {
	case turns <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case turns <- struct{}{}:
		return nil
	case <-late.C:
		return ErrBusy
	}
}

// verdict makes an error of how a run ended.
func verdict(panicked any, err error) error {
	if panicked != nil {
		var isError bool
		if err, isError = panicked.(error); !isError {
			err = &ThrownError{Message: fmt.Sprint(panicked)}
			if v, isValue := panicked.(goja.Value); isValue {
				err = &ThrownError{Message: describe(v)}
			}
		}
	}
	if err == nil {
		return nil
	}
	if interrupted, ok := errors.AsType[*goja.InterruptedError](err); ok {
		if cause, ok := interrupted.Value().(error); ok {
			return cause
		}
		return ErrTime
	}
	for _, limit := range []error{ErrTime, ErrMemory} {
		if errors.Is(err, limit) {
			return limit
		}
	}
	if exception, ok := errors.AsType[*goja.Exception](err); ok {
		return &ThrownError{Message: describe(exception.Value())}
	}
	return &ThrownError{Message: err.Error()}
}

// describe returns the words of what was thrown without running more of the script.
func describe(v goja.Value) string {
	o, isObject := v.(*goja.Object)
	if !isObject {
		return v.String()
	}
	if o.ClassName() != "Error" {
		return "an object was thrown"
	}
	words := func(name string) (text string) {
		defer func() {
			if recover() != nil {
				text = ""
			}
		}()
		if v := o.Get(name); v != nil {
			if _, isObject := v.(*goja.Object); !isObject {
				text = v.String()
			}
		}
		return text
	}
	const most = 300
	text := words("name") + ": " + words("message")
	return text[:min(len(text), most)]
}
