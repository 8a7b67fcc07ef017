package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/pattern"
)

// generator makes configurations and requests that meet each other often.
type generator struct{ *rand.Rand }

func (g generator) one(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) joined(most int, list ...string) string {
	var b strings.Builder
	for range 1 + g.IntN(most) {
		b.WriteString(g.one(list...))
	}
	return b.String()
}

func (g generator) endpoint(name string) config.APIEndpoint {
	e := config.APIEndpoint{Name: name}
	switch g.IntN(6) {
	case 0:
		e.HostRegex = g.one("[ab]\\.test", "^a", "x.*test$", ".+")
	case 1, 2:
		e.Host = g.one("", "*")
	default:
		e.Host = g.one("a.test", "A.test", "b.test", "*.a.test", "*.*.test", "x.a.test", "*.test")
	}
	if g.IntN(8) == 0 {
		e.PathRegex = g.one("^/a", "b$", "/[a-c]/", "X", "(a|b)(c)?$")
	} else {
		for range g.IntN(4) {
			e.Paths = append(e.Paths, g.joined(3, "/a", "/b", "/ab", "/A", "/:x", "/:x?", `/:n(\d+)`, "/*", "*", "/a?b", "/(a|b)", "/",
				"/a.b", "/c+", "/:p-:q", "/v1"))
		}
	}
	if g.IntN(3) == 0 {
		for range 1 + g.IntN(3) {
			e.Methods = append(e.Methods, g.one("GET", "PUT", "POST", "HEAD", "OPTIONS", "DELETE"))
		}
	}
	return e
}

func (g generator) config() *config.Config {
	cfg := &config.Config{}
	for i := range 1 + g.IntN(10) {
		for range 1 + g.IntN(2) { // a name may stand for several entries
			cfg.APIEndpoints = append(cfg.APIEndpoints, g.endpoint(fmt.Sprint("e", i)))
		}
	}
	for i := range 1 + g.IntN(8) {
		p := config.Pipeline{Name: fmt.Sprint("p", i)}
		for range 1 + g.IntN(3) {
			p.APIEndpoints = append(p.APIEndpoints, fmt.Sprint("e", g.IntN(11)))
		}
		p.Steps = []config.Step{terminate(p.Name)}
		if g.IntN(3) == 0 {
			p.Steps[0] = never(p.Steps[0])
		}
		cfg.Pipelines = append(cfg.Pipelines, p)
	}
	return cfg
}

func (g generator) request() (method, host, url string) {
	method = g.one("GET", "GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE")
	host = g.one("", "a.test", "A.TEST:8080", "b.test", "x.a.test", "y.a.test", "x.y.test", "other", "a.test.")
	url = g.joined(4, "/a", "/b", "/ab", "/AB", "/", "/a.b", "/cc", "/x", "/12", "/p-q", "/v1", "/%zz", "/%41", "/%ff")
	if g.IntN(4) == 0 {
		url += "?q=/a"
	}
	return method, host, url
}

// naive answers a request as the reference does it, word for word: every endpoint is tried in turn by
// regular expressions, with nothing prepared.
func naive(cfg *config.Config, method, host, target string) answer {
	name := host
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	path, _, _ := strings.Cut(target, "?")
	var groups []string
	for _, e := range cfg.APIEndpoints {
		if !slices.Contains(groups, hostKey(e)) {
			groups = append(groups, hostKey(e))
		}
	}
	for _, key := range groups {
		var allow []string
		for _, e := range cfg.APIEndpoints {
			if hostKey(e) != key || !hostMatches(e, name) {
				continue
			}
			if got, ok := endpointAnswer(cfg, e, method, path, &allow); ok {
				return got
			}
		}
		if method == "OPTIONS" && len(allow) > 0 {
			text := strings.Join(allow, ",")
			return answer{Status: 200, Body: text, Allow: text}
		}
	}
	return answer{Status: 404, Body: "Cannot " + method + " " + strings.ReplaceAll(path, "%zz", "%25zz")}
}

// endpointAnswer tries the paths of one endpoint.
func endpointAnswer(cfg *config.Config, e config.APIEndpoint, method, path string, allow *[]string) (answer, bool) {
	for _, re := range pathRegexps(e) {
		found := re.FindStringSubmatch(path)
		if found == nil {
			continue
		}
		for _, parameter := range found[1:] {
			if plain, err := url.PathUnescape(parameter); err != nil || !utf8.ValidString(plain) {
				return answer{Status: 400, Body: "Bad Request"}, true
			}
		}
		for _, m := range e.Methods { // each is a route of its own
			names := []string{m}
			switch m {
			case "OPTIONS":
				names = nil
			case "GET":
				names = append(names, "HEAD")
			}
			for _, n := range names {
				if !slices.Contains(*allow, n) {
					*allow = append(*allow, n)
				}
			}
		}
		if len(e.Methods) > 0 && !slices.Contains(e.Methods, method) && (method != "HEAD" || !slices.Contains(e.Methods, "GET")) {
			continue
		}
		var pipeline *config.Pipeline
		for i := range cfg.Pipelines {
			if slices.Contains(cfg.Pipelines[i].APIEndpoints, e.Name) {
				pipeline = &cfg.Pipelines[i]
			}
		}
		if pipeline == nil {
			return answer{Status: 404, Body: "Not Found"}, true
		}
		if pipeline.Steps[0].Condition == nil {
			return answer{Status: 200, Body: pipeline.Name}, true
		}
	}
	return answer{}, false
}

func hostKey(e config.APIEndpoint) string {
	if e.HostRegex != "" {
		return "re:" + e.HostRegex
	}
	if e.Host == "" {
		return "*"
	}
	return e.Host
}

func hostMatches(e config.APIEndpoint, name string) bool {
	if hostKey(e) == "*" {
		return true
	}
	if name == "" {
		return false
	}
	if e.HostRegex != "" {
		source := e.HostRegex
		if !strings.HasPrefix(source, "^") {
			source = "^" + source
		}
		if !strings.HasSuffix(source, "$") {
			source += "$"
		}
		return regexp.MustCompile("(?i)" + source).MatchString(name)
	}
	want, have := strings.Split(strings.ToLower(e.Host), "."), strings.Split(strings.ToLower(name), ".")
	return slices.EqualFunc(want, have, func(w, h string) bool { return w == h || w == "*" && h != "" })
}

func pathRegexps(e config.APIEndpoint) []*regexp.Regexp {
	if e.PathRegex != "" {
		return []*regexp.Regexp{regexp.MustCompile(e.PathRegex)}
	}
	if len(e.Paths) == 0 {
		return []*regexp.Regexp{regexp.MustCompile("^(.*)$")}
	}
	var list []*regexp.Regexp
	for _, p := range e.Paths {
		if p == "*" {
			list = append(list, regexp.MustCompile("^(.*)$"))
			continue
		}
		list = append(list, regexp.MustCompile("(?i)"+strings.ReplaceAll(pattern.PathExpression(p), "(?<", "(?P<")))
	}
	return list
}

// TestRoutingIsThatOfTryingEveryEndpoint holds the compiled tables to the plain way.
func TestRoutingIsThatOfTryingEveryEndpoint(t *testing.T) {
	t.Parallel()
	statuses := map[int]int{}
	for seed := range uint64(600) {
		g := generator{rand.New(rand.NewPCG(seed, 7))}
		cfg := g.config()
		rt := compile(t, cfg)
		for range 25 {
			method, host, target := g.request()
			want := naive(cfg, method, host, target)
			got := ask(t, rt, method, host, target)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s %q %q (-naive +compiled):\n%s\n%+v", seed, method, host, target, diff, cfg)
			}
			statuses[got.Status]++
		}
	}
	for _, status := range []int{200, 400, 404} {
		if statuses[status] < 500 {
			t.Errorf("status %d came %d times only: the generated requests do not meet the endpoints", status, statuses[status])
		}
	}
}
