package redis_test

import (
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/ratelimit"
	"egk8s.dev/egk8s/gateway/store/redis/redistest"
)

// TestCounters: the counters are Express Gateway's: rl:KEY, which ends with its window.
func TestCounters(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer func() { _ = client.Close() }()
	one, two := open(t, server, "EG").Counters(), open(t, server, "EG").Counters()
	take := func(c ratelimit.Source, asks ...ratelimit.Ask) []ratelimit.Grant {
		t.Helper()
		grants, err := c.Take(t.Context(), asks)
		if err != nil || len(grants) != len(asks) {
			t.Fatalf("Take: %v, %v", grants, err)
		}
		return grants
	}
	if err := client.Set(t.Context(), "rl:endless", 7, 0).Err(); err != nil {
		t.Fatal(err)
	}
	ask := func(key string, n int64) ratelimit.Ask { return ratelimit.Ask{Key: key, N: n, Window: time.Minute} }
	first := take(one, ask("a", 5), ask("endless", 1))
	if first[0].Total != 5 || first[0].Left != time.Minute || first[1].Total != 8 {
		t.Errorf("the first: %+v", first)
	}
	if then := take(two, ask("a", 3)); then[0].Total != 8 || then[0].Left > time.Minute || then[0].Left < 50*time.Second {
		t.Errorf("another replica: %+v", then)
	}
	for _, key := range []string{"rl:a", "rl:endless"} {
		if left := client.PTTL(t.Context(), key).Val(); left <= 0 || left > time.Minute {
			t.Errorf("%s ends in %s", key, left)
		}
	}
	server.Kill()
	if _, err := one.Take(t.Context(), []ratelimit.Ask{ask("a", 1)}); err == nil {
		t.Error("no error without Redis")
	}
}
