// Package prompt asks questions, a line each. The answers come from standard input, the questions go to
// standard error. The end of the input is never taken for an answer.
package prompt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/stdio"
)

// Prompter asks questions one after the other.
type Prompter struct {
	w     io.Writer
	lines chan line
	in    *bufio.Reader
}

type line struct {
	text string
	err  error
}

// New returns a Prompter over the streams. All questions of a command go through one, because it
// reads ahead.
func New(s *stdio.Streams) *Prompter {
	return &Prompter{w: s.Err, in: bufio.NewReader(s.In), lines: make(chan line, 1)}
}

// Text asks for a line of text. An empty answer means fallback; flag is what would have given the answer
// without a question.
func (p *Prompter) Text(ctx context.Context, question, fallback, flag string) (string, error) {
	if fallback != "" {
		question += " [" + fallback + "]"
	}
	answer, err := p.ask(ctx, question+": ", flag)
	if answer == "" {
		answer = fallback
	}
	return answer, err
}

// Checked is Text until check accepts the answer; what it says against one is told.
func (p *Prompter) Checked(ctx context.Context, question, fallback, flag string, check func(string) error) (string, error) {
	for {
		answer, err := p.Text(ctx, question, fallback, flag)
		if err != nil {
			return "", err
		}
		if err = check(answer); err == nil {
			return answer, nil
		}
		fmt.Fprintf(p.w, "%v\n", err)
	}
}

// Choice asks for one of several names, by name or number. An empty answer means the first.
func (p *Prompter) Choice(ctx context.Context, question string, names []string, flag string) (string, error) {
	numbered := make([]string, len(names))
	for i, n := range names {
		numbered[i] = fmt.Sprintf("%d %s", i+1, n)
	}
	for {
		answer, err := p.ask(ctx, fmt.Sprintf("%s %s [1]: ", question, strings.Join(numbered, ", ")), flag)
		if err != nil {
			return "", err
		}
		if answer == "" {
			return names[0], nil
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(names) {
			return names[n-1], nil
		}
		for _, n := range names {
			if strings.EqualFold(n, answer) {
				return n, nil
			}
		}
		fmt.Fprintf(p.w, "%q is not one of them.\n", answer)
	}
}

// Confirm asks a question that only y or yes agrees to.
func (p *Prompter) Confirm(ctx context.Context, question, flag string) (bool, error) {
	answer, err := p.ask(ctx, question+" (y/N) ", flag)
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", err
}

// ask writes the question and waits for a line or the end of ctx, whichever is first.
func (p *Prompter) ask(ctx context.Context, question, flag string) (string, error) {
	fmt.Fprint(p.w, question)
	go func() {
		text, err := p.in.ReadString('\n')
		p.lines <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.w)
		return "", context.Cause(ctx)
	case l := <-p.lines:
		if errors.Is(l.err, io.EOF) && l.text == "" {
			fmt.Fprintln(p.w)
			return "", Missing(flag)
		}
		if l.err != nil && !errors.Is(l.err, io.EOF) {
			return "", fmt.Errorf("read answer: %w", l.err)
		}
		return strings.TrimSpace(l.text), nil
	}
}

// Missing is the error for an answer that nobody gave.
func Missing(flag string) error {
	return &exit.UsageError{
		Message: "an answer is missing: " + flag,
		Hint:    []string{"give it on the command line; without questions every answer comes from a flag"},
	}
}
