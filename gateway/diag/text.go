package diag

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Reader returns the text of a file that a Problem names, so that the lines around it can be shown.
// An error, or a nil Reader, leaves the excerpt out.
type Reader func(file string) ([]byte, error)

// Style is how problems are written.
type Style struct {
	// Colour marks words and carets with ANSI sequences.
	Colour bool
	// Max is how many problems are written in full; 0: all.
	Max int
	// More is the command that shows all of them, for the last line.
	More string
}

// Write writes problems in the order given, as a person reads them: what, where, the lines with a caret,
// did-you-mean, what next; the count last, when there are several.
//
//	error: unknown policy "proxi"
//	 --> gateway.config.yml:14:5
//	  13 | policies:
//	  14 |   - proxi
//	     |     ^^^^^
//	help: did you mean "proxy"?
func Write(w io.Writer, problems Problems, read Reader, style Style) error {
	p := printer{read: read, style: style, lines: map[string][]string{}}
	for i, problem := range problems {
		if style.Max > 0 && i == style.Max {
			break
		}
		p.problem(problem)
	}
	p.count(problems)
	_, err := io.WriteString(w, p.b.String())
	if err != nil {
		return fmt.Errorf("write problems: %w", err)
	}
	return nil
}

// Text is Write to a string.
func Text(problems Problems, read Reader, style Style) string {
	var b strings.Builder
	_ = Write(&b, problems, read, style) // a Builder takes everything
	return b.String()
}

type printer struct {
	b     strings.Builder
	read  Reader
	style Style
	lines map[string][]string
}

// The ANSI sequences: bold red, bold yellow, bold cyan, dim.
const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	cyan   = "\x1b[1;36m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (p *printer) paint(colour, text string) string {
	if !p.style.Colour {
		return text
	}
	return colour + text + reset
}

func (p *printer) problem(d Problem) {
	colour := red
	if d.Severity == Warning {
		colour = yellow
	}
	fmt.Fprintf(&p.b, "%s %s\n", p.paint(colour, string(cmp.Or(d.Severity, Error))+":"), clean(d.Message))
	if d.File != "" {
		fmt.Fprintf(&p.b, "%s %s\n", p.paint(dim, " -->"), d.Position)
		p.excerpt(d, colour)
	}
	if d.Suggestion != "" {
		fmt.Fprintf(&p.b, "%s did you mean %q?\n", p.paint(cyan, "help:"), d.Suggestion)
	}
	if d.Hint != "" {
		fmt.Fprintf(&p.b, "%s %s\n", p.paint(cyan, "hint:"), strings.ReplaceAll(clean(d.Hint), "\n", "\n      "))
	}
}

// excerpt shows the line at fault with a caret line, and the line before it.
func (p *printer) excerpt(d Problem, colour string) {
	lines := p.file(d.File)
	if d.Line < 1 || d.Line > len(lines) {
		return
	}
	width := len(fmt.Sprint(d.Line)) + 2
	gutter := func(n string) string { return p.paint(dim, fmt.Sprintf("%*s |", width, n)) }
	if d.Line > 1 && strings.TrimSpace(lines[d.Line-2]) != "" {
		fmt.Fprintf(&p.b, "%s %s\n", gutter(fmt.Sprint(d.Line-1)), clean(cut(hideSecrets(d.File, lines[d.Line-2]))))
	}
	line := lines[d.Line-1]
	fmt.Fprintf(&p.b, "%s %s\n", gutter(fmt.Sprint(d.Line)), clean(cut(hideSecrets(d.File, line))))
	if d.Column < 1 || d.Column > maxLine {
		return
	}
	before := []rune(line)
	before = before[:min(d.Column-1, len(before))]
	carets := max(1, min(d.Length, utf8.RuneCountInString(line)-len(before)))
	text := strings.Repeat("^", min(carets, maxLine))
	if d.Label != "" {
		text += " " + clean(d.Label)
	}
	fmt.Fprintf(&p.b, "%s %s%s\n", gutter(""), blank(before), p.paint(colour, text))
}

// maxLine is how many characters of a line are shown.
const maxLine = 160

func cut(line string) string {
	if r := []rune(line); len(r) > maxLine {
		return string(r[:maxLine]) + "…"
	}
	return line
}

// blank is as wide as text, which keeps its tabs: they are as wide below as above.
func blank(text []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text))
}

// clean takes away what could move a terminal's cursor or change its colours.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\ufffd'
		}
		return r
	}, text)
}

func (p *printer) file(name string) []string {
	if lines, ok := p.lines[name]; ok {
		return lines
	}
	var lines []string
	if p.read != nil {
		if text, err := p.read(name); err == nil {
			for line := range strings.SplitSeq(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
				lines = append(lines, strings.TrimSuffix(line, "\r"))
			}
		}
	}
	p.lines[name] = lines
	return lines
}

// count is the last line when there are several problems, or some were not shown.
func (p *printer) count(problems Problems) {
	if len(problems) < 2 {
		return
	}
	where := problems[0].File
	errors := 0
	for _, d := range problems {
		if d.File != where {
			where = ""
		}
		if d.Severity != Warning {
			errors++
		}
	}
	text := plural(len(problems), "problem")
	if warnings := len(problems) - errors; warnings > 0 && errors > 0 {
		text = plural(errors, "error") + " and " + plural(warnings, "warning")
	} else if errors == 0 {
		text = plural(warnings, "warning")
	}
	if where != "" {
		text += " in " + where
	}
	if p.style.Max > 0 && len(problems) > p.style.Max && p.style.More != "" {
		text += " (see all: " + p.style.More + ")"
	}
	p.b.WriteString(text + "\n")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
