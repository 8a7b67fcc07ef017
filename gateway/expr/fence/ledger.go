package fence

import (
	"time"

	"github.com/dop251/goja"
)

// Ledger counts what one run asks for. It counts all bytes ever asked for, not those still held: nobody can
// tell which values of a script are garbage, and an upper bound is what a limit needs.
type Ledger struct {
	vm       *goja.Runtime
	left     int
	deadline time.Time
	spent    error
}

func newLedger(vm *goja.Runtime) *Ledger {
	return &Ledger{vm: vm, left: Memory, deadline: time.Now().Add(time.Hour)}
}

// Take asks for n bytes, and ends the run when there are not so many left.
// What it panics with is no JavaScript value, hence no catch and no finally of the script sees it.
func (l *Ledger) Take(n int) {
	if n < 0 || n > l.left {
		l.end(ErrMemory)
	}
	l.left -= n
}

// Check ends the run when its time is over. Loops of native code call it; those of the script need not.
func (l *Ledger) Check() {
	if l.spent != nil || time.Now().After(l.deadline) {
		l.end(ErrTime)
	}
}

func (l *Ledger) end(reason error) {
	if l.spent == nil {
		l.spent = reason
		l.vm.Interrupt(reason) // whatever else of the script would run while the stack unwinds stops too
	}
	panic(limit{l.spent})
}

// limit is what ends a run.
type limit struct{ error }

// Unwrap returns the reason.
func (l limit) Unwrap() error { return l.error }
