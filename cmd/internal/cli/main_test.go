package cli

import (
	"os"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// TestASecondSignalEndsAtOnce holds that a command that does not listen is left behind by the second
// signal, and that what must be undone is undone.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		a, _ := newTestApp(nil)
		hang, reached := make(chan struct{}), make(chan struct{}, 1)
		a.Getenv = func(string) string {
			select {
			case reached <- struct{}{}:
			default:
			}
			<-hang
			return ""
		}
		undone := false
		a.IO.OnAbort(func() { undone = true })
		signals := make(chan os.Signal, 2)
		code := make(chan exit.Code, 1)
		go func() { code <- run(a, []string{"version"}, signals) }()
		<-reached
		signals <- s
		select {
		case got := <-code:
			t.Errorf("%v: the first signal ended it with %d", s, got)
		case <-time.After(20 * time.Millisecond):
		}
		signals <- s
		select {
		case got := <-code:
			if want := exit.Of(&exit.SignalError{Signal: s}); got != want {
				t.Errorf("%v: exit code %d, want %d", s, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%v: the second signal did not end it", s)
		}
		if !undone {
			t.Errorf("%v: the terminal was not restored", s)
		}
		close(hang)
	}
}
