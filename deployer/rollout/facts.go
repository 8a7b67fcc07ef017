package rollout

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Fact names something that a verdict may need beside the Deployment, its ReplicaSets, pods and events.
// It is read once a rule asks for it, and only where that is allowed: most rollouts need none but Endpoints.
type Fact string

// The facts that are the same for every pod.
const (
	Claims    Fact = "claims"    // the namespace's PersistentVolumeClaims
	Endpoints Fact = "endpoints" // the Service and its EndpointSlices
	Namespace Fact = "namespace" // the namespace itself
)

const (
	nodePrefix   = "node/"
	answerPrefix = "answer/"
)

// NodeFact is the node of that name.
func NodeFact(name string) Fact { return Fact(nodePrefix + name) }

// AnswerFact is what a running pod says of itself.
func AnswerFact(pod string) Fact { return Fact(answerPrefix + pod) }

func (f Fact) node() (string, bool) { return strings.CutPrefix(string(f), nodePrefix) }
func (f Fact) pod() (string, bool)  { return strings.CutPrefix(string(f), answerPrefix) }

// Answer is what a running gateway says of itself.
type Answer struct {
	Loaded, Expected string // digests of configurations
	Reason           string // why it is not ready; empty: it does not say
}

// knowledge is how far a fact is known.
type knowledge int

const (
	unread knowledge = iota // asked for now
	known                   // read
	barred                  // it may not be read, or there is no such kind
)

// know tells how far a fact is known; one that nobody asked for yet is asked for.
func (j *judge) know(f Fact) knowledge {
	read, asked := j.s.Known[f]
	switch {
	case asked && read:
		return known
	case asked:
		return barred
	case !slices.Contains(j.v.Lacks, f):
		j.v.Lacks = append(j.v.Lacks, f)
	}
	return unread
}

// claim finds a PersistentVolumeClaim; nil: there is none of that name.
func (s *Snapshot) claim(name string) *corev1.PersistentVolumeClaim {
	for _, c := range s.Claims {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// node finds a node; nil: it is not there, or nobody may look.
func (s *Snapshot) node(name string) *corev1.Node {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// told is the message of the newest event with one of the reasons; empty: there is none.
func (s *Snapshot) told(uid types.UID, reasons ...string) string {
	if e := s.lastEvent(uid, reasons...); e != nil {
		return e.Message
	}
	return ""
}
