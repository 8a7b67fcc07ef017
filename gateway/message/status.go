package message

import (
	"errors"
	"fmt"
)

// StatusError is a mistake of the client: it ends the request with a status of its own and the page of it.
type StatusError struct {
	Status int
	Text   string // the name of the status, as Express has it
	Err    error  // what the log may say
}

// Error says what is wrong.
func (e *StatusError) Error() string { return fmt.Sprintf("%s: %v", e.Text, e.Err) }

// Unwrap returns the reason.
func (e *StatusError) Unwrap() error { return e.Err }

func badRequest(err error) error {
	return &StatusError{Status: 400, Text: "Bad Request", Err: err}
}

func tooLarge(format string, args ...any) error {
	return &StatusError{Status: 413, Text: "Payload Too Large", Err: fmt.Errorf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &StatusError{Status: 415, Text: "Unsupported Media Type", Err: fmt.Errorf(format, args...)}
}

// BodyStatus returns with which status an error of reading a Request's Body is answered: 400 when it does not say.
func BodyStatus(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 400
}
