package triton

import (
	"errors"
	"fmt"
	"net/http"
)

// APIError is an answer of CloudAPI that is not the one asked for.
type APIError struct {
	Status    int    `json:"-"`
	Code      string `json:"code"` // its own word: ResourceNotFound
	Message   string `json:"message"`
	RequestID string `json:"-"`
	Method    string `json:"-"`
	Path      string `json:"-"` // without the account
}

func (e *APIError) Error() string {
	return fmt.Sprintf("CloudAPI: %s %s: %d %s: %s", e.Method, e.Path, e.Status, e.Code, e.Message)
}

// Hint says what to do; empty: nothing is known.
func (e *APIError) Hint() string {
	switch {
	case e.Status == http.StatusUnauthorized || e.Code == "InvalidCredentials" || e.Code == "InvalidSignature":
		return "check that TRITON_ACCOUNT has the key (triton key list) and that this machine's clock is right: signatures live 300 s"
	case e.Status == http.StatusForbidden || e.Code == "NotAuthorized":
		return "the user needs a role whose policy allows the action, or use the account's own key"
	case e.Code == "QuotaExceeded":
		return "the account's limit is reached: remove instances, or ask the operator for a higher one"
	case e.Code == "InsufficientCapacity" || e.Code == "NoAllocatableServersError":
		return "the datacenter has no room for this package now: choose a smaller one, or try later"
	case IsThrottled(e):
		return "CloudAPI refuses more requests for now: try again in a minute"
	case e.Status >= http.StatusInternalServerError:
		return "the datacenter has a problem; give its operator the request id " + e.RequestID
	default:
		return ""
	}
}

// UnreachableError says that CloudAPI did not answer.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("CloudAPI at %s does not answer: %v", e.URL, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// MachineError says that a machine did not come to be what it should.
type MachineError struct {
	ID, Name string
	State    State
	Message  string
}

func (e *MachineError) Error() string {
	return fmt.Sprintf("instance %s (%s) is %s: %s", e.Name, e.ID, e.State, e.Message)
}

// IsNotFound tells of what is not there, or not any more.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// slowDown is CloudAPI's own status for too many requests.
const slowDown = 420

// IsThrottled tells of a request that was refused because there were too many, or the service is busy.
func IsThrottled(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && (e.Status == slowDown || e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable ||
		e.Code == "RequestThrottled")
}
