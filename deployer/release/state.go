package release

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// State is what egk8s remembers of a release beside Helm's records. It holds no secret.
type State struct {
	Format          int            `json:"format"`
	Version         string         `json:"version"` // of the egk8s that wrote it
	Cloud           string         `json:"cloud,omitempty"`
	Revision        int            `json:"revision"` // the last one that was deployed
	Intent          *Intent        `json:"intent,omitempty"`
	Inventory       []Entry        `json:"inventory,omitempty"`
	Image           string         `json:"image,omitempty"`
	ImageDigests    []string       `json:"imageDigests,omitempty"`
	ConfigDigest    string         `json:"configDigest,omitempty"`
	ConsumersDigest string         `json:"consumersDigest,omitempty"`
	Ports           map[string]int `json:"ports,omitempty"` // of the pods, by listener
	MadeNamespace   bool           `json:"madeNamespace,omitempty"`
	Outside         *Outside       `json:"outside,omitempty"` // nil: nothing was made beyond the cluster

	stored stored // in the Secret
}

// Outside is by what to find again what was made beyond the cluster.
type Outside struct {
	ID    string `json:"id"`    // of the release among all of the cloud's account
	Label string `json:"label"` // DNS label
	// Former are labels of earlier deploys that nodes may still have.
	Former []string `json:"former,omitempty"`
	Way    string   `json:"way"`
	URLs   []string `json:"urls,omitempty"` // under which it answers, the one to hand out first
}

// Intent says what a run is about to do; it is there before the first write and gone after the last.
type Intent struct {
	Revision int          `json:"revision"`
	By       string       `json:"by"`
	Since    time.Time    `json:"since"`
	Objects  []object.Ref `json:"objects,omitempty"` // that it will have made
}

// Entry is what was sent for one object and what the API server made of it.
type Entry struct {
	object.Ref
	UID   string `json:"uid"`
	Sent  string `json:"sent"`  // hash of what we sent
	Owned string `json:"owned"` // hash of the fields that are ours then
}

// Owner is the object that owns what stands beside the records, so that it goes when that goes.
type Owner struct {
	Name string // of the ServiceAccount
	UID  string
}

func (o Owner) references() []any {
	if o.UID == "" {
		return nil
	}
	return []any{map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "name": o.Name, "uid": o.UID}}
}

func (s *Store) stateName() string { return s.Name + "-egk8s" }

// State reads what is remembered; a release that is not known gives an empty State.
func (s *Store) State(ctx context.Context) (*State, error) {
	u, err := s.Cluster.Get(ctx, secretRef(s.Namespace, s.stateName()))
	if cluster.IsNotFound(err) {
		return &State{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", s.Name, err)
	}
	text, _, err := unstructured.NestedString(u.Object, "data", "state")
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", s.Name, err)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", s.Name, err)
	}
	state := &State{stored: stored{version: u.GetResourceVersion(), data: text}}
	if err := json.Unmarshal(raw, state); err != nil {
		return nil, fmt.Errorf("read state of %s: %w", s.Name, err)
	}
	if state.Format > Format {
		return nil, &NewerRecordError{Release: s.Name, Version: state.Version, Format: state.Format}
	}
	return state, nil
}

// Save writes the state, if nobody else wrote it since it was read.
func (s *Store) Save(ctx context.Context, state *State, owner Owner) error {
	state.Format, state.Version = Format, s.Version
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("write state of %s: %w", s.Name, err)
	}
	metadata := map[string]any{"name": s.stateName(), "namespace": s.Namespace, "labels": s.labels()}
	if refs := owner.references(); refs != nil {
		metadata["ownerReferences"] = refs
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "egk8s.dev/state.v1", "metadata": metadata,
		"data": map[string]any{"state": base64.StdEncoding.EncodeToString(raw)},
	}}
	if state.stored, err = s.put(ctx, u, state.stored, "state"); err != nil {
		return fmt.Errorf("write state of %s: %w", s.Name, err)
	}
	return nil
}

// ForgetState removes what is remembered.
func (s *Store) ForgetState(ctx context.Context) error {
	return s.Cluster.Delete(ctx, secretRef(s.Namespace, s.stateName()), "")
}

// labels are those of what egk8s keeps for itself: never those that a Service selects.
func (s *Store) labels() map[string]any {
	return map[string]any{
		"app.kubernetes.io/part-of": "egk8s", "app.kubernetes.io/managed-by": "egk8s", "egk8s.dev/release": s.Name,
	}
}
