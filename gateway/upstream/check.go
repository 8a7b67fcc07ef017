package upstream

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

// maxChecked is how much of the answer to a check is read, so that the connection can be kept.
const maxChecked = 64 << 10

// check asks every endpoint at an interval whether it is well, until ctx ends. A new endpoint counts as well:
// Kubernetes lists pods that are ready only.
func (s *Service) check(ctx context.Context) {
	ticker := time.NewTicker(s.balance.Health.Interval)
	defer ticker.Stop()
	for {
		s.checkAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Service) checkAll(ctx context.Context) {
	s.mu.Lock()
	var list []*Endpoint
	for _, o := range s.origins {
		list = append(list, o.endpoints...)
	}
	s.mu.Unlock()
	results := make([]error, len(list))
	var asked sync.WaitGroup
	for i, e := range list {
		asked.Go(func() { results[i] = e.checkOnce(ctx, s.balance.Health) })
	}
	asked.Wait()
	if ctx.Err() != nil {
		return
	}
	changed := false
	for i, e := range list {
		if e.judge(results[i], s.balance.Health) {
			changed = true
			s.log.Warn("health of endpoint changed", "service", s.name, "endpoint", e.address, "healthy", results[i] == nil, "error", results[i])
		}
	}
	if changed {
		s.mu.Lock()
		s.rebuild()
		s.mu.Unlock()
	}
}

// checkOnce returns why an endpoint is not well.
func (e *Endpoint) checkOnce(ctx context.Context, h Health) error {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	header := message.NewHeader(1)
	header.Set("User-Agent", "egk8s-health-check")
	resp, err := e.target.Send(ctx, &Request{Method: "GET", Path: h.Path, Header: header})
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxChecked)
	_ = resp.Body.Close()
	if resp.Status < h.From || resp.Status > h.To {
		return fmt.Errorf("check %s: the status is %d", h.Path, resp.Status)
	}
	return nil
}

// judge counts a result and tells whether it changed the endpoint's state.
func (e *Endpoint) judge(result error, h Health) bool {
	ill := e.unhealthy.Load()
	if ill == (result != nil) {
		e.streak = 0
		return false
	}
	need := h.Unhealthy
	if ill {
		need = h.Healthy
	}
	if e.streak++; e.streak < need {
		return false
	}
	e.streak = 0
	e.unhealthy.Store(!ill)
	return true
}
