package triton

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Clock is the time, so that a test need not wait.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

type wallClock struct{}

func (wallClock) Now() time.Time                         { return time.Now() }
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Client sends signed requests to one CloudAPI for one account. It is safe for concurrent use.
type Client struct {
	Clock Clock
	// Poll is how often something that changes later is looked at.
	Poll time.Duration
	// PageSize is how many entries a list asks for at once.
	PageSize int
	// UserAgent names the program.
	UserAgent string

	base    *url.URL
	keyID   string
	account string
	signer  Signer
	http    *http.Client
}

// New makes a client; it sends no request.
func New(c Credentials, signer Signer) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("the URL of CloudAPI is %q: it must be https://HOST (from %s)", c.URL, c.Source)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	principal := c.Account
	if c.User != "" {
		principal += "/users/" + c.User
	}
	account := c.Account
	if c.ActAs != "" {
		account = c.ActAs
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: connectTime, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 4,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: c.Insecure}, //nolint:gosec // asked for with TRITON_TLS_INSECURE
	}
	return &Client{
		Clock: wallClock{}, Poll: pollEvery, PageSize: pageSize, UserAgent: "egk8s",
		base: base, account: account, signer: signer, keyID: "/" + principal + "/keys/" + signer.Fingerprint(),
		http: &http.Client{Transport: transport, Timeout: answerTime, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a signature is for one target
		}},
	}, nil
}

const (
	connectTime = 10 * time.Second
	answerTime  = 60 * time.Second
	pollEvery   = 2 * time.Second
	pageSize    = 1000             // the most that CloudAPI gives
	attempts    = 6                // of one request
	firstPause  = time.Second      // before the second attempt, when the server does not say
	longPause   = 30 * time.Second // the most that one pause takes, whatever the server says
	bodyLimit   = 32 << 20
)

// call sends one request and reads its answer into into, unless that is nil. A request that was refused because there
// were too many is sent again when the server says; one that found no server only when sending it twice does no harm.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, into any) (http.Header, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("write the request %s %s: %w", method, path, err)
		}
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		header, wait, err := c.once(ctx, method, path, query, payload, into)
		_, lost := errors.AsType[*UnreachableError](err)
		again := IsThrottled(err) || lost && method != http.MethodPost
		if err == nil || !again || attempt == attempts || ctx.Err() != nil {
			return header, err
		}
		if wait == 0 {
			wait = pause/2 + rand.N(pause/2) //nolint:gosec // spreading clients needs no secret
			pause = min(2*pause, longPause)
		}
		if stop := c.pause(ctx, min(wait, longPause)); stop != nil {
			return header, errors.Join(err, stop)
		}
	}
}

func (c *Client) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.Clock.After(d):
		return nil
	}
}

// once sends a request once. The duration is how long the server asks to wait.
func (c *Client) once(ctx context.Context, method, path string, query url.Values, payload []byte, into any) (http.Header, time.Duration, error) {
	req, err := c.request(ctx, method, path, query, payload)
	if err != nil {
		return nil, 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // the rest is the request, which the caller knows
		}
		return nil, 0, &UnreachableError{URL: c.base.String(), Err: err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	if err != nil {
		return nil, 0, &UnreachableError{URL: c.base.String(), Err: err}
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return resp.Header, c.retryAfter(resp.Header), apiError(req, path, resp, data)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			return resp.Header, 0, fmt.Errorf("read the answer of CloudAPI to %s %s: %w", method, path, err)
		}
	}
	return resp.Header, 0, nil
}

func apiError(req *http.Request, path string, resp *http.Response, data []byte) *APIError {
	e := &APIError{Status: resp.StatusCode, Method: req.Method, Path: path, RequestID: resp.Header.Get("Request-Id")}
	if json.Unmarshal(data, e) != nil || e.Code == "" {
		e.Code, e.Message = http.StatusText(resp.StatusCode), "no explanation"
	}
	return e
}

// request makes a signed request. What is signed is the target and the date, as the triton command does: a request that
// was listened to cannot be turned into another one.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, payload []byte) (*http.Request, error) {
	target := *c.base
	target.Path += path
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s: %w", method, path, err)
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	date := c.Clock.Now().UTC().Format(http.TimeFormat)
	req.Header.Set("Date", date)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Version", "~9||~8")
	req.Header.Set("User-Agent", c.UserAgent)
	text := fmt.Sprintf("(request-target): %s %s\ndate: %s", strings.ToLower(method), req.URL.RequestURI(), date)
	signature, err := c.signer.Sign([]byte(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", fmt.Sprintf(`Signature keyId="%s",algorithm="%s",headers="(request-target) date",signature="%s"`,
		c.keyID, c.signer.Algorithm(), base64.StdEncoding.EncodeToString(signature)))
	return req, nil
}

// retryAfter reads the header of that name: seconds, or a time.
func (c *Client) retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(c.Clock.Now()))
	}
	return 0
}

// list reads every page of a list.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	var all []T
	for {
		q := url.Values{"limit": {strconv.Itoa(c.PageSize)}, "offset": {strconv.Itoa(len(all))}}
		maps.Copy(q, query)
		var page []T
		header, err := c.call(ctx, http.MethodGet, path, q, nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		total, err := strconv.Atoi(header.Get("X-Resource-Count"))
		counted := err == nil
		// Lists that CloudAPI does not page name no count and come whole.
		if len(page) == 0 || !counted || len(all) >= total {
			return all, nil
		}
	}
}
