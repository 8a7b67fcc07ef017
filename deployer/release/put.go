package release

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// stored is what a Secret of ours held when it was last read or written; the zero value: there is none.
type stored struct {
	version string // of the Secret
	data    string // under the one key that counts
}

// put writes a Secret of ours in place of what it held. Where somebody touched the Secret and left its contents
// alone (labels, owners, a backup), it is written over the new version; contents that changed are a conflict.
func (s *Store) put(ctx context.Context, u *unstructured.Unstructured, was stored, key string) (stored, error) {
	const rounds = 4
	data, _, err := unstructured.NestedString(u.Object, "data", key)
	if err != nil {
		return was, err
	}
	if was.version == "" {
		out, err := s.Cluster.Create(ctx, u)
		if err != nil {
			return was, err
		}
		return stored{version: out.GetResourceVersion(), data: data}, nil
	}
	for round := 1; ; round++ {
		u.SetResourceVersion(was.version)
		out, err := s.Cluster.Update(ctx, u)
		if err == nil {
			return stored{version: out.GetResourceVersion(), data: data}, nil
		}
		if !cluster.IsConflict(err) || round == rounds {
			return was, err
		}
		live, getErr := s.Cluster.Get(ctx, object.Of(u))
		if getErr != nil {
			return was, err
		}
		if now, _, _ := unstructured.NestedString(live.Object, "data", key); now != was.data {
			return was, err
		}
		was.version = live.GetResourceVersion()
	}
}
