package upstream

import (
	"errors"
	"time"
)

// answered notes an answer of e.
func (s *Service) answered(e *Endpoint, status int) {
	e.answers[min(max(status/100, 0), len(e.answers)-1)].Add(1)
	if e.failures.Load() != 0 {
		e.failures.Store(0)
	}
	limit := int64(s.balance.Ejection.ServerErrors)
	if limit == 0 {
		return
	}
	if status < 502 || status > 504 {
		e.serverErrors.Store(0)
	} else if n := e.serverErrors.Add(1); n >= limit && n%limit == 0 {
		s.eject(e, errors.New("it answers with server errors"))
	}
}

// missed notes that e gave no answer.
func (s *Service) missed(e *Endpoint, f failure, err error) {
	e.failed[f].Add(1)
	limit := int64(s.balance.Ejection.Failures)
	// An endpoint that may not sit out is asked about again after every further limit only: not every
	// request of a service that is down takes the lock.
	if n := e.failures.Add(1); limit > 0 && n >= limit && n%limit == 0 {
		s.eject(e, err)
	}
}

// eject lets e sit out for a time that doubles with every time in a row, unless too many sit out already.
func (s *Service) eject(e *Endpoint, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running || e.gone || e.out.Load() || !s.mayEject() {
		return
	}
	o := s.balance.Ejection
	if !e.returned.IsZero() && time.Since(e.returned) > o.MaxTime {
		e.strikes = 0 // it did well in between
	}
	wait := o.MaxTime
	if e.strikes < 30 {
		wait = min(o.Time<<e.strikes, o.MaxTime)
	}
	e.strikes++
	e.ejections.Add(1)
	e.out.Store(true)
	e.readmit = time.AfterFunc(wait, func() { s.readmit(e) })
	s.rebuild()
	s.log.Warn("endpoint sits out", "service", s.name, "endpoint", e.address, "for", wait.String(), "error", why)
}

// mayEject holds the share of endpoints that sit out; the caller holds the lock.
func (s *Service) mayEject() bool {
	total, out := 0, 0
	for _, o := range s.origins {
		for _, e := range o.endpoints {
			total++
			if e.out.Load() {
				out++
			}
		}
	}
	limit := max(total*s.balance.Ejection.MaxShare/100, 1)
	return out < min(limit, total-1)
}

// readmit gives e another chance. It is on probation: one more failure sends it away again, and for longer.
func (s *Service) readmit(e *Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running || e.gone || !e.out.Load() {
		return
	}
	e.failures.Store(int64(max(s.balance.Ejection.Failures-1, 0)))
	e.serverErrors.Store(int64(max(s.balance.Ejection.ServerErrors-1, 0)))
	e.returned = time.Now()
	e.out.Store(false)
	s.rebuild()
	s.log.Info("endpoint is tried again", "service", s.name, "endpoint", e.address)
}
