package upstream

import (
	"errors"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// failure is why there is no answer. What may be sent again depends on it.
type failure int

const (
	// otherFailure is a broken answer, or anything not known better: bytes may have come.
	otherFailure failure = iota
	// dialFailure: there was no connection, so that no byte of the request left.
	dialFailure
	// brokenFailure: the connection ended before any byte of the answer.
	brokenFailure
	// timeoutFailure: the answer did not begin in time.
	timeoutFailure
	failureKinds
	// noFailure is a request that cannot be sent, or that its client did not finish: no endpoint is to blame.
	noFailure
)

func (f failure) String() string {
	return [...]string{"other", "connect", "broken", "timeout", "", "none"}[f]
}

// classify finds the kind of an error of Target.Send.
func classify(err error) failure {
	var e *Error
	if errors.Is(err, ErrBody) || errors.Is(err, ErrRequest) {
		return noFailure
	}
	if !errors.As(err, &e) {
		return otherFailure
	}
	switch e.Stage {
	case h1.Connecting:
		return dialFailure
	case h1.Waiting:
		return brokenFailure
	case h1.GaveUp:
		return timeoutFailure
	case h1.Refused:
		return noFailure
	case h1.Answering:
		return otherFailure
	}
	return otherFailure
}

// repeatable tells whether r may be sent again after err: to anybody when the service has not seen it, else
// when its method is idempotent (RFC 9110, section 9.2.2) and no byte of an answer came; and only while
// nothing of its body was read.
func repeatable(r *Request, err error) bool {
	return Unsent(err) || Unanswered(err) && h1.IsIdempotent(r.Method)
}
