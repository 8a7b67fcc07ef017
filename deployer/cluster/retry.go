package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// How often a request is sent at most, the first wait and the longest one between two attempts, and the longest
// wait that an API server may ask for.
const (
	attempts  = 6
	firstWait = 200 * time.Millisecond
	mostWait  = 3 * time.Second
	mostAsked = 30 * time.Second
)

// retrying repeats what an API server that is busy or away for a moment did not do: requests that may be
// repeated after every such answer and after a lost connection, the others (POST, PUT, patches that are not
// applies) only where it is certain that nothing was done, which is 429 and a connection that did not come
// about. Where nobody ever answered and nobody can be reached, the address is taken to be wrong: that is said at once.
//
// Requests that stream, or that reach a pod, pass as they are: who sends them knows better when to ask again.
type retrying struct {
	next     http.RoundTripper
	pause    func(context.Context, time.Duration)
	answered atomic.Bool
}

func newRetrying(next http.RoundTripper) http.RoundTripper {
	return &retrying{next: next, pause: pause}
}

// WrappedRoundTripper lets client-go find the transport below, to close its connections.
func (r *retrying) WrappedRoundTripper() http.RoundTripper { return r.next }

func (r *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	if streams(req) {
		return r.next.RoundTrip(req)
	}
	safe := repeatable(req)
	wait := firstWait
	for attempt := 1; ; attempt++ {
		resp, err := r.once(req, attempt, safe)
		if req.Context().Err() != nil || attempt == attempts || !r.again(resp, err, safe) || !replayable(req) {
			return finalAnswer(resp), err
		}
		asked := retryAfter(resp)
		if asked > mostAsked {
			return finalAnswer(resp), err
		}
		discard(resp)
		r.pause(req.Context(), max(asked, wait/2+rand.N(wait))) //nolint:gosec // jitter, not a secret
		if req.Context().Err() != nil {
			return nil, context.Cause(req.Context())
		}
		wait = min(2*wait, mostWait)
	}
}

// once sends the request. The answer to one that may be repeated is read to its end, so that a connection that
// is lost within it is a failed attempt too.
func (r *retrying) once(req *http.Request, attempt int, safe bool) (*http.Response, error) {
	if attempt > 1 && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	r.answered.Store(true)
	if !safe {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // read to its end, or broken
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// again tells whether another attempt is right.
func (r *retrying) again(resp *http.Response, err error, safe bool) bool {
	if err != nil {
		if !r.answered.Load() && !brokeOff(err) {
			return false
		}
		return notSent(err) || safe && connectionLost(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return safe
	default:
		return false
	}
}

// repeatable tells whether a request may be sent twice: reads, applies, and deletions of one object.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return true
	case http.MethodPatch:
		return req.Header.Get("Content-Type") == string(types.ApplyYAMLPatchType)
	default:
		return false
	}
}

// replayable tells whether the body can be sent once more.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func streams(req *http.Request) bool {
	path := req.URL.Path
	return req.URL.Query().Get("watch") != "" || req.Header.Get("Upgrade") != "" ||
		strings.HasSuffix(path, "/log") || strings.Contains(path, "/proxy/") || strings.HasSuffix(path, "/proxy")
}

// notSent tells whether the connection did not come about.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// brokeOff tells whether somebody who speaks TLS took the request and gave no answer to it, as a load balancer does
// while the API server behind it starts again.
func brokeOff(err error) bool {
	var stream http2.StreamError
	return errors.As(err, &stream) || utilnet.IsHTTP2ConnectionLost(err)
}

// connectionLost tells whether a connection broke before the answer was there.
func connectionLost(err error) bool {
	var op *net.OpError
	var stream http2.StreamError
	return errors.As(err, &op) || errors.As(err, &stream) || errors.Is(err, io.ErrUnexpectedEOF) || utilnet.IsProbableEOF(err) ||
		utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err) || utilnet.IsTimeout(err)
}

// retryAfter is how long the answer asks to wait (RFC 9110, 10.2.3); 0: it does not.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// finalAnswer takes away what would make client-go send the request again by itself.
func finalAnswer(resp *http.Response) *http.Response {
	if resp != nil {
		resp.Header.Del("Retry-After")
	}
	return resp
}

func discard(resp *http.Response) {
	if resp != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
		_ = resp.Body.Close()
	}
}
