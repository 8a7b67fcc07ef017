package policy_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/ratelimit"
)

// from makes a request of a client.
func from(address string, header map[string]string) (*message.Exchange, *recorder) {
	x, sink := exchange("GET", "/", header)
	x.Request.Remote = netip.MustParseAddrPort(address)
	return x, sink
}

func limits(t *testing.T) *policy.Environment {
	t.Helper()
	at := time.Date(2026, 11, 22, 10, 0, 0, 1e6, time.UTC)
	return &policy.Environment{Limits: ratelimit.New(ratelimit.Options{Now: func() time.Time { return at }})}
}

// reset is the end of a window of a minute that began at the time of limits, in whole seconds.
const reset = "1795341661"

func TestRateLimitRefuses(t *testing.T) {
	t.Parallel()
	standing := func(extra ...string) map[string]string {
		out := map[string]string{
			"X-Ratelimit-Limit": "1", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset,
			"Retry-After": "60", "Vary": "Accept",
		}
		for i := 0; i < len(extra); i += 2 {
			out[extra[i]] = extra[i+1]
		}
		return out
	}
	action := func(extra ...any) map[string]any {
		out := map[string]any{"max": 1.0, "windowMs": 60000.0, "message": "Too <many>", "statusCode": 429.0}
		for i := 0; i < len(extra); i += 2 {
			out[extra[i].(string)] = extra[i+1]
		}
		return out
	}
	html := standing("Content-Type", "text/html; charset=utf-8", "Content-Length", "10")
	json := standing("Content-Type", "application/json; charset=utf-8", "Content-Length", "24")
	tests := []struct {
		name   string
		action map[string]any
		accept string
		want   result
	}{
		{"a browser", action(), "text/html,*/*;q=0.8", result{message.Answered, 429, "Too <many>", html}},
		{"anybody", action(), "*/*", result{message.Answered, 429, "Too <many>", html}},
		{"without Accept", action(), "", result{message.Answered, 429, "Too <many>", html}},
		{"a program", action(), "application/json", result{message.Answered, 429, `{"message":"Too <many>"}`, json}},
		{"a program that likes JSON better", action(), "text/html;q=0.5, application/*", result{message.Answered, 429, `{"message":"Too <many>"}`, json}},
		{"its own status", action("statusCode", 503.0), "", result{message.Answered, 503, "Too <many>", html}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := build(t, "rate-limit", tt.action, limits(t))
			header := map[string]string{}
			if tt.accept != "" {
				header["Accept"] = tt.accept
			}
			x, sink := from("192.0.2.1:5", header)
			want := result{Header: map[string]string{"X-Ratelimit-Limit": "1", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}}
			if diff := cmp.Diff(want, apply(t, p, x, sink)); diff != "" {
				t.Errorf("first request (-want +got):\n%s", diff)
			}
			x, sink = from("192.0.2.1:6", header)
			if diff := cmp.Diff(tt.want, apply(t, p, x, sink)); diff != "" {
				t.Errorf("second request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRateLimitNotAcceptable(t *testing.T) {
	t.Parallel()
	p := build(t, "rate-limit", map[string]any{"max": 1.0, "windowMs": 60000.0}, limits(t))
	for _, want := range []int{0, 406} {
		x, sink := from("192.0.2.1:5", map[string]string{"Accept": "text/plain"})
		if got := apply(t, p, x, sink); got.Status != want {
			t.Errorf("status %d, want %d", got.Status, want)
		}
	}
}

func TestRateLimitKeys(t *testing.T) {
	t.Parallel()
	env := limits(t)
	var log bytes.Buffer
	env.Log = slog.New(slog.NewTextHandler(&log, nil))
	action := func(by string) map[string]any {
		out := map[string]any{"max": 100.0, "windowMs": 60000.0}
		if by != "" {
			out["rateLimitBy"] = by
		}
		return out
	}
	byAddress := build(t, "rate-limit", action(""), env)
	byHost := build(t, "rate-limit", action("${req.hostname}"), env)
	byUser := build(t, "rate-limit", action("${req.user.id}"), env)
	byIP := build(t, "rate-limit", action("${req.ip}"), env)
	named := build(t, "rate-limit", action("undefined"), env)
	steps := []struct {
		name      string
		policy    policy.Policy
		address   string
		remaining string
	}{
		{"by address", byAddress, "192.0.2.1:1", "99"},
		{"the same address", byAddress, "[::ffff:192.0.2.1]:2", "98"},
		{"another address", byAddress, "192.0.2.2:1", "99"},
		{"another policy with the same key", byIP, "192.0.2.1:1", "97"},
		{"by host", byHost, "192.0.2.1:1", "99"},
		{"the same host", byHost, "192.0.2.2:1", "98"},
		{"a template that throws", byUser, "192.0.2.1:1", "99"},
		{"and shares the key undefined", named, "192.0.2.2:1", "98"},
	}
	for _, s := range steps {
		x, sink := from(s.address, map[string]string{"X-Forwarded-For": "198.51.100.1"})
		if got := apply(t, s.policy, x, sink); got.Header["X-Ratelimit-Remaining"] != s.remaining {
			t.Errorf("%s: %s remain, want %s", s.name, got.Header["X-Ratelimit-Remaining"], s.remaining)
		}
	}
	if !strings.Contains(log.String(), "build key of rateLimitBy") {
		t.Errorf("a template that throws is not logged: %q", &log)
	}
}

func TestRateLimitWithoutLimit(t *testing.T) {
	t.Parallel()
	p := build(t, "rate-limit", map[string]any{"max": 0.0, "windowMs": 60000.0}, limits(t))
	for range 20 {
		x, sink := from("192.0.2.1:1", nil)
		want := result{Header: map[string]string{"X-Ratelimit-Limit": "0", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}}
		if diff := cmp.Diff(want, apply(t, p, x, sink)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestRateLimitDelays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		action map[string]any
		want   []time.Duration // of the requests of a window
	}{
		{"not unless asked for", map[string]any{}, []time.Duration{0, 0, 0}},
		{"by delayMs", map[string]any{"delayMs": 300.0}, []time.Duration{0, 300 * time.Millisecond, 600 * time.Millisecond}},
		{"by delayAfter", map[string]any{"delayAfter": 2.0}, []time.Duration{0, 0, time.Second, 2 * time.Second}},
		{"by both", map[string]any{"delayAfter": 1.0, "delayMs": 10.0}, []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond}},
		{"delayAfter 0", map[string]any{"delayAfter": 0.0}, []time.Duration{0, 0, 0}},
		{"delayMs 0", map[string]any{"delayAfter": 1.0, "delayMs": 0.0}, []time.Duration{0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.action["max"], tt.action["windowMs"] = 5.0, 60000.0
				p := build(t, "rate-limit", tt.action, &policy.Environment{})
				for i, want := range tt.want {
					x, sink := from("192.0.2.1:1", nil)
					start := time.Now()
					if got := apply(t, p, x, sink); got.Verdict != message.Continue || time.Since(start) != want {
						t.Errorf("request %d: verdict %v after %v, want %v", i, got.Verdict, time.Since(start), want)
					}
				}
			})
		})
	}
}

func TestRateLimitEndsWithItsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := build(t, "rate-limit", map[string]any{"max": 0.0, "windowMs": 3600000.0, "delayMs": 3600000.0}, &policy.Environment{})
		x, sink := from("192.0.2.1:1", nil)
		apply(t, p, x, sink)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		x, _ = from("192.0.2.1:1", nil)
		start := time.Now()
		verdict, err := p.Apply(ctx, x)
		if verdict != message.Answered || err != nil || time.Since(start) != time.Second {
			t.Errorf("verdict %v, error %v after %v", verdict, err, time.Since(start))
		}
	})
}

// away is a counter that cannot be reached.
type away struct{}

func (away) Hit(context.Context, []byte, time.Duration) (int64, time.Time, error) {
	return 0, time.Time{}, errors.New("no connection")
}

func TestRateLimitCounterFails(t *testing.T) {
	t.Parallel()
	p := build(t, "rate-limit", map[string]any{"max": 1.0, "windowMs": 1000.0}, &policy.Environment{Limits: away{}})
	x, _ := from("192.0.2.1:1", nil)
	if _, err := p.Apply(context.Background(), x); err == nil {
		t.Error("a request that was not counted went on")
	}
}

func BenchmarkRateLimit(b *testing.B) {
	env := &policy.Environment{Log: slog.New(slog.DiscardHandler)}
	p, problems := policy.New(stepOf("rate-limit", map[string]any{"max": 1e9, "windowMs": 60000.0}), env)
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x, _ := from("192.0.2.1:1", nil)
		ctx := context.Background()
		for pb.Next() {
			if v, err := p.Apply(ctx, x); v != message.Continue || err != nil {
				b.Error(v, err)
				return
			}
		}
	})
}
