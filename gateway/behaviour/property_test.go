package behaviour_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/behaviour"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/upstream"
)

// generator makes configurations whose answers tell which pipeline gave them.
type generator struct{ *rand.Rand }

func (g generator) one(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) path() string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		b.WriteString(g.one("/a", "/b", "/ab", "/:x", "/:x?", `/:n(\d+)`, "/*", "/a?b", "/(a|b)", "/v1"))
	}
	return b.String()
}

func (g generator) endpoint(name string) config.APIEndpoint {
	e := config.APIEndpoint{Name: name, Host: g.one("", "*", "a.test", "b.test", "*.a.test")}
	for range 1 + g.IntN(2) {
		e.Paths = append(e.Paths, g.path())
	}
	for range g.IntN(3) {
		e.Methods = append(e.Methods, g.one("GET", "PUT", "POST", "OPTIONS"))
	}
	return e
}

func (g generator) config() *config.Config {
	cfg := &config.Config{}
	for i := range 2 + g.IntN(5) {
		name := fmt.Sprint("e", i)
		cfg.APIEndpoints = append(cfg.APIEndpoints, g.endpoint(name))
		p := config.Pipeline{Name: "p" + name, APIEndpoints: []string{name}}
		if g.IntN(4) == 0 {
			p.Steps = append(p.Steps, config.Step{Policy: "key-auth", Action: map[string]any{"apiKeyHeader": "Authorization", "apiKeyHeaderScheme": "apiKey"}})
		}
		p.Steps = append(p.Steps, config.Step{Policy: "terminate", Action: map[string]any{"statusCode": 200.0, "message": g.one("one", "two", "three")}})
		if g.IntN(4) == 0 {
			p.Steps[len(p.Steps)-1].Condition = &config.Condition{Name: g.one("never", "always"), Params: map[string]any{}}
		}
		cfg.Pipelines = append(cfg.Pipelines, p)
	}
	return cfg
}

// change makes another configuration of cfg, which may or may not answer in the same way.
func (g generator) change(cfg *config.Config) *config.Config {
	out := *cfg
	out.APIEndpoints, out.Pipelines = slices.Clone(cfg.APIEndpoints), slices.Clone(cfg.Pipelines)
	i := g.IntN(len(out.APIEndpoints))
	switch g.IntN(7) {
	case 0: // another order
		j := g.IntN(len(out.APIEndpoints))
		out.APIEndpoints[i], out.APIEndpoints[j] = out.APIEndpoints[j], out.APIEndpoints[i]
	case 1: // one entry for each path
		e := out.APIEndpoints[i]
		var each []config.APIEndpoint
		for _, p := range e.Paths {
			one := e
			one.Paths = []string{p}
			each = append(each, one)
		}
		out.APIEndpoints = slices.Replace(out.APIEndpoints, i, i+1, each...)
	case 2: // an endpoint again, where it can do nothing
		out.APIEndpoints = append(out.APIEndpoints, out.APIEndpoints[i])
	case 3:
		out.APIEndpoints = slices.Delete(out.APIEndpoints, i, i+1)
	case 4:
		out.APIEndpoints[i].Paths = append(slices.Clone(out.APIEndpoints[i].Paths), g.path())
	case 5:
		out.APIEndpoints[i].Methods = []string{g.one("GET", "PUT")}
	default:
		p := &out.Pipelines[g.IntN(len(out.Pipelines))]
		p.Steps = slices.Clone(p.Steps)
		last := &p.Steps[len(p.Steps)-1]
		last.Action = map[string]any{"statusCode": 200.0, "message": g.one("one", "two", "three")}
	}
	return &out
}

func (g generator) request() (method, host, path string) {
	for range 1 + g.IntN(4) {
		path += g.one("/a", "/b", "/ab", "/A", "/x", "/7", "/v1", "/", "/c")
	}
	return g.one("GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"), g.one("a.test", "b.test", "x.a.test", "other"), path
}

// recorder is a message.Sink that keeps what it gets.
type recorder struct {
	status int
	body   strings.Builder
}

func (r *recorder) WriteHead(status int)        { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
func (r *recorder) Flush() error                { return nil }
func (r *recorder) Trailer(string, []string)    {}

func compile(t *testing.T, cfg *config.Config) *pipeline.Runtime {
	t.Helper()
	rt, problems := pipeline.Compile(cfg, &policy.Environment{
		Keys: anyKey{}, Upstreams: upstream.NewPools().Draft(), Log: slog.New(slog.DiscardHandler),
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return rt
}

// anyKey accepts every key.
type anyKey struct{}

func (anyKey) AuthenticateKey(_ context.Context, id, _ string) (*consumer.Consumer, *consumer.Credential, error) {
	return &consumer.Consumer{ID: id, IsActive: true}, &consumer.Credential{ID: id, IsActive: true}, nil
}

// ask returns the answers of a runtime without and with a key, as one text.
func ask(t *testing.T, rt *pipeline.Runtime, method, host, path string) string {
	t.Helper()
	return askWith(t, rt, "", method, host, path) + " " + askWith(t, rt, "apiKey k:s", method, host, path)
}

func askWith(t *testing.T, rt *pipeline.Runtime, key, method, host, path string) string {
	t.Helper()
	sink := &recorder{}
	x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink)}
	x.Request = message.Request{Method: method, URL: path, OriginalURL: path, Host: host, Header: message.NewHeader(4)}
	if key != "" {
		x.Request.Header.Set("Authorization", key)
	}
	if err := rt.Serve(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(sink.status, x.Response.Header.Get("Allow"), sink.body.String())
}

// TestSameAnswersTheSame: where no change is found, ten thousand requests at random are answered alike; and every
// change that is found shows at its request.
func TestSameAnswersTheSame(t *testing.T) {
	t.Parallel()
	pairs, tries := 300, 10_000
	if testing.Short() {
		pairs, tries = 60, 1000
	}
	same := 0
	for seed := range uint64(pairs) {
		g := generator{rand.New(rand.NewPCG(seed, 7))}
		before := g.config()
		after := g.change(before)
		changes, problems := behaviour.Compare(before, after)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		a, b := compile(t, before), compile(t, after)
		for _, c := range changes {
			host := c.Host
			if host == "" {
				host = "any.invalid"
			}
			if got := ask(t, a, c.Method, host, c.Path); got == ask(t, b, c.Method, host, c.Path) && c.Code != "auth-order" {
				t.Errorf("seed %d: %q, but both answer %q", seed, c.Message, got)
			}
		}
		if len(changes) > 0 {
			continue
		}
		if same++; same > 20 {
			tries = 500 // the first twenty are enough in full length
		}
		for range tries {
			method, host, path := g.request()
			if was, is := ask(t, a, method, host, path), ask(t, b, method, host, path); was != is {
				t.Fatalf("seed %d: no change was found, but %s %s%s is answered %q, then %q", seed, method, host, path, was, is)
			}
		}
	}
	if same < pairs/5 || same > pairs*4/5 {
		t.Errorf("%d of %d pairs are the same: the trial tells little", same, pairs)
	}
}

// BenchmarkCompare is what a diff of two large configurations costs.
func BenchmarkCompare(b *testing.B) {
	cfg := &config.Config{}
	for i := range 200 {
		name := fmt.Sprint("e", i)
		cfg.APIEndpoints = append(cfg.APIEndpoints, config.APIEndpoint{Name: name, Paths: []string{fmt.Sprintf("/svc%d/*", i)}})
		cfg.Pipelines = append(cfg.Pipelines, config.Pipeline{Name: name, APIEndpoints: []string{name}, Steps: []config.Step{
			{Policy: "terminate", Action: map[string]any{"statusCode": 200.0, "message": name}},
		}})
	}
	for b.Loop() {
		if changes, problems := behaviour.Compare(cfg, cfg); len(changes)+len(problems) > 0 {
			b.Fatal(changes, problems)
		}
	}
}
