package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config/yaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// Variable is a name that the files refer to by ${NAME}, where it stands first.
type Variable struct {
	Name     string
	Fallback string // of ${NAME:-fallback}; empty: none
	Pos      diag.Position
}

// InlineSecret is a value that looks like a secret and stands in a file in the clear.
type InlineSecret struct {
	Key    string // where it stands, as pipelines.api.policies.0.jwt.action.secretOrPublicKey
	Pos    diag.Position
	Length int // in columns
	// Start and End are the bytes of the file between the quotes. Both are 0 where the value is no text on one line, and
	// cannot be replaced by a reference as it stands.
	Start, End int
	Text       string // these bytes
}

// Scan finds the variables and the inline secrets of gateway.config and system.config in a folder, both in the
// order of the files. What is not YAML has no secrets: Load tells what is wrong with it.
func Scan(dir string) ([]Variable, []InlineSecret) {
	l := &loader{opts: Options{Outside: true}, cfg: &Config{}}
	l.openDir(dir)
	if l.files == nil {
		return nil, nil
	}
	var variables []Variable
	var secrets []InlineSecret
	for _, base := range []string{"gateway.config", "system.config"} {
		file, text, ok := l.readEither(base+".yml", base+".json")
		if !ok {
			continue
		}
		src, _ := newSource(file, text, Options{Outside: true, PodOnly: func(string) bool { return true }})
		variables = append(variables, src.variables()...)
		if root, err := yaml.Parse(src.text); err == nil {
			s := &secretScan{src: src, seen: map[*yaml.Node]bool{}}
			s.node(root, nil)
			secrets = append(secrets, s.found...)
		}
	}
	return variables, secrets
}

// variables are the references outside of comments, without the names of JavaScript's own variables.
func (s *source) variables() []Variable {
	var list []Variable
	for at := 0; at < len(s.original); {
		ref, ok := referenceAt(s.original, at)
		if !ok {
			at++
			continue
		}
		if !ref.escaped && !inComment(s.original, at) {
			list = append(list, Variable{Name: ref.name, Fallback: ref.fallback, Pos: positionAt(s.file, s.original, at)})
		}
		at += ref.length
	}
	return list
}

// secretScan collects the secrets of one file.
type secretScan struct {
	src   *source
	seen  map[*yaml.Node]bool // what an alias shares is looked at once
	found []InlineSecret
}

func (s *secretScan) node(n *yaml.Node, path []string) {
	if n == nil || s.seen[n] {
		return
	}
	s.seen[n] = true
	for i, item := range n.Items {
		s.node(item, append(slices.Clone(path), strconv.Itoa(i)))
	}
	for _, p := range n.Pairs {
		s.node(p.Value, append(slices.Clone(path), p.Name))
	}
	text, isText := n.Value.(string)
	if isText && n.Kind == yaml.String && len(path) > 0 && looksSecret(path[len(path)-1], text) {
		s.found = append(s.found, s.secret(n, path))
	}
}

func (s *secretScan) secret(n *yaml.Node, path []string) InlineSecret {
	out := InlineSecret{
		Key: strings.Join(path, "."), Pos: s.src.position(n.Start), Length: s.src.length(n.Start, n.End),
	}
	start, end := s.src.back(n.Start), s.src.backEnd(n.End)
	if end-start >= 2 && strings.ContainsRune(`"'`, rune(s.src.original[start])) && s.src.original[end-1] == s.src.original[start] {
		start, end = start+1, end-1
	}
	if inner := s.src.original[start:end]; inner != "" && !strings.ContainsAny(inner, "\r\n") && !strings.HasPrefix(inner, "|") && !strings.HasPrefix(inner, ">") {
		out.Start, out.End, out.Text = start, end, inner
	}
	return out
}

var (
	secretKey = regexp.MustCompile(`^(password|passwd|passphrase|pass|secret|clientsecret|cipherkey|secretorprivatekey|secretorpublickey|authorizationvalue|token|apikey|xapikey|privatekey|auth|accesskey|secretkey)$`)
	// userinfo is a password in a URL.
	userinfo = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://[^/@:\s]*:[^/@\s]+@`)
	// expression is JavaScript about the request, not a text of its own.
	expression = regexp.MustCompile(`^(req|res|consumer|egContext|requestID)\b`)
)

// looksSecret tells by the key, or by the text itself, whether a value is one that a ConfigMap must not show.
func looksSecret(key, text string) bool {
	switch {
	case text == "" || strings.ContainsRune(text, unknownOpen) || strings.Contains(text, "${"):
		return false
	case strings.Contains(text, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY-----"), userinfo.MatchString(text):
		return true
	case strings.Contains(text, "-----BEGIN "): // a public key or a certificate
		return false
	case expression.MatchString(text):
		return false
	default:
		return secretKey.MatchString(strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key)))
	}
}

// PluginHint says what to use instead of a policy that plugins of Express Gateway are known to bring; empty: nothing
// is known of it.
func PluginHint(name string) string { return pluginHint(name) }
