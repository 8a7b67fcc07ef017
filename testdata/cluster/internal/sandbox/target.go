package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// pollEvery is short: what is waited for takes a second or two.
const pollEvery = 40 * time.Millisecond

// Wait returns when the target answers, or when the context ends.
func (t *Target) Wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	try, err := t.attempt()
	if err != nil {
		return err
	}
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s%s: %w (last answer: %w)", t.Address, t.URL, ctx.Err(), err)
		case <-time.After(pollEvery):
		}
	}
}

func (t *Target) attempt() (func(context.Context) error, error) {
	if t.URL == "" {
		return t.dial, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read authority of %s: %w", t.URL, err)
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read certificate for %s: %w", t.URL, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	client := &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
	}
	return func(ctx context.Context) error { return get(ctx, client, t.URL) }, nil
}

func (t *Target) dial(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, t.Network, t.Address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
