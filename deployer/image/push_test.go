package image_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"egk8s.dev/egk8s/deployer/image"
)

// newTestRegistry is a registry on loopback; with a password it asks for it. It counts uploads.
func newTestRegistry(t *testing.T, password string) (host string, uploads *atomic.Int64) {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(t.Output(), "", 0)))
	uploads = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte("robot:"+password))
		if password != "" && r.Header.Get("Authorization") != want {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			uploads.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), uploads
}

func TestPush(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // no credentials of the machine
	host, uploads := newTestRegistry(t, "")
	img := newTestImage(t)
	last := map[string]image.Progress{}
	opts := image.PushOptions{Repository: host + "/team/gateway", Progress: func(p image.Progress) { last[p.Item] = p }}
	pushed, err := img.Push(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if want := host + "/team/gateway:" + img.Tag + "@" + img.Digest; pushed.Reference != want || pushed.Existed {
		t.Errorf("%+v, want %s", pushed, want)
	}
	for _, platform := range img.Platforms {
		if p := last[platform]; p.Total == 0 || p.Done != p.Total || p.Exists {
			t.Errorf("%s: %+v", platform, p)
		}
	}
	ref, err := name.ParseReference(pushed.Reference)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	before := uploads.Load()
	again, err := img.Push(context.Background(), opts)
	if err != nil || !again.Existed || uploads.Load() != before || !last["linux/amd64"].Exists {
		t.Errorf("second push: %+v, %d requests that write, %v", again, uploads.Load()-before, err)
	}
}

func TestPushWithCredentialHelper(t *testing.T) {
	host, _ := newTestRegistry(t, "s3cret")
	home, bin := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	writeTestFile(t, filepath.Join(home, ".docker/config.json"), `{"credHelpers": {"`+host+`": "egk8stest"}}`, 0o600)
	img := newTestImage(t)
	opts := image.PushOptions{Repository: host + "/team/gateway"}

	_, err := img.Push(context.Background(), opts)
	var typed *image.Error
	if !errors.As(err, &typed) || !strings.Contains(typed.Hint, "helper") || typed.Where != host {
		t.Fatalf("helper that is not there: %v (%+v)", err, typed)
	}
	helper := "#!/bin/sh\nread server\n[ \"$server\" = \"" + host + "\" ] || exit 1\n" +
		"echo '{\"ServerURL\":\"\",\"Username\":\"robot\",\"Secret\":\"s3cret\"}'\n"
	writeTestFile(t, filepath.Join(bin, "docker-credential-egk8stest"), helper, 0o700)
	if _, err := img.Push(context.Background(), opts); err != nil {
		t.Fatal(err)
	}
}

func TestPushRefused(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	host, _ := newTestRegistry(t, "s3cret")
	img := newTestImage(t)
	ctx := context.Background()
	tests := map[string]struct{ repository, want, hint string }{
		"no credentials": {host + "/team/gateway", "answered 401", "docker login " + host},
		"nobody there":   {"127.0.0.1:1/team/gateway", "refused", "does it run"},
		"no repository":  {"", "", "without a tag"},
		"with a tag":     {host + "/team/gateway:1", "", "without a tag"},
	}
	for name, tt := range tests {
		_, err := img.Push(ctx, image.PushOptions{Repository: tt.repository})
		var typed *image.Error
		if !errors.As(err, &typed) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(typed.Hint, tt.hint) {
			t.Errorf("%s: %v\nhint: %+v", name, err, typed)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a password in %v", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := img.Push(cancelled, image.PushOptions{Repository: host + "/g"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func writeTestFile(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
