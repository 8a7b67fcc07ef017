package prompt_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/prompt"
	"egk8s.dev/egk8s/cmd/internal/stdio"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	streams, buffers := stdio.Test(nil)
	buffers.In.WriteString("\nmars\n5\n2\n\ny\nno end")
	p := prompt.New(streams)
	ctx := t.Context()
	if got, err := p.Text(ctx, "Name", "shop", "--name"); got != "shop" || err != nil {
		t.Errorf("an empty answer gives %q, %v; want the default", got, err)
	}
	// mars and 5 are no choices: it asks again and reads the next line, not a line that it read ahead.
	if got, err := p.Choice(ctx, "Where?", []string{"kind", "gke"}, "--cloud"); got != "gke" || err != nil {
		t.Errorf("got %q, %v; want gke", got, err)
	}
	if got, err := p.Choice(ctx, "Where?", []string{"kind", "gke"}, "--cloud"); got != "kind" || err != nil {
		t.Errorf("got %q, %v; want the first", got, err)
	}
	if yes, err := p.Confirm(ctx, "Sure?", "--yes"); !yes || err != nil {
		t.Errorf("got %t, %v; want yes", yes, err)
	}
	if got, err := p.Text(ctx, "Last", "", "--last"); got != "no end" || err != nil {
		t.Errorf("a last line without end gives %q, %v", got, err)
	}
	if _, err := p.Text(ctx, "More", "default", "--more"); exit.Of(err) != exit.Usage || !strings.Contains(err.Error(), "--more") {
		t.Errorf("the end of the input gives %v, want a usage error that names --more", err)
	}
}

// TestChecked: an answer that will not do is asked for again, at once and not after the last question.
func TestChecked(t *testing.T) {
	t.Parallel()
	streams, buffers := stdio.Test(nil)
	buffers.In.WriteString("Shop\nshop\n")
	check := func(name string) error {
		if name != "shop" {
			return errors.New("lower case please")
		}
		return nil
	}
	got, err := prompt.New(streams).Checked(t.Context(), "Name", "x", "--name", check)
	if got != "shop" || err != nil {
		t.Errorf("got %q, %v; want shop", got, err)
	}
	if want := "Name [x]: lower case please\nName [x]: "; buffers.Err.String() != want {
		t.Errorf("said %q, want %q", buffers.Err.String(), want)
	}
}

func TestInterruptedWhileAsking(t *testing.T) {
	t.Parallel()
	streams, _ := stdio.Test(nil)
	r, w := io.Pipe() // nobody ever answers
	t.Cleanup(func() { _ = w.Close() })
	streams.In = r
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("ctrl+c")
	cancel(reason)
	if _, err := prompt.New(streams).Text(ctx, "Name", "shop", "--name"); !errors.Is(err, reason) {
		t.Errorf("got %v, want the reason of the interrupt", err)
	}
}
