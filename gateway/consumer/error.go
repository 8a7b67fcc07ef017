package consumer

import "fmt"

// Class says what kind of mistake an Error is; an HTTP status or an exit code follows from it.
type Class int

// The classes of mistakes.
const (
	Invalid  Class = iota // the input breaks a rule
	Missing               // what was named does not exist
	Conflict              // the input is right by itself and clashes with what exists
)

// Error is a mistake of whoever asked; its message is Express Gateway's where that has one.
type Error struct {
	Class   Class
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Is matches ErrNotFound when something was missing.
func (e *Error) Is(target error) bool { return target == ErrNotFound && e.Class == Missing }

func mistake(c Class, format string, args ...any) error {
	return &Error{Class: c, Message: fmt.Sprintf(format, args...)}
}
