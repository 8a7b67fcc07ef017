package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// silence limits how long a service may be silent.
type silence struct {
	ctx     context.Context //nolint:containedctx // the request's own
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	timeout time.Duration
}

func watchSilence(ctx context.Context, timeout time.Duration) *silence {
	w := &silence{timeout: timeout}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if timeout > 0 {
		w.timer = time.AfterFunc(timeout, func() { w.cancel(ErrTimeout) })
	}
	return w
}

// answered makes timeout the limit from the head of the answer on.
func (w *silence) answered(timeout time.Duration) {
	if w.timer == nil {
		return
	}
	w.timeout = timeout
	if timeout > 0 {
		w.timer.Reset(timeout)
	} else {
		w.timer.Stop()
		w.timer = nil
	}
}

func (w *silence) alive() {
	if w.timer != nil {
		w.timer.Reset(w.timeout)
	}
}

func (w *silence) end() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// failed says how far a request came; net/http's client repeats by itself what may be repeated.
func (w *silence) failed(err error, sent *clientBody) error {
	e := &Error{Stage: h1.Answering, Err: err, BodyUsed: sent.used()}
	done := w.ctx.Err() != nil
	broken := sent.failure(done)
	if done {
		e.Stage, e.Err = h1.GaveUp, context.Cause(w.ctx)
	}
	var dial *net.OpError
	switch {
	case broken != nil:
		e.Err = fmt.Errorf("%w: %w", ErrBody, broken)
	case !done && errors.As(err, &dial) && dial.Op == "dial":
		e.Stage = h1.Connecting
	}
	return e
}

// watchedBody ends the watch with the body.
type watchedBody struct {
	io.ReadCloser
	watch *silence
}

// Read reads the body, and the service lives.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.alive()
	}
	return n, err
}

// Close closes the body.
func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	b.watch.end()
	return err
}
