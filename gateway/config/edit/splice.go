package edit

import (
	"encoding/json"
	"strings"

	"egk8s.dev/egk8s/gateway/config/yaml"
)

// Every function here returns candidates; whether one reads as wanted is looked at by choose.

// isBlock tells a block map or list of at least one entry from one in brackets.
func isBlock(text string, n *yaml.Node) bool {
	if n == nil || n.Start >= len(text) || n.Start >= n.End {
		return false
	}
	return text[n.Start] != '{' && text[n.Start] != '['
}

// column is how many bytes stand before a place on its line.
func column(text string, at int) int { return at - (strings.LastIndexByte(text[:at], '\n') + 1) }

// lineEnd is the place behind the line of at, its line break included.
func lineEnd(text string, at int) int {
	if at > 0 && text[at-1] == '\n' {
		return at
	}
	if next := strings.IndexByte(text[at:], '\n'); next >= 0 {
		return at + next + 1
	}
	return len(text)
}

// behindColon is the place behind the colon of a key.
func behindColon(text string, p *yaml.Pair) (int, bool) {
	colon := strings.IndexByte(text[p.Key.End:], ':')
	if colon < 0 || strings.TrimSpace(text[p.Key.End:p.Key.End+colon]) != "" {
		return 0, false
	}
	return p.Key.End + colon + 1, true
}

func key(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			quoted, err := json.Marshal(name)
			if err != nil {
				return name
			}
			return string(quoted)
		}
	}
	return name
}

// setEntry replaces or adds one entry of a block map.
func setEntry(text string, section *yaml.Node, name string, value any) []string {
	if !isBlock(text, section) || section.Kind != yaml.Map || len(section.Pairs) == 0 {
		return nil
	}
	indent := column(text, section.Pairs[0].Key.Start)
	if p := section.Pair(name); p != nil {
		return replaceValue(text, p, value, indent+2)
	}
	last := section.Pairs[len(section.Pairs)-1]
	at := lineEnd(text, max(last.Value.End, last.Key.End+1))
	return insertAll(text, at, strings.Repeat(" ", indent)+key(name)+":", forms(value, indent+2))
}

func insertAll(text string, at int, head string, tails []string) []string {
	before := text[:at]
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	var out []string
	for _, tail := range tails {
		out = append(out, before+head+tail+"\n"+text[at:])
	}
	return out
}

// replaceValue puts another value behind a key; a comment behind the old one stays.
func replaceValue(text string, p *yaml.Pair, value any, indent int) []string {
	from, ok := behindColon(text, p)
	if !ok {
		return nil
	}
	to := max(from, p.Value.End)
	rest := text[to:]
	if to > 0 && text[to-1] == '\n' {
		rest = "\n" + rest
	}
	var out []string
	for _, form := range forms(value, indent) {
		out = append(out, text[:from]+form+rest)
	}
	return out
}

// deleteEntry takes the lines of one entry out of a block map.
func deleteEntry(text string, section *yaml.Node, name string) []string {
	if !isBlock(text, section) || len(section.Pairs) < 2 {
		return nil
	}
	p := section.Pair(name)
	from := p.Key.Start - column(text, p.Key.Start)
	to := lineEnd(text, max(p.Value.End, p.Key.End+1))
	return []string{text[:from] + text[to:]}
}

// appendItem adds an item to a block list.
func appendItem(text string, list *yaml.Node, item string) []string {
	if !isBlock(text, list) || len(list.Items) == 0 {
		return nil
	}
	last := list.Items[len(list.Items)-1]
	dash := strings.LastIndexByte(text[:last.Start], '-')
	if dash < 0 {
		return nil
	}
	return insertAll(text, lineEnd(text, last.End), strings.Repeat(" ", column(text, dash))+"- "+key(item), []string{""})
}

// removeItem takes the line of an item out of a block list.
func removeItem(text string, list *yaml.Node, item string) []string {
	if !isBlock(text, list) || len(list.Items) < 2 {
		return nil
	}
	for _, have := range list.Items {
		if have.Value == item {
			return []string{text[:have.Start-column(text, have.Start)] + text[lineEnd(text, have.End):]}
		}
	}
	return nil
}

// replaceSection writes a whole section anew, at its place or at the end of the file.
func replaceSection(text string, root *yaml.Node, section string, value any) []string {
	if p := root.Pair(section); p != nil {
		return replaceValue(text, p, value, column(text, p.Key.Start)+2)
	}
	return insertAll(text, len(text), section+":", forms(value, 2))
}
