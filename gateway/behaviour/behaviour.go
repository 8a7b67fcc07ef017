// Package behaviour says how two configurations answer requests differently: "GET /orders loses key-auth".
//
// Both are compiled to their routes, requests are made from the patterns of both, and for each request the
// pipelines that it meets are compared by what they do. It is not a comparison of text: the order of keys, shorthands,
// anchors and names make no difference, and one moved line that opens a path does.
package behaviour

import (
	"cmp"
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
)

// Class says how much a change matters to those who call, and to those who guard.
type Class string

// The classes, from the least to the most.
const (
	Safe     Class = "safe"     // no client notices, nothing is opened
	Review   Class = "review"   // intended or not, only a person can tell
	Breaking Class = "breaking" // requests that were answered are not any more, or what was guarded is open
)

// Change is one difference, with one request that shows it.
type Change struct {
	Class    Class  `json:"class"`
	Code     string `json:"code"`    // stable: route-removed, made-public, upstream-changed, …
	Message  string `json:"message"` // GET /orders loses key-auth
	Method   string `json:"method"`
	Host     string `json:"host,omitempty"` // empty: any
	Path     string `json:"path"`
	Endpoint string `json:"endpoint,omitempty"` // apiEndpoint that serves it, before where there is none after
	Requests int    `json:"requests"`           // how many of the requests that were tried show it
}

// Compare returns the changes from one configuration to another, the worst first; none: both answer every request
// that was tried in the same way. Problems are those of patterns that cannot be compiled.
func Compare(before, after *config.Config) ([]Change, diag.Problems) {
	a, problems := newSide(before)
	b, more := newSide(after)
	if problems = append(problems, more...); problems.HasErrors() {
		return nil, problems
	}
	found := &findings{at: map[findingKey]int{}}
	found.unknown(a, b)
	found.authorizationServer(before, after)
	memo := map[[2]string][]difference{}
	for _, r := range requests(a.cfg, b.cfg) {
		was, is := a.story(r), b.story(r)
		key := [2]string{was.key, is.key}
		if was.key == is.key {
			continue
		}
		differences, known := memo[key]
		if !known {
			differences = compare(was, is)
			memo[key] = differences
		}
		for _, d := range differences {
			found.add(r, d)
		}
	}
	return found.sorted(), nil
}

// side is one configuration with its routes.
type side struct {
	cfg      *config.Config
	routes   *pipeline.Runtime
	unknown  []string // apiEndpoints whose patterns are known in the pod only, as written
	chapters map[*message.Endpoint]chapter
	byName   map[string]*config.Pipeline
}

func newSide(cfg *config.Config) (*side, diag.Problems) {
	s := &side{chapters: map[*message.Endpoint]chapter{}, byName: map[string]*config.Pipeline{}}
	known := *cfg
	known.APIEndpoints = nil
	for _, e := range cfg.APIEndpoints {
		if holdsUnknownPattern(e) {
			s.unknown = append(s.unknown, e.Name+" "+canonical(e.Raw))
			continue
		}
		known.APIEndpoints = append(known.APIEndpoints, e)
	}
	slices.Sort(s.unknown)
	for i := range cfg.Pipelines {
		s.byName[cfg.Pipelines[i].Name] = &cfg.Pipelines[i]
	}
	s.cfg = &known
	var problems diag.Problems
	s.routes, problems = pipeline.Sketch(s.cfg)
	return s, problems
}

// difference is what compare finds between two stories.
type difference struct {
	class    Class
	code     string
	detail   string // tells findings of one code apart, and stands in the message
	endpoint string
}

type findingKey struct{ code, detail, endpoint string }

// findings collects differences, one for each key.
type findings struct {
	at   map[findingKey]int
	list []Change
}

func (f *findings) add(r request, d difference) {
	key := findingKey{d.code, d.detail, d.endpoint}
	at, seen := f.at[key]
	if !seen {
		f.at[key] = len(f.list)
		f.list = append(f.list, Change{
			Class: d.class, Code: d.code, Message: r.String() + " " + d.detail, Method: r.method, Host: r.host, Path: r.path,
			Endpoint: d.endpoint, Requests: 1,
		})
		return
	}
	f.list[at].Requests++
}

// unknown tells of endpoints whose patterns nobody knows here, where they differ as written.
func (f *findings) unknown(a, b *side) {
	if !slices.Equal(a.unknown, b.unknown) {
		f.list = append(f.list, Change{
			Class: Review, Code: "unknown-route", Message: "an apiEndpoint whose host or path is known in the pod only has changed",
		})
	}
}

// authorizationServer tells of the gateway's own routes, which are there as soon as the policy oauth2 is listed.
func (f *findings) authorizationServer(before, after *config.Config) {
	c := Change{Method: "POST", Path: "/oauth2/token", Requests: 1}
	switch was, is := slices.Contains(before.Policies, "oauth2"), slices.Contains(after.Policies, "oauth2"); {
	case is && !was:
		c.Class, c.Code = Review, "oauth2-server-added"
		c.Message = "POST /oauth2/token is answered by the gateway's own authorization server now, as are /login, /logout and /oauth2/authorize"
	case was && !is:
		c.Class, c.Code = Breaking, "oauth2-server-removed"
		c.Message = "POST /oauth2/token is not answered by the gateway's own authorization server any more, nor are /login, /logout and /oauth2/authorize"
	default:
		return
	}
	f.list = append(f.list, c)
}

func (f *findings) sorted() []Change {
	rank := map[Class]int{Breaking: 0, Review: 1, Safe: 2}
	slices.SortStableFunc(f.list, func(a, b Change) int {
		return cmp.Or(rank[a.Class]-rank[b.Class], cmp.Compare(a.Code, b.Code), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return f.list
}
