package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Masked stands where a secret was.
const Masked = "***"

// What a Mask learns: shorter words stand in too many innocent places, and more than that many are no secrets.
const (
	shortest = 6
	mostWord = 4096
)

// Mask takes secrets out of text and objects: those it was told, and what has the form of one. It is not safe for
// concurrent use while it learns.
type Mask struct {
	words    map[string]bool
	replacer *strings.Replacer // of the words; nil: some were added since
	forms    []*regexp.Regexp  // in which secrets are written; what their groups match stays
	name     *regexp.Regexp    // of variables whose values are secrets
	key      *regexp.Regexp    // of a secret in an object
	value    *regexp.Regexp    // of a key with a secret's name in a file
}

// sensitive matches the names of keys and variables whose values are secrets.
const sensitive = `pass(?:word|wd|phrase)?|secret|token|credentials?|api_?key|cipher_?key|private_?key|secretorpublickey`

// NewMask returns a mask that knows the forms of secrets and none by itself.
func NewMask() *Mask {
	return &Mask{
		words: map[string]bool{},
		forms: []*regexp.Regexp{
			regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*["']?)[^"'\r\n]+`),
			regexp.MustCompile(`(?i)(\bbearer\s+)[\w.~+/=-]{8,}`),
			regexp.MustCompile(`(://[^/\s:@"']*:)[^@/\s"']+(@)`),
			regexp.MustCompile(`(?i)((?:` + sensitive + `)["']?\s*[:=]\s*)(?:"[^"\r\n]*"|'[^'\r\n]*'|[^\s"',}]+)`),
			regexp.MustCompile(`(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]+`),
		},
		name:  regexp.MustCompile(`(?i)(?:` + sensitive + `|_key|cipher|salt)`),
		key:   regexp.MustCompile(`(?i)(?:` + sensitive + `)$`),
		value: regexp.MustCompile(`(?i)(?:` + sensitive + `)["']?\s*:\s*["']?([^"'\r\n]+)`),
	}
}

// Add makes the mask remove a secret, also where it is written in base64.
func (m *Mask) Add(secret string) {
	secret = strings.TrimSpace(secret)
	if len(secret) < shortest || len(m.words) >= mostWord {
		return
	}
	m.words[secret] = true
	m.words[base64.StdEncoding.EncodeToString([]byte(secret))] = true
	m.replacer = nil
}

// AddFile makes the mask remove the secrets of a file that is secret: all of it where it is one line, else the values
// of keys with a secret's name, and the long lines, as those of keys and certificates are.
func (m *Mask) AddFile(text string) {
	const long = 40
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "\n") {
		m.Add(text)
		return
	}
	for line := range strings.Lines(text) {
		if found := m.value.FindStringSubmatch(line); found != nil {
			m.Add(found[1])
		} else if line = strings.TrimSpace(line); len(line) >= long && !strings.HasPrefix(line, "#") {
			m.Add(line)
		}
	}
}

// Learn makes the mask remove what the environments of containers in v, a value of JSON, hold in plain text under a
// secret's name, and the passwords in their URLs.
func (m *Mask) Learn(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			m.Learn(e)
		}
	case map[string]any:
		name, _ := v["name"].(string)
		if value, plain := v["value"].(string); plain && name != "" {
			if m.Names(name) {
				m.Add(value)
			}
			if u, err := url.Parse(value); err == nil && u.User != nil {
				password, _ := u.User.Password()
				m.Add(password)
			}
		}
		for _, e := range v {
			m.Learn(e)
		}
	}
}

// Names tells whether a variable has the name of a secret.
func (m *Mask) Names(variable string) bool { return m.name.MatchString(variable) }

// Text returns text without secrets.
func (m *Mask) Text(text string) string {
	if m.replacer == nil {
		words := slices.Collect(maps.Keys(m.words))
		slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // what contains another goes first
		pairs := make([]string, 0, 2*len(words))
		for _, w := range words {
			pairs = append(pairs, w, Masked)
		}
		m.replacer = strings.NewReplacer(pairs...)
	}
	text = m.replacer.Replace(text)
	for _, form := range m.forms {
		text = form.ReplaceAllString(text, "${1}"+Masked+"${2}")
	}
	return text
}

// Value returns v as a value of JSON without secrets: variables and keys with a secret's name lose their values
// whatever these are.
func (m *Mask) Value(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return m.walk(plain), nil
}

func (m *Mask) walk(v any) any {
	switch v := v.(type) {
	case string:
		return m.Text(v)
	case []any:
		for i := range v {
			v[i] = m.walk(v[i])
		}
	case map[string]any:
		name, _ := v["name"].(string)
		for k, e := range v {
			_, text := e.(string)
			if text && (k == "value" && m.Names(name) || m.key.MatchString(k)) {
				v[k] = Masked
				continue
			}
			v[k] = m.walk(e)
		}
	}
	return v
}
