package server_test

import (
	"fmt"
	"testing"

	"egk8s.dev/egk8s/gateway/store/redis/redistest"
)

// TestLimitOfAllReplicas: two gateways on one Redis share a limit; exactly, or but for their blocks; or not, when told so.
func TestLimitOfAllReplicas(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for _, tt := range []struct {
		counting    string
		least, most int
	}{{"exact", 40, 40}, {"leased", 34, 46}, {"local", 80, 80}} {
		t.Run(tt.counting, func(t *testing.T) {
			t.Parallel()
			parameters := "max: 40, windowMs: 3600000, rateLimitBy: '" + tt.counting + "${req.headers.round}', counting: " + tt.counting
			files := map[string]string{
				"gateway.config.yml": limiting(parameters, "in"), "system.config.yml": fmt.Sprintf("db: {redis: {path: %q}}\n", redis.Socket),
			}
			one, two := start(t, files, nil), start(t, files, nil)
			for _, g := range []*running{one, two} {
				eventually(t, "readiness", func() bool { return get(t, g.url("status")+"/egk8s/ready").body == "ready\n" })
			}
			// On a busy machine Redis may answer later than requests wait, which a replica then counts alone; not every time.
			passed := 0
			for round := range 10 {
				passed = 0
				for range 60 {
					for _, g := range []*running{one, two} {
						if get(t, g.url("http"), "Round", fmt.Sprint(round)).StatusCode == 200 {
							passed++
						}
					}
				}
				if passed >= tt.least && passed <= tt.most {
					return
				}
			}
			t.Errorf("%d of 120 requests passed, want %d to %d", passed, tt.least, tt.most)
		})
	}
}
