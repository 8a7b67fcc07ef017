package expr_test

import (
	"sync"
	"testing"

	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// slowSink is a client that takes nothing until it is let go.
type slowSink struct{ reached, release chan struct{} }

func (s slowSink) WriteHead(int)            {}
func (s slowSink) Flush() error             { return nil }
func (s slowSink) Trailer(string, []string) {}
func (s slowSink) Write(p []byte) (int, error) {
	s.reached <- struct{}{}
	<-s.release
	return len(p), nil
}

// TestSlowClientsKeepNobodyFromRunning: few scripts run at a time, and more clients than that may be slow.
func TestSlowClientsKeepNobodyFromRunning(t *testing.T) {
	t.Parallel()
	const clients = 16
	code, err := expr.Compile(`res.status(201).send('x'); res.setHeader('x-late', '1'); res.status(500); res.send('y')`)
	if err != nil {
		t.Fatal(err)
	}
	sink := slowSink{make(chan struct{}, clients), make(chan struct{})}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			x := exchange()
			x.Response = message.NewResponse(message.NewHeader(4), sink)
			_, err := code.Eval(x)
			if err != nil || x.Response.Status() != 201 || x.Response.Bytes() != 1 || x.Response.Header.Has("X-Late") {
				t.Errorf("%v; status %d, %d bytes, %v", err, x.Response.Status(), x.Response.Bytes(), x.Response.Header.Map())
				sink.reached <- struct{}{}
			}
		})
	}
	for range clients {
		<-sink.reached
	}
	close(sink.release)
	all.Wait()
}
