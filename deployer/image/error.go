package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Error says what could not be done with an image, where and why, and what to do next (exit 8).
type Error struct {
	Verb  string // assemble, push, load, save
	Image string // reference or repository
	Where string // registry host, node, file
	Err   error
	Hint  string
}

func (e *Error) Error() string {
	s := e.Verb + " image"
	if e.Image != "" {
		s += " " + e.Image
	}
	if e.Where != "" {
		s += " (" + e.Where + ")"
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// pushError says in a user's words what a registry answered.
func pushError(reference, registry string, err error) error {
	e := &Error{Verb: "push", Image: reference, Where: registry, Err: err}
	var answer *transport.Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, errPlainHTTP):
		e.Err, e.Hint = errPlainHTTP, "put TLS in front of the registry; only registries on this machine are spoken to without it"
	case errors.As(err, &answer):
		e.Hint, e.Err = explain(answer, registry)
	case strings.Contains(err.Error(), "error getting credentials"):
		e.Hint = "the credential helper named in docker's config.json failed; run docker login " + registry
	case errors.As(err, &network):
		e.Hint = "is the registry's name right, and does it run? image.repository in egk8s.yaml, or --repository"
	}
	return e
}

func explain(answer *transport.Error, registry string) (hint string, err error) {
	said := []string{fmt.Sprintf("the registry answered %d", answer.StatusCode)}
	for _, d := range answer.Errors {
		text := strings.ToLower(string(d.Code))
		if d.Message != "" {
			text += " (" + d.Message + ")"
		}
		said = append(said, text)
	}
	err = errors.New(strings.Join(said, ": "))
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return "log in with docker login " + registry + ", or check the credential helper in docker's config.json", err
	case http.StatusForbidden:
		return "the account may not push there: log in as another one (docker login " + registry + "), or ask for the right", err
	case http.StatusNotFound:
		return "some registries want the repository to be made first", err
	case http.StatusTooManyRequests:
		return "try again later", err
	}
	return "", err
}
