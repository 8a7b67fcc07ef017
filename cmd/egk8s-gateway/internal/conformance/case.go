// Package conformance plays black-box cases against a real gateway binary: each case brings its own
// configuration and stub backends, sends requests over real sockets and compares what comes back
// and what the backends saw. The cases were recorded from Express Gateway 1.16.11.
package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
)

// Case is one self-contained case; its keys are those of the files in testdata/conformance.
type Case struct {
	ID          string             `json:"id"`
	Title       string             `json:"title"`
	Area        string             `json:"area"`
	Tags        []string           `json:"tags"`
	Gateway     string             `json:"gateway"`
	System      string             `json:"system"`
	ConfigExt   string             `json:"config_ext"`
	Models      map[string]string  `json:"models"`
	Files       map[string]string  `json:"files"`
	Env         map[string]string  `json:"env"`
	Backends    map[string]Backend `json:"backends"`
	ExpectStart string             `json:"expect_start"`
	LogContains []string           `json:"log_contains"`
	DontWait    string             `json:"dont_wait"`
	KeepGoing   bool               `json:"keep_going"`
	Steps       []Step             `json:"steps"`
}

// Tagged tells whether the case has a tag.
func (c Case) Tagged(tag string) bool { return slices.Contains(c.Tags, tag) }

// Backend is what a stub backend does; the first rule that matches answers.
type Backend struct {
	Rules []Rule `json:"rules"`
	TLS   *struct {
		Cert string `json:"cert"`
		Key  string `json:"key"`
	} `json:"tls"`
}

// Rule is one answer of a stub backend.
type Rule struct {
	Method  string         `json:"method"`
	Path    string         `json:"path"` // a regular expression, searched in the raw target
	Status  int            `json:"status"`
	Headers map[string]any `json:"headers"` // a text, or a list of texts
	Body    any            `json:"body"`
	DelayMS int            `json:"delay_ms"`
	Close   bool           `json:"close"`
	Chunked int            `json:"chunked"` // size of the chunks; 0: not chunked
}

// Step is one thing that a case does, in order: sleep, write, signal, request.
type Step struct {
	Name          string              `json:"name"`
	SleepMS       int                 `json:"sleep_ms"`
	ClearCookies  bool                `json:"clear_cookies"`
	WriteGateway  string              `json:"write_gateway"`
	WriteFile     map[string]string   `json:"write_file"`
	FileContains  map[string][]string `json:"file_contains"`
	Signal        string              `json:"signal"`
	ExitWithinS   float64             `json:"exit_within_s"`
	ExitStatus    any                 `json:"exit_status"`
	Request       *Request            `json:"request"`
	Expect        Expect              `json:"expect"`
	Save          map[string]string   `json:"save"`
	Repeat        int                 `json:"repeat"`
	PollS         float64             `json:"poll_s"`
	ResetBackends *bool               `json:"reset_backends"`
}

// Request is what a step sends; at most one of the bodies is set.
type Request struct {
	Target     string            `json:"target"` // gateway, admin or https
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Host       string            `json:"host"`
	Headers    map[string]string `json:"headers"`
	Body       *string           `json:"body"`
	JSON       any               `json:"json"`
	Form       map[string]string `json:"form"`
	Basic      []string          `json:"basic"`
	Cookies    *bool             `json:"cookies"`
	SNI        string            `json:"sni"`
	BodyRepeat *struct {
		Prefix string `json:"prefix"`
		Text   string `json:"text"`
		Suffix string `json:"suffix"`
		Times  int    `json:"times"`
	} `json:"body_repeat"`
	ClientCert *struct {
		Cert string `json:"cert"`
		Key  string `json:"key"`
	} `json:"client_cert"`
}

// Expect is what must come back; nil matchers are not looked at. See Match for their form.
type Expect struct {
	Status           any                       `json:"status"`
	Headers          map[string]any            `json:"headers"`
	Body             any                       `json:"body"`
	JSON             any                       `json:"json"`
	JSONKeys         []string                  `json:"json_keys"`
	MinMS            float64                   `json:"min_ms"`
	MaxMS            float64                   `json:"max_ms"`
	PeerCertContains string                    `json:"peer_cert_contains"`
	Connection       string                    `json:"connection"` // "error": no answer may come
	Backend          map[string]map[string]any `json:"backend"`
}

// Load reads every *.yaml in a folder, sorted by name. A key that the runner does not know is an error.
func Load(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	cases := make([]Case, 0, len(files))
	for _, name := range files {
		c, err := load(name)
		if err != nil {
			return nil, fmt.Errorf("read case %s: %w", filepath.Base(name), err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func load(name string) (Case, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Case{}, err
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return Case{}, err
	}
	var c Case
	return c, decodeStrict(asJSON, &c)
}

func variables() *regexp.Regexp { return regexp.MustCompile(`\{\{([\w.\-]+)\}\}`) }

// expand replaces {{name}} in a text; an unknown name stays.
func expand(text string, vars map[string]string) string {
	return variables().ReplaceAllStringFunc(text, func(m string) string {
		if v, ok := vars[m[2:len(m)-2]]; ok {
			return v
		}
		return m
	})
}

// expandAll replaces {{name}} in every text of a value, keys included, and returns a copy.
func expandAll[T any](value T, vars map[string]string) (T, error) {
	var out T
	asJSON, err := json.Marshal(value)
	if err != nil {
		return out, err
	}
	var tree any
	if err := json.Unmarshal(asJSON, &tree); err != nil {
		return out, err
	}
	asJSON, err = json.Marshal(expandTree(tree, vars))
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(asJSON, &out)
}

func expandTree(v any, vars map[string]string) any {
	switch x := v.(type) {
	case string:
		return expand(x, vars)
	case []any:
		for i := range x {
			x[i] = expandTree(x[i], vars)
		}
		return x
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, one := range x {
			out[expand(k, vars)] = expandTree(one, vars)
		}
		return out
	default:
		return v
	}
}
