package file

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Entry is one line to add to a section: keys in the order in which they are written.
type Entry []Field

// Field is one key of an Entry with a text or a list of texts.
type Field struct {
	Key   string
	Value string
	List  []string // used when not nil
}

// KeyCredential is the entry of a key-auth or jwt credential; of the secret only its hash is written.
func KeyCredential(t consumer.CredentialType, owner, keyID, keySecret string, scopes []string) Entry {
	e := Entry{{Key: "type", Value: string(t)}, {Key: "consumer", Value: owner}, {Key: "keyId", Value: keyID}}
	if t == consumer.TypeKeyAuth {
		e = append(e, Field{Key: "keySecretSHA256", Value: HashKey(keySecret)})
	}
	return e.withScopes(scopes)
}

// PasswordCredential is the entry of a basic-auth or oauth2 credential with a bcrypt hash.
func PasswordCredential(t consumer.CredentialType, owner, bcryptHash string, scopes []string) Entry {
	return Entry{
		{Key: "type", Value: string(t)}, {Key: "consumer", Value: owner}, {Key: "passwordBcrypt", Value: bcryptHash},
	}.withScopes(scopes)
}

func (e Entry) withScopes(scopes []string) Entry {
	if len(scopes) == 0 {
		return e
	}
	return append(e, Field{Key: "scopes", List: scopes})
}

// HashKey is the value of keySecretSHA256 for a secret.
func HashKey(secret string) string { return hex.EncodeToString(consumer.HashSecret(secret)) }

// String writes the entry as a YAML flow map on one line.
func (e Entry) String() string {
	parts := make([]string, len(e))
	for i, f := range e {
		text := scalar(f.Value)
		if f.List != nil {
			items := make([]string, len(f.List))
			for j, item := range f.List {
				items[j] = scalar(item)
			}
			text = "[" + strings.Join(items, ", ") + "]"
		}
		parts[i] = f.Key + ": " + text
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// scalar writes a text so that YAML reads the same text, with quotes where it needs them.
func scalar(text string) string {
	plain := text != ""
	for i, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		inner := r >= '0' && r <= '9' || strings.ContainsRune("._-/@", r)
		if !letter && (i == 0 || !inner) {
			plain = false
		}
	}
	switch strings.ToLower(text) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return text
	}
	return strconv.Quote(text)
}

// errShape says that a file is written in a way that Append does not edit.
var errShape = errors.New("the section is written in a form that cannot be added to")

// Append adds an entry at the end of a section ("credentials", "users") of a consumers file and
// leaves every other byte as it is: comments, order, line ends. A section that is missing is added
// at the end of the file. The result was read again and holds exactly one entry more.
func Append(text []byte, section string, entry Entry) ([]byte, error) {
	return appendText(text, section, entry.String())
}

func appendText(text []byte, section, entry string) ([]byte, error) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("read consumers file: %w", err)
	}
	before, err := countOf(text, section)
	if err != nil {
		return nil, err
	}
	out, err := insert(text, tree, section, entry)
	if err != nil {
		return nil, fmt.Errorf("add to %s: %w", section, err)
	}
	if after, err := countOf(out, section); err != nil || after != before+1 {
		return nil, fmt.Errorf("add to %s: %w; add this entry by hand: %s", section, errShape, entry)
	}
	return out, nil
}

// AppendScope adds a scope to the scopes section unless it is there.
func AppendScope(text []byte, scope string) ([]byte, error) {
	r := &reader{}
	root, ok := r.parse(text)
	if !ok {
		return nil, fmt.Errorf("read consumers file: %w", r.problems)
	}
	if list := root.get("scopes"); list != nil {
		for _, have := range list.list {
			if have.text == scope {
				return text, nil
			}
		}
	}
	return appendText(text, "scopes", scalar(scope))
}

// countOf reads a text and counts the entries of a section.
func countOf(text []byte, section string) (int, error) {
	r := &reader{}
	root, ok := r.parse(text)
	if !ok {
		return 0, fmt.Errorf("read consumers file: %w", r.problems)
	}
	if list := root.get(section); list != nil {
		return len(list.list), nil
	}
	return 0, nil
}

func insert(text []byte, tree *ast.File, section string, entry string) ([]byte, error) {
	end := lineEnd(text)
	value := sectionOf(tree, section)
	if value == nil {
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			text = append(bytes.Clone(text), end...)
		}
		return fmt.Appendf(bytes.Clone(text), "%s:%s- %s%s", section, end, entry, end), nil
	}
	list, ok := value.Value.(*ast.SequenceNode)
	switch {
	case !ok:
		return afterKey(text, value, entry)
	case !list.IsFlowStyle && len(list.Values) > 0:
		dash := list.Start.Position
		if last := list.Entries[len(list.Entries)-1]; last != nil && last.Start != nil {
			dash = last.Start.Position
		}
		return afterItem(text, dash.Line, dash.Column, entry), nil
	case list.End != nil:
		return beforeBracket(text, list, entry), nil
	default:
		return nil, errShape
	}
}

// sectionOf finds the pair of a top-level key.
func sectionOf(tree *ast.File, section string) *ast.MappingValueNode {
	for _, doc := range tree.Docs {
		var pairs []*ast.MappingValueNode
		switch body := doc.Body.(type) {
		case *ast.MappingNode:
			pairs = body.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{body}
		}
		for _, pair := range pairs {
			if pair.Key.GetToken().Value == section {
				return pair
			}
		}
	}
	return nil
}

// afterKey adds the first entry below a key that has no value.
func afterKey(text []byte, pair *ast.MappingValueNode, entry string) ([]byte, error) {
	if _, empty := pair.Value.(*ast.NullNode); !empty {
		return nil, errShape
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	at := min(pair.Key.GetToken().Position.Line, len(lines))
	return join(lines, place{at: at, end: lineEnd(text)}, entry), nil
}

// afterItem adds a line after the last item of a block list, with the same indentation; the item may
// span lines, which are those that are indented deeper than its dash.
func afterItem(text []byte, line, column int, entry string) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	at := line
	for next := at; next < len(lines); next++ {
		content := bytes.TrimLeft(lines[next], " ")
		blank := len(bytes.TrimSpace(content)) == 0
		if !blank && len(lines[next])-len(content) < column {
			break
		}
		if !blank {
			at = next + 1
		}
	}
	return join(lines, place{at, strings.Repeat(" ", column-1), lineEnd(text)}, entry)
}

// place is where a line goes: after so many lines, with this indentation and line end.
type place struct {
	at          int
	indent, end string
}

func join(lines [][]byte, p place, entry string) []byte {
	var out bytes.Buffer
	for _, l := range lines[:p.at] {
		out.Write(l)
	}
	if b := out.Bytes(); len(b) > 0 && b[len(b)-1] != '\n' {
		out.WriteString(p.end)
	}
	fmt.Fprintf(&out, "%s- %s%s", p.indent, entry, p.end)
	for _, l := range lines[p.at:] {
		out.Write(l)
	}
	return out.Bytes()
}

// beforeBracket adds an item to a flow list.
func beforeBracket(text []byte, list *ast.SequenceNode, entry string) []byte {
	at := offset(text, list.End.Position.Line, list.End.Position.Column)
	head := bytes.TrimRight(text[:at], " \t\r\n")
	separator := ", "
	if len(list.Values) == 0 || bytes.HasSuffix(head, []byte(",")) {
		separator = ""
	}
	return fmt.Appendf(bytes.Clone(head), "%s%s%s", separator, entry, text[at:])
}

// offset finds the byte of a position, which counts characters from 1.
func offset(text []byte, line, column int) int {
	at := 0
	for range line - 1 {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	for i := range string(text[at:]) {
		if column--; column == 0 {
			return at + i
		}
	}
	return len(text)
}

// lineEnd is how lines end in text.
func lineEnd(text []byte) string {
	if bytes.Contains(text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
