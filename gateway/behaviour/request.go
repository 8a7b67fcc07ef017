package behaviour

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/pattern"
)

// request is one request that is tried.
type request struct{ method, host, path string }

// String is the request as a person writes it.
func (r request) String() string {
	if r.host == "" {
		return r.method + " " + r.path
	}
	return r.method + " " + r.host + r.path
}

const (
	// mostRequests bounds how many are tried; beyond it hosts are tried with the paths of their own endpoints only.
	mostRequests = 60_000
	// shuffled is how many paths are put together at random from the parts of all others.
	shuffled = 400
)

// requests makes the requests from the patterns of both configurations: for each pattern paths that it just
// matches and that it just does not, every host and one that nobody names, every method. Equal configurations give equal requests.
func requests(a, b *config.Config) []request {
	endpoints := slices.Concat(a.APIEndpoints, b.APIEndpoints)
	hosts, methods := hostsOf(endpoints), methodsOf(endpoints)
	every := pathsOf(endpoints)
	var out []request
	for _, host := range hosts {
		paths := every
		if len(hosts)*len(every)*len(methods) > mostRequests {
			paths = pathsOf(slices.DeleteFunc(slices.Clone(endpoints), func(e config.APIEndpoint) bool {
				sample, _ := hostOf(e)
				return sample != "" && sample != host
			}))
		}
		for _, path := range paths {
			for _, method := range methods {
				out = append(out, request{method, host, path})
			}
		}
	}
	return out
}

// hostsOf are names that the hosts match, and "" for a name that nobody has.
func hostsOf(endpoints []config.APIEndpoint) []string {
	set := map[string]bool{"": true}
	for _, e := range endpoints {
		if host, ok := hostOf(e); ok {
			set[host] = true
			if e.HostRegex == "" && strings.Contains(e.Host, "*") {
				set[strings.ReplaceAll(e.Host, "*", "a.b")] = true // one label too many
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// hostOf is a name that the endpoint's host matches; empty: every name does.
func hostOf(e config.APIEndpoint) (string, bool) {
	switch {
	case e.HostRegex != "":
		re, err := pattern.Regexp(e.HostRegex, false)
		if err != nil {
			return "", false
		}
		return pattern.Example(re)
	case e.Host == "" || e.Host == "*":
		return "", true
	default:
		return strings.ToLower(strings.ReplaceAll(e.Host, "*", "x")), true
	}
}

func methodsOf(endpoints []config.APIEndpoint) []string {
	set := map[string]bool{"GET": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true, "HEAD": true}
	for _, e := range endpoints {
		for _, m := range e.Methods {
			if m != "*" {
				set[strings.ToUpper(m)] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b string) int { // GET reads best as an example
		return strings.Compare(strings.TrimPrefix(a, "GET"), strings.TrimPrefix(b, "GET"))
	})
}

// pathsOf are the paths to try, those of the patterns first.
func pathsOf(endpoints []config.APIEndpoint) []string {
	list := &pathList{seen: map[string]bool{}}
	var samples []string
	for _, e := range endpoints {
		for _, p := range samplesOf(e) {
			list.add(p)
			samples = append(samples, p)
		}
	}
	for _, p := range samples {
		trimmed := strings.TrimSuffix(p, "/")
		list.add(trimmed+"/", trimmed+"/x", trimmed+"/x/y", trimmed+"x", strings.ToUpper(p))
		if at := strings.LastIndexByte(trimmed, '/'); at > 0 {
			list.add(trimmed[:at], trimmed[:at+1])
		}
	}
	list.add("/", "/no/such/path")
	list.shuffle(samples)
	return list.paths
}

// pathList is a list without doubles.
type pathList struct {
	paths []string
	seen  map[string]bool
}

func (l *pathList) add(paths ...string) {
	for _, p := range paths {
		if strings.HasPrefix(p, "/") && !l.seen[p] {
			l.seen[p] = true
			l.paths = append(l.paths, p)
		}
	}
}

// shuffle adds paths of segments of several samples: what two patterns have in common may be in neither's sample.
// The same samples give the same paths.
func (l *pathList) shuffle(samples []string) {
	set := map[string]bool{"x": true, "1": true, "": true}
	for _, p := range samples {
		for s := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
			set[s] = true
		}
	}
	segments := slices.Sorted(maps.Keys(set))
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	for range min(shuffled, len(samples)*20) {
		var path strings.Builder
		for range 1 + random.IntN(4) {
			path.WriteString("/" + segments[random.IntN(len(segments))])
		}
		l.add(path.String())
	}
}

// samplesOf are paths that the endpoint's patterns match: short ones and long ones.
func samplesOf(e config.APIEndpoint) []string {
	expressions := []string{e.PathRegex}
	if e.PathRegex == "" {
		expressions = nil
		for _, p := range e.Paths {
			switch p {
			case "", "*":
				expressions = append(expressions, "^/any$")
			default:
				expressions = append(expressions, pattern.PathExpression(p))
			}
		}
	}
	if len(expressions) == 0 {
		return []string{"/any"}
	}
	var out []string
	for _, source := range expressions {
		re, err := pattern.Regexp(source, false)
		if err != nil {
			continue
		}
		for _, sample := range []func(*regexp.Regexp) (string, bool){pattern.Example, pattern.FullExample} {
			if text, ok := sample(re); ok {
				out = append(out, "/"+strings.TrimLeft(text, "/"))
			}
		}
	}
	return out
}
