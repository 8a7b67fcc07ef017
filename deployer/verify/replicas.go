// Package verify proves that a release serves what was just deployed: every replica has loaded the
// config, and requests sent inside the cluster are answered as they should be.
package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/diag"
)

// Asker sends a GET to a port of a pod through the API server.
type Asker interface {
	PodGet(ctx context.Context, namespace, pod string, port int, path string) (int, []byte, error)
}

// Pod is one replica.
type Pod struct {
	Name, IP string
}

// Status is what a replica says of itself at /egk8s/status.
type Status struct {
	Pod             string    `json:"-"`
	Version         string    `json:"version"`
	LoadedDigest    string    `json:"loadedDigest"`
	ExpectedDigest  string    `json:"expectedDigest"`
	ConsumersDigest string    `json:"consumersDigest"`
	Since           time.Time `json:"since"`
	Reason          string    `json:"reason"` // why it is not ready; empty: it is
	Problems        []string  `json:"-"`
	Err             error     `json:"-"` // it did not answer
}

// Want is what every replica must have loaded; an empty field is not asked for.
type Want struct {
	Config    string
	Consumers string
}

// wrong says how a replica differs; empty: not at all.
func (w Want) wrong(s Status) string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case w.Config != "" && s.LoadedDigest != w.Config:
		return fmt.Sprintf("it has loaded config %s, not %s", Short(s.LoadedDigest), Short(w.Config))
	case w.Consumers != "" && s.ConsumersDigest != w.Consumers:
		return fmt.Sprintf("it has loaded consumers %s, not %s", Short(s.ConsumersDigest), Short(w.Consumers))
	default:
		return ""
	}
}

// Short is the beginning of a digest, as views show it.
func Short(digest string) string {
	const length = 10
	if digest == "" {
		return "none"
	}
	return digest[:min(length, len(digest))]
}

// How long a replica may take to answer, how often it is asked, and for how long its answer may be
// another one: consumers reach a running pod only when its kubelet looks again.
const (
	answerTime = 2 * time.Second
	askEvery   = 300 * time.Millisecond
	consumers  = 90 * time.Second
	config     = 10 * time.Second
)

// Replicas asks every pod once, at the same time.
func Replicas(ctx context.Context, a Asker, namespace string, port int, pods []Pod) []Status {
	out := make([]Status, len(pods))
	var all sync.WaitGroup
	for i, p := range pods {
		all.Go(func() { out[i] = ask(ctx, a, namespace, port, p) })
	}
	all.Wait()
	return out
}

func ask(ctx context.Context, a Asker, namespace string, port int, p Pod) Status {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	code, body, err := a.PodGet(ctx, namespace, p.Name, port, "/egk8s/status")
	switch {
	case err != nil:
		return Status{Pod: p.Name, Err: fmt.Errorf("it did not answer: %w", err)}
	case code != http.StatusOK:
		return Status{Pod: p.Name, Err: fmt.Errorf("its status was answered with HTTP %d", code)}
	default:
		return parse(p.Name, body)
	}
}

func parse(pod string, body []byte) Status {
	s := Status{Pod: pod}
	if err := json.Unmarshal(body, &s); err != nil {
		return Status{Pod: pod, Err: fmt.Errorf("its status is not JSON: %w", err)}
	}
	var extra struct {
		Problems diag.Problems `json:"problems"`
	}
	_ = json.Unmarshal(body, &extra) // the same bytes were JSON a moment ago
	for _, p := range extra.Problems {
		s.Problems = append(s.Problems, p.String())
	}
	return s
}

// Wait asks the pods until all have loaded what is wanted, for a bounded time, and returns the last
// answers and a cause for every pod that differs. Pods that do not answer through the API server are
// in unreached: the prober must ask them.
func Wait(ctx context.Context, a Asker, namespace string, port int, pods []Pod, want Want) (states []Status, causes []event.Cause, unreached []Pod) {
	limit := config
	if want.Consumers != "" {
		limit = consumers
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		states = Replicas(ctx, a, namespace, port, pods)
		causes, unreached = nil, nil
		for i, s := range states {
			if s.Err != nil {
				unreached = append(unreached, pods[i])
			}
			if wrong := want.wrong(s); wrong != "" && s.Err == nil {
				causes = append(causes, Differs(s.Pod, wrong))
			}
		}
		if len(causes) == 0 {
			return states, nil, unreached
		}
		select {
		case <-ctx.Done():
			return states, causes, unreached
		case <-tick.C:
		}
	}
}

// Differs is the cause that a replica serves something else.
func Differs(pod, how string) event.Cause {
	return event.Cause{
		Code: "digest-differs", Object: "Pod/" + pod, Reason: "ConfigDigest",
		Message: "the replica does not serve what was deployed: " + how,
		Next:    []string{"egk8s status", "egk8s logs --pod " + pod},
	}
}
