package policy

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxIntrospection is how long a question may take, whatever the parameters say.
	maxIntrospection = time.Minute
	// maxAnswer bounds the answer about a token.
	maxAnswer = 256 << 10
)

// errInactive says that the server does not know the token, or not any more.
var errInactive = errors.New("the token is not active")

// newIntrospectionClient returns a client that follows no redirect, since it carries a secret, and that
// opens a bounded number of connections.
func newIntrospectionClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2: true, MaxConnsPerHost: 64, MaxIdleConnsPerHost: 16, MaxIdleConns: 64,
			IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask asks the server about a token. size is the length of its answer.
func (i *introspect) ask(ctx context.Context, token string) (answer map[string]any, size int, err error) {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	form := "token=" + url.QueryEscape(token) + "&token_type_hint=access_token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.endpoint, strings.NewReader(form))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "egk8s")
	if i.authorization != "" {
		req.Header.Set("Authorization", i.authorization)
	}
	resp, err := i.memory.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, 0, fmt.Errorf("the introspection endpoint answered with status %d", resp.StatusCode)
	}
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, 0, errors.New("the introspection endpoint's answer is not JSON")
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, err
	case len(text) > maxAnswer:
		return nil, 0, fmt.Errorf("the introspection endpoint's answer is longer than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, 0, fmt.Errorf("read the introspection endpoint's answer: %w", err)
	}
	if answer["active"] != true {
		return nil, 0, errInactive
	}
	return answer, len(text), nil
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json"))
}
