package cloudapi

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
)

// Fault answers requests instead of the datacenter.
type Fault struct {
	Method string         // empty: any
	Path   *regexp.Regexp // nil: any
	Times  int            // how often; 0: always
	Skip   int            // requests that match and pass first
	// Status and Code are the answer; Status 0 cuts the connection.
	Status     int
	Code       string
	RetryAfter string
	// After lets the datacenter do what was asked, and then cuts the connection.
	After bool

	used int
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.lost = nil, map[string]bool{}
}

// Lose lets new machines not get the network of that name.
func (s *Server) Lose(network string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.Networks {
		if n.Name == network {
			s.lost[n.ID] = true
		}
	}
}

// FailNext lets the next new machine fail.
func (s *Server) FailNext() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = true
}

func (s *Server) fault(r *http.Request) *Fault {
	for _, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || f.Path != nil && !f.Path.MatchString(r.URL.Path) {
			continue
		}
		f.used++
		if n := f.used - f.Skip; n < 1 || f.Times > 0 && n > f.Times {
			continue
		}
		if f.After {
			_, _ = s.serve(r)
		}
		return f
	}
	return nil
}

func (f *Fault) answer(w http.ResponseWriter) bool {
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	data, err := json.Marshal(map[string]string{"code": f.Code, "message": "injected"})
	if err != nil {
		return false
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(f.Status)
	_, _ = w.Write(data)
	return true
}
