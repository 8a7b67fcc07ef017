// Package manage are the commands for who may call a gateway: users, applications, credentials, scopes and
// tokens, through its Admin API.
package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// answerLimit bounds what is read of one answer.
const answerLimit = 64 << 20

// client speaks with one Admin API. Bodies are never logged: secrets stand there.
type client struct {
	base   *url.URL
	http   *http.Client
	header http.Header
	where  string       // for messages
	lost   func() error // why a connection through the cluster ended; nil: there is none
}

// object is one thing that the Admin API shows.
type object = map[string]any

// answerError is an answer of the Admin API that is no success.
type answerError struct {
	Status  int
	Message string
}

// Error returns what the Admin API said.
func (e *answerError) Error() string { return e.Message }

func isMissing(err error) bool {
	var answer *answerError
	return errors.As(err, &answer) && answer.Status == http.StatusNotFound
}

// do sends one request; into, when it is not nil, takes the JSON of the answer.
func (c *client) do(ctx context.Context, method, path string, body, into any) error {
	var text io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		text = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, text)
	if err != nil {
		return &exit.UsageError{Message: fmt.Sprintf("ask the Admin API: %v", err)}
	}
	req.Header = c.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	switch {
	case err != nil:
		return c.unreachable(err)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return c.refused(resp, answer)
	case into == nil || len(answer) == 0:
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return c.stranger(fmt.Errorf("what answers is no Admin API: %w", err))
	}
	return nil
}

// unreachable is a request without an answer.
func (c *client) unreachable(err error) error {
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err // its text repeats the address, in which a token may stand
	}
	if c.lost != nil {
		if why := c.lost(); why != nil {
			err = why
		}
	}
	return &exit.Error{
		Code: exit.Unreachable, Err: fmt.Errorf("the Admin API at %s does not answer: %w", c.where, err),
	}
}

func (c *client) stranger(err error) error {
	return &exit.Error{Code: exit.Unreachable, Err: fmt.Errorf("%s: %w", c.where, err), Hint: []string{"is it the port of the admin section?"}}
}

// refused turns an answer into an error with its exit code.
func (c *client) refused(resp *http.Response, body []byte) error {
	message := strings.TrimSpace(string(body))
	kind := resp.Header.Get("Content-Type")
	isPage := strings.HasPrefix(message, "<!DOCTYPE") // Express' answer for a route that is not there
	if isPage || message == "{}" || message == "" || len(message) > 4000 {
		message = fmt.Sprintf("the Admin API answers %s", resp.Status)
	}
	e := &exit.Error{Code: exit.Refused, Err: &answerError{resp.StatusCode, message}}
	switch status := resp.StatusCode; {
	case status == http.StatusNotFound && isPage, status < http.StatusBadRequest:
		return c.stranger(fmt.Errorf("what answers is no Admin API: %s, %s", resp.Status, kind))
	case status == http.StatusNotFound:
		e.Code = exit.NotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Code = exit.Unreachable
		e.Hint = []string{"the token of the Admin API: EGK8S_ADMIN_TOKEN, or --admin-token-file FILE"}
	case status >= http.StatusInternalServerError:
		e.Code = exit.Unreachable
	}
	return e
}

// all reads every page of a list.
func (c *client) all(ctx context.Context, path, key string) ([]object, error) {
	list := []object{}
	for start := 0; ; {
		var page map[string]json.RawMessage
		if err := c.do(ctx, http.MethodGet, fmt.Sprintf("%s?start=%d&count=%d", path, start, pageSize), nil, &page); err != nil {
			return nil, err
		}
		var some []object
		if err := json.Unmarshal(page[key], &some); err != nil {
			return nil, c.stranger(fmt.Errorf("no list of %s: %w", key, err))
		}
		list = append(list, some...)
		next := 0
		if err := json.Unmarshal(page["nextKey"], &next); err != nil || next <= start {
			return list, nil //nolint:nilerr // a list without pages has all
		}
		start = next
	}
}

const pageSize = 500

func part(text string) string { return "/" + url.PathEscape(text) }
