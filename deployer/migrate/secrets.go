package migrate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

// inlineSecrets tells of the secrets that stand in the files in the clear, and with MoveSecrets moves them: the file
// then says ${NAME}, and .env, which git ignores, holds the value.
func (m *migration) inlineSecrets() {
	_, secrets := offline.Scan(m.folder)
	names, values := map[string]string{}, map[string]string{} // value -> name, name -> value
	var moved []move
	for _, s := range secrets {
		subject, at := "inline secret "+lastKey(s.Key), m.at(s.Pos)
		movable := s.End > s.Start
		if movable {
			m.result.InlineSecrets++
		}
		switch name := variableFor(s, names, values); {
		case m.opts.MoveSecrets && movable:
			moved = append(moved, move{s, name})
			m.result.Found.Secret(name, m.opts.Name+"-env", name)
			m.add(Mapped, subject, at, "to ${%s}, whose value is in .env now: kubectl create secret generic %s-env --from-env-file=.env", name, m.opts.Name)
		case strings.HasPrefix(s.Pos.File, "system.config."):
			m.add(Works, subject, at, "this file goes into a Secret; in a repository the value can be read all the same")
		case movable:
			m.add(NeedsYou, subject, at, "this file goes into a ConfigMap: init --move-secrets puts ${%s} in its place and the value into .env", name)
		default:
			m.add(NeedsYou, subject, at, "this file goes into a ConfigMap: put the value into a Secret, and ${%s} in its place", name)
		}
	}
	if len(moved) > 0 {
		m.move(moved)
	}
}

// move is one secret that a reference replaces.
type move struct {
	secret offline.InlineSecret
	name   string
}

func (m *migration) move(moved []move) {
	slices.SortFunc(moved, func(a, b move) int { return b.secret.Start - a.secret.Start }) // from the end on: offsets stay right
	var env []string
	for _, one := range moved {
		env = append(env, one.name+"="+one.secret.Text+"\n")
		for i := range m.result.Files {
			if f := &m.result.Files[i]; f.Path == "config/"+one.secret.Pos.File {
				f.Data = slices.Concat(f.Data[:one.secret.Start], []byte("${"+one.name+"}"), f.Data[one.secret.End:])
			}
		}
	}
	slices.Sort(env)
	var text bytes.Buffer
	for _, line := range slices.Compact(env) {
		text.WriteString(line)
	}
	m.result.Files = append(m.result.Files,
		project.NewFile{Path: ".env", Data: text.Bytes(), Mode: 0o600},
		project.NewFile{Path: ".gitignore", Data: []byte(".env\n"), Mode: 0o644})
}

// variableFor names the variable for a secret: the same value has the same one.
func variableFor(s offline.InlineSecret, names, values map[string]string) string {
	if name, ok := names[s.Text]; ok && s.Text != "" {
		return name
	}
	parts := strings.Split(s.Key, ".")
	last := upperSnake(parts[len(parts)-1])
	name := last
	for i := len(parts) - 2; i >= 0; i-- {
		if p := parts[i]; p != "action" && p != "actions" && strings.Trim(p, "0123456789") != "" {
			name = upperSnake(p) + "_" + last
			break
		}
	}
	for base, n := name, 2; values[name] != "" && values[name] != s.Text; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	names[s.Text], values[name] = name, s.Text
	return name
}

func upperSnake(word string) string {
	var b strings.Builder
	for i, r := range word {
		switch {
		case r >= 'A' && r <= 'Z' && i > 0 && word[i-1] >= 'a' && word[i-1] <= 'z':
			b.WriteByte('_')
			b.WriteRune(r)
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return strings.TrimLeft(strings.ToUpper(b.String()), "_0123456789")
}

func lastKey(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
