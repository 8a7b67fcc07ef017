package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"egk8s.dev/egk8s/gateway/jwt"
)

// maxDocument bounds a discovery document.
const maxDocument = 256 << 10

// update fetches the set once and keeps it when it is good. One that did not change stays the same.
func (s *Source) update(ctx context.Context) error {
	uri := s.URI
	if uri == "" {
		var err error
		if uri, err = s.discover(ctx); err != nil {
			return fmt.Errorf("discover: %w", err)
		}
	}
	text, err := s.get(ctx, uri, jwt.MaxSet)
	if err != nil {
		return err
	}
	set, err := jwt.ParseSet(text)
	if err != nil {
		return err
	}
	if before := s.set.Load(); before == nil || !before.Equal(set) {
		s.set.Store(set)
		s.log.InfoContext(ctx, "key set", "uri", uri, "keys", set.Len())
	}
	return nil
}

// discover asks the provider where its set is (OpenID Connect Discovery 1.0, section 4).
func (s *Source) discover(ctx context.Context) (string, error) {
	text, err := s.get(ctx, strings.TrimSuffix(s.Provider, "/")+"/.well-known/openid-configuration", maxDocument)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		URI    string `json:"jwks_uri"` //nolint:tagliatelle // the name of the specification
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return "", fmt.Errorf("read the discovery document: %w", err)
	}
	if doc.Issuer != s.Issuer {
		return "", fmt.Errorf("the provider says that it is %.200q, and not %q: set issuer to what stands in its tokens", doc.Issuer, s.Issuer)
	}
	if err := CheckURL(doc.URI); err != nil {
		return "", fmt.Errorf("jwks_uri of the discovery document: %w", err)
	}
	if strings.HasPrefix(s.Provider, "https:") && !strings.HasPrefix(doc.URI, "https:") {
		return "", errors.New("the provider is asked by https, and its jwks_uri is not")
	}
	return doc.URI, nil
}

// CheckURL tells what keeps a text from being the URL of a set or a provider.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("no http or https URL")
	}
	return nil
}

func (s *Source) get(ctx context.Context, uri string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "egk8s")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered with status %d", uri, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", uri, err)
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("the answer of %s is longer than %d bytes", uri, limit)
	}
	return text, nil
}
