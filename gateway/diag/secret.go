package diag

import (
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// hideSecrets replaces the values of passwords and secrets in a line of Express Gateway's files by as many stars:
// an excerpt may end in the log of a pipeline. References such as ${NAME} are no secrets and stay.
func hideSecrets(file, line string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if !strings.HasPrefix(base, "system.config.") && !strings.HasPrefix(base, "gateway.config.") {
		return line
	}
	var b strings.Builder
	last := 0
	for _, m := range secretPattern.FindAllStringSubmatchIndex(line, -1) {
		value := line[m[2]:m[3]]
		if strings.Contains(value, "${") {
			continue
		}
		b.WriteString(line[last:m[2]])
		b.WriteString(strings.Repeat("*", utf8.RuneCountInString(value)))
		last = m[3]
	}
	return b.String() + line[last:]
}

// secretPattern finds the value behind a key that names a secret.
var secretPattern = regexp.MustCompile(`(?i)\b(?:password|passphrase|secret|cipherkey|secretor(?:public|private)key|authorization_value|auth)["']?\s*:\s+("[^"]*"?|'[^']*'?|[^\s"',{}\[\]&*|>][^,}\]]*)`)
