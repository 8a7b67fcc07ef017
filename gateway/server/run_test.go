package server_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/config/manifest"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/server"
)

func TestShutdownServesOnThenDrains(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- struct{}{}
			<-release
		}
		_, _ = w.Write([]byte("whole"))
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, map[string]string{"EGK8S_DRAIN_DELAY": "700ms"})
	if got := get(t, g.url("status")+"/egk8s/ready"); got.StatusCode != 200 {
		t.Fatalf("ready before: %d", got.StatusCode)
	}
	slow := make(chan reply, 1)
	go func() {
		req, _ := http.NewRequest(http.MethodGet, g.url("http")+"/slow", nil)
		got, err := do(req)
		if err != nil {
			t.Errorf("the request in flight was lost: %v", err)
		}
		slow <- got
	}()
	<-arrived
	g.signals <- syscall.SIGTERM
	eventually(t, "readiness off", func() bool { return get(t, g.url("status")+"/egk8s/ready").StatusCode == 503 })
	if got := get(t, g.url("http")+"/new"); got.StatusCode != 200 || !got.Close {
		t.Errorf("a request during the delay: %d, Connection close %v; want 200 and a closed connection", got.StatusCode, got.Close)
	}
	if got := get(t, g.url("status")+"/egk8s/live"); got.StatusCode != 200 {
		t.Errorf("live while draining: %d", got.StatusCode)
	}
	eventually(t, "the port closed", func() bool {
		conn, err := net.Dial("tcp", g.Status().Listeners["http"])
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(release)
	if got := <-slow; got.body != "whole" {
		t.Errorf("the request in flight: %q", got.body)
	}
	err := <-g.ended
	g.ended <- err
	if err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestShutdownBySecondSignal(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, map[string]string{"EGK8S_DRAIN_DELAY": "1h"})
	g.signals <- syscall.SIGTERM
	g.signals <- syscall.SIGTERM
	select {
	case err := <-g.ended:
		g.ended <- err
		if err == nil {
			t.Error("a hurried end looks like a polite one")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("still running after two signals")
	}
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(backend.URL)}, map[string]string{"EGK8S_DRAIN_TIMEOUT": "100ms"})
	cut := make(chan error, 1)
	go func() {
		req, _ := http.NewRequest(http.MethodGet, g.url("http"), nil)
		_, err := do(req)
		cut <- err
	}()
	<-arrived
	g.signals <- syscall.SIGTERM
	err := <-g.ended
	g.ended <- err
	if err != nil {
		t.Errorf("ended with %v, want nil: the time is configured", err)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered after the drain time")
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("one")}, nil)
	say := func() string { return get(t, g.url("http")).body }
	if got := say(); got != "one" {
		t.Fatalf("at first %q", got)
	}
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": "policies: [nonsense]\n"})
	eventually(t, "a problem in the status", func() bool { return len(g.Status().Problems) > 0 })
	if p := g.Status().Problems[0]; p.File != "gateway.config.yml" || p.Line != 1 {
		t.Errorf("the problem stands at %s", p.Position)
	}
	if got := say(); got != "one" {
		t.Errorf("a broken file changed the answer to %q", got)
	}
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": saying("two")})
	eventually(t, "the new answer", func() bool { return say() == "two" })
	if got := g.Status().Problems; len(got) != 0 {
		t.Errorf("problems stay: %v", got)
	}
}

func TestReloadCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("one")}, map[string]string{"EG_DISABLE_CONFIG_WATCH": "1"})
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": saying("two")})
	time.Sleep(100 * time.Millisecond) // ten times the interval
	if got := get(t, g.url("http")).body; got != "one" {
		t.Errorf("the file was taken over: %q", got)
	}
}

// podFiles adds the manifest that a pod's configuration has, and returns its digest.
func podFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	maps.Copy(files, models())
	var entries []manifest.Entry
	for name, text := range files {
		entries = append(entries, manifest.File(name, []byte(text)))
	}
	text, err := manifest.Build(entries)
	if err != nil {
		t.Fatal(err)
	}
	files[manifest.Name] = string(text)
	return manifest.Digest(text)
}

func TestInPodReadinessNeedsTheExpectedDigest(t *testing.T) {
	t.Parallel()
	files := map[string]string{"gateway.config.yml": saying("pod")}
	digest := podFiles(t, files)
	for name, tt := range map[string]struct {
		expected string
		want     int
	}{"the expected one": {digest, 200}, "another one": {strings.Repeat("0", 64), 503}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, files, map[string]string{"EGK8S_CONFIG_DIGEST": tt.expected, "EGK8S_DRAIN_DELAY": "0"})
			if got := get(t, g.url("status")+"/egk8s/ready"); got.StatusCode != tt.want {
				t.Errorf("ready: %d %s", got.StatusCode, got.body)
			}
			s := g.Status()
			if s.LoadedDigest != digest || s.ExpectedDigest != tt.expected || s.Version == "" {
				t.Errorf("status %+v", s)
			}
			if !strings.HasPrefix(g.log.String(), "{") {
				t.Errorf("the log of a pod is not JSON: %s", g.log)
			}
		})
	}
}

func TestReadyListenerAnswersReadinessOnly(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, map[string]string{"EGK8S_READY_ADDRESS": "127.0.0.1:0"})
	for path, want := range map[string]int{"/egk8s/ready": 200, "/egk8s/status": 404, "/egk8s/live": 404, "/metrics": 404} {
		if got := get(t, g.url("ready")+path); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		}
	}
}

func TestInPodTheConfigurationIsNotReloaded(t *testing.T) {
	t.Parallel()
	files := map[string]string{"gateway.config.yml": saying("one")}
	digest := podFiles(t, files)
	g := start(t, files, map[string]string{"EGK8S_CONFIG_DIGEST": digest, "EGK8S_DRAIN_DELAY": "0"})
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": saying("two")})
	time.Sleep(100 * time.Millisecond)
	if got := get(t, g.url("http")).body; got != "one" {
		t.Errorf("the file was taken over: %q", got)
	}
}

func TestRunReportsEveryProblem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, models())
	writeFiles(t, dir, map[string]string{"gateway.config.yml": `http: {port: 0}
apiEndpoints: {api: {host: '*'}}
policies: [terminate, jwt]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
    - jwt:
      - action: {secretOrPublicKeyFile: missing.pem}
    - terminate:
      - condition: {name: expression, expression: 'x = '}
`})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := server.Run(ctx, server.Options{
		ConfigDir: dir, LookupEnv: func(string) (string, bool) { return "", false }, Output: &syncBuffer{},
		Started: func(*server.Gateway) { cancel() },
	})
	var problems diag.Problems
	if !errors.As(err, &problems) || len(problems) != 2 || problems[0].Line != 9 && problems[0].Line != 8 {
		t.Fatalf("got %v, want one problem for jwt and one for the condition", err)
	}
}
