// Package redistest runs a real redis-server for a test.
package redistest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Server is a redis-server on a Unix socket in a folder of its own, without persistence.
type Server struct {
	Socket string

	t    *testing.T
	args []string
	cmd  *exec.Cmd
}

// Start runs a server until the test ends. The test is skipped where the program is missing.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed (Debian: apt-get install redis-server)")
	}
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Socket: filepath.Join(dir, "s"), t: t}
	s.args = append([]string{
		"--port", "0", "--unixsocket", s.Socket, "--dir", dir, "--save", "", "--appendonly", "no", "--loglevel", "warning",
	}, args...)
	s.Restart()
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(dir)
	})
	return s
}

// Restart runs the server again after Kill; it is empty then.
func (s *Server) Restart() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...) //nolint:gosec,noctx // a test's own server, which Kill ends
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	client := s.Client()
	defer func() { _ = client.Close() }()
	for end := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if client.Ping(context.Background()).Err() == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatal("redis-server does not answer")
		}
	}
}

// Kill ends the server at once.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Client returns a connection, to look at what is stored.
func (s *Server) Client() *goredis.Client {
	return goredis.NewClient(&goredis.Options{Network: "unix", Addr: s.Socket, Protocol: 2})
}
