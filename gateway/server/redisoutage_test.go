package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/store/redis/redistest"
)

// admin asks the Admin API of a gateway.
func admin(t *testing.T, g *running, method, path, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.url("admin")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	got, err := do(req)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// newTestRedisKey makes a key through one gateway and returns what clients send.
func newTestRedisKey(t *testing.T, g *running, id string) string {
	t.Helper()
	got := admin(t, g, "POST", "/credentials", `{"consumerId":"alice","type":"key-auth","credential":{"keyId":"`+id+`"}}`)
	var made struct{ KeySecret string }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || made.KeySecret == "" {
		t.Fatalf("create %s: %d %s", id, got.StatusCode, got.body)
	}
	return "apiKey " + id + ":" + made.KeySecret
}

// TestReplicasOnRedis: what is written through one replica counts on the other; Redis is killed and restored under
// load, and nobody who is known is refused.
func TestReplicasOnRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes")
	files := map[string]string{"gateway.config.yml": keyed, "system.config.yml": fmt.Sprintf("db: {redis: {path: %q}}\n", redis.Socket)}
	one, two := start(t, files, nil), start(t, files, nil)
	for _, g := range []*running{one, two} {
		eventually(t, "readiness", func() bool { return get(t, g.url("status")+"/egk8s/ready").body == "ready\n" })
	}
	if got := admin(t, one, "POST", "/users", `{"username":"alice","firstname":"A","lastname":"L"}`); got.StatusCode != 200 {
		t.Fatalf("create a user: %d %s", got.StatusCode, got.body)
	}
	code := func(g *running, key string) int { return get(t, g.url("http")+"/", "Authorization", key).StatusCode }
	both := func(what, key string, want int) {
		t.Helper()
		for _, g := range []*running{one, two} {
			eventually(t, what, func() bool { return code(g, key) == want })
		}
	}
	guess := "apiKey guessed:0"
	both("an unknown key", guess, 401)
	known, revoked := newTestRedisKey(t, one, "known"), newTestRedisKey(t, two, "revoked")
	both("a key of one replica", known, 200)
	both("a key of the other", revoked, 200)
	if got := admin(t, two, "PUT", "/credentials/key-auth/revoked/status", `{"status":false}`); got.StatusCode != 200 {
		t.Fatalf("revoke: %d %s", got.StatusCode, got.body)
	}
	both("a revoked key", revoked, 401)
	made := newTestRedisKey(t, one, "unseen")

	var answers [600]atomic.Int64
	stop, load := make(chan struct{}), sync.WaitGroup{}
	for _, g := range []*running{one, two} {
		load.Go(func() { hammer(t, g, known, &answers, stop) })
	}
	redis.Kill()
	both("a key that nobody remembers", made, 503)
	both("a revoked key without Redis", revoked, 401)
	if got := get(t, one.url("http")+"/", "Authorization", made); got.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	if got := admin(t, one, "POST", "/scopes", `{"scopes":["x"]}`); got.StatusCode != 503 {
		t.Errorf("a write without Redis: %d %s", got.StatusCode, got.body)
	}
	eventually(t, "the status to say so", func() bool {
		return strings.Contains(get(t, one.url("status")+"/egk8s/status").body, "redis-unavailable")
	})
	if got := get(t, one.url("status")+"/egk8s/ready"); got.StatusCode != 200 || !strings.Contains(got.body, "without Redis") {
		t.Errorf("readiness without Redis: %d %q", got.StatusCode, got.body)
	}
	if got := get(t, one.url("metrics")+"/metrics"); !strings.Contains(got.body, "egk8s_redis_up 0") {
		t.Error("the metrics do not say so")
	}
	redis.Restart()
	both("the key that nobody remembered", made, 200)
	both("an unknown key again", guess, 401)
	eventually(t, "readiness to say so", func() bool { return get(t, one.url("status")+"/egk8s/ready").body == "ready\n" })
	close(stop)
	load.Wait()
	for status := range answers {
		if n := answers[status].Load(); n > 0 && status != 200 {
			t.Errorf("%d requests with a known key were answered with %d", n, status)
		}
	}
	if answers[200].Load() < 20 {
		t.Errorf("%d requests were answered", answers[200].Load())
	}
}

// hammer asks with one key until stop.
func hammer(t *testing.T, g *running, key string, answers *[600]atomic.Int64, stop <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
			answers[get(t, g.url("http")+"/", "Authorization", key).StatusCode].Add(1)
		}
	}
}

// TestStartWithoutRedis: a gateway that never met its Redis is not ready; what needs nobody to be known is served.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	g := start(t, map[string]string{
		"gateway.config.yml": keyed, "system.config.yml": fmt.Sprintf("db: {redis: {path: %q}}\n", redis.Socket),
	}, nil)
	if got := get(t, g.url("status")+"/egk8s/ready"); got.StatusCode != 503 || !strings.Contains(got.body, "Redis") {
		t.Errorf("readiness: %d %q", got.StatusCode, got.body)
	}
	if got := get(t, g.url("http")+"/", "Authorization", "apiKey a:b"); got.StatusCode != 503 {
		t.Errorf("a key that nobody can look up: %d, want 503", got.StatusCode)
	}
	if got := get(t, g.url("http")+"/"); got.StatusCode != 401 {
		t.Errorf("no key: %d, want 401", got.StatusCode)
	}
	redis.Restart()
	eventually(t, "readiness", func() bool { return get(t, g.url("status")+"/egk8s/ready").StatusCode == 200 })
	eventually(t, "an answer", func() bool { return get(t, g.url("http")+"/", "Authorization", "apiKey a:b").StatusCode == 401 })
}
