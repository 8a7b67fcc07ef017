// Package control is the socket through which a cluster's owner speaks with its
// daemon, without being root.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
)

// Paths of the requests that the daemon answers, all with POST.
const (
	StopPath = "/stop"
	LoadPath = "/load"
	LinkPath = "/link" // ?node=2&up=false
)

// Listen opens the socket and gives it to its owner.
func Listen(c layout.Cluster, uid, gid int) (net.Listener, error) {
	path := filepath.Join(c.Dir, c.Control())
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	var l net.Listener
	err := through(c, func(short string) (err error) {
		l, err = net.Listen("unix", short)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, uid, gid)); err != nil {
		return nil, fmt.Errorf("open control socket: %w", errors.Join(err, l.Close()))
	}
	return l, nil
}

// Post sends a request to the daemon and returns what it answers.
func Post(ctx context.Context, c layout.Cluster, path string, body io.Reader) (string, error) {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var conn net.Conn
			err := through(c, func(short string) (err error) {
				conn, err = (&net.Dialer{}).DialContext(ctx, "unix", short)
				return err
			})
			return conn, err
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cluster"+path, body)
	if err != nil {
		return "", fmt.Errorf("ask the cluster's daemon: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the cluster's daemon: %w", err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return "", fmt.Errorf("ask the cluster's daemon: %w", err)
	}
	text := strings.TrimSpace(string(answer))
	if resp.StatusCode >= http.StatusBadRequest {
		return "", errors.New(text)
	}
	return text, nil
}

// through gives a short path of the socket, for the name of a socket holds 107
// bytes at most and a cache may lie deep.
func through(c layout.Cluster, use func(string) error) error {
	dir, err := os.Open(c.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), c.Control()))
}
