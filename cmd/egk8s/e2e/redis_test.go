//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const redisImage = "egk8s.dev/redis:e2e"

// TestRedis runs gateways over a Redis of the release: keys made by commands, without a port, count on every replica; the
// Redis pod goes and comes back with what it held; the volume outlives the release.
func TestRedis(t *testing.T) {
	server, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed (Debian: apt-get install redis-server)")
	}
	p := newPlace(t)
	p.loadRedis(t, server)
	p.volume(t)
	p.write(t, "egk8s.yaml", redisProject)
	p.backends(t, "customers-a", "customers-b", "orders")
	p.mustDeploy(t)
	p.egk8s(t, "users", "create", "alice", "-p", "firstname=Alice", "-p", "lastname=Liddell").mustSucceed(t)
	key := p.redisKey(t, "k1")
	everywhere := func(what, key string, want int) {
		t.Helper()
		address := p.forward(t)
		p.eventually(t, what, func() bool {
			for range 3 {
				if get(t, address, "/customers/7", key).status != want {
					return false
				}
			}
			return true
		})
	}
	everywhere("a key made by a command", key, 200)
	before := p.redisPod(t)
	p.kubectl(t, "delete", "pod", "-n", p.namespace, before, "--wait=true")
	everywhere("a known key without Redis", key, 200)
	p.eventually(t, "another Redis pod", func() bool {
		now := p.redisPod(t)
		return now != "" && now != before
	})
	p.eventually(t, "a write to the new Redis", func() bool { return p.egk8s(t, "users", "info", "alice").code == 0 })
	p.eventually(t, "a revoked key", func() bool { return p.egk8s(t, "credentials", "deactivate", "key-auth/k1").code == 0 })
	everywhere("a revoked key", key, 401)
	if again := p.mustDeploy(t); again.Outcome != "unchanged" {
		t.Errorf("a second deploy: %q, want unchanged", again.Outcome)
	}
	p.write(t, "egk8s.yaml", strings.Replace(redisProject, redisImage, "egk8s.dev/none:1", 1))
	result, failed := p.deploy(t)
	if failed.code != 6 || len(result.Failures) == 0 || !strings.HasPrefix(result.Failures[0].Object, "Pod/shop-redis-") {
		t.Errorf("a Redis whose image is not there: exit code %d, %+v", failed.code, result.Failures)
	}
	p.egk8s(t, "destroy", "-y").mustSucceed(t)
	if left := p.kubectl(t, "get", "pvc", "-n", p.namespace, "-o", "name"); !strings.Contains(left, "shop-redis") {
		t.Errorf("the volume went with the release: %q", left)
	}
}

const redisProject = `apiVersion: egk8s.dev/v1alpha1
kind: Gateway
metadata: {name: shop}
spec:
  upstreams: {orders: http://orders:8080}
  store: {redis: {mode: internal, image: ` + redisImage + `, size: 10Mi}}
`

func (p *place) write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// redisKey makes a key for alice and returns keyId:keySecret.
func (p *place) redisKey(t *testing.T, id string) string {
	t.Helper()
	r := p.egk8s(t, "credentials", "create", "-c", "alice", "-t", "key-auth", "--key-id", id, "-o", "json")
	r.mustSucceed(t)
	var c struct{ KeySecret string }
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil || c.KeySecret == "" {
		t.Fatalf("credentials create: %v\n%s", err, r.stdout)
	}
	return id + ":" + c.KeySecret
}

func (p *place) redisPod(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(p.kubectl(t, "get", "pods", "-n", p.namespace, "-l", "app.kubernetes.io/name=egk8s-redis",
		"--field-selector", "status.phase=Running", "-o", `jsonpath={range .items[*]}{.metadata.name}{end}`))
}

func (p *place) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !holds(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// volume is a folder of this machine, which the nodes share.
func (p *place) volume(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "redis-e2e") //nolint:usetesting // nodes have a root of their own, and share this
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p.kubectlInput(t, fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: redis-%s}
spec:
  capacity: {storage: 10Mi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: %s}
`, p.namespace, dir), "apply", "-f", "-")
	t.Cleanup(func() { p.kubectl(t, "delete", "pv", "redis-"+p.namespace, "--wait=false") })
}

// loadRedis packs this machine's redis-server with its libraries into an image, and puts it on the nodes.
func (p *place) loadRedis(t *testing.T, server string) {
	t.Helper()
	libraries, err := exec.Command("ldd", server).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"usr/local/bin/redis-server": server}
	for word := range strings.FieldsSeq(string(libraries)) {
		if inside, isPath := strings.CutPrefix(word, "/"); isPath {
			files[inside] = word
		}
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for inside, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: inside, Mode: 0o755, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	packed, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, packed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Architecture, config.OS, config.Config.Env = "amd64", "linux", []string{"PATH=/usr/local/bin"}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "redis.tar")
	if err := tarball.WriteToFile(archive, name.MustParseReference(redisImage), image); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv("EGK8S_TEST_EGKUBE"), "load", "--name", os.Getenv("EGK8S_TEST_CLUSTER"), archive)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("load the image of Redis: %v\n%s", err, out)
	}
}
