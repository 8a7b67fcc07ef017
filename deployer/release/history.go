package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// Limit is how many revisions are kept, as helm does.
const Limit = 10

// Cluster is what the store needs of the API server.
type Cluster interface {
	Get(context.Context, object.Ref) (*unstructured.Unstructured, error)
	List(context.Context, cluster.Selection) ([]*unstructured.Unstructured, error)
	Create(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Update(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Delete(context.Context, object.Ref, types.UID) error
}

// Store keeps one release's records, state and lock in its namespace.
type Store struct {
	Cluster   Cluster
	Name      string
	Namespace string
	Version   string           // of egk8s
	Now       func() time.Time // the clock
}

// History are the revisions of a release, oldest first.
type History struct {
	Records []*Record
}

// History reads all revisions.
func (s *Store) History(ctx context.Context) (*History, error) {
	list, err := s.Cluster.List(ctx, cluster.Selection{
		Kind: secretRef("", ""), Namespace: s.Namespace, Labels: "owner=helm,name=" + s.Name,
	})
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", s.Name, err)
	}
	h := &History{}
	for _, u := range list {
		r, err := decode(u)
		if err != nil {
			return nil, err
		}
		h.Records = append(h.Records, r)
	}
	slices.SortFunc(h.Records, func(a, b *Record) int { return a.Revision - b.Revision })
	if n := h.Newest(); n != nil && n.Format > Format {
		return nil, &NewerRecordError{Release: s.Name, Version: n.Version, Format: n.Format}
	}
	return h, nil
}

// Newest returns the last revision whatever became of it; nil: there is none.
func (h *History) Newest() *Record {
	if len(h.Records) == 0 {
		return nil
	}
	return h.Records[len(h.Records)-1]
}

// Deployed returns the last revision that is deployed; nil: none is.
func (h *History) Deployed() *Record {
	for _, r := range slices.Backward(h.Records) {
		if r.Status == Deployed {
			return r
		}
	}
	return nil
}

// Begin writes the record of a run that has not ended yet. What a killed run left pending is marked
// as failed first.
func (s *Store) Begin(ctx context.Context, h *History, c Content, description string) (*Record, error) {
	now := s.Now()
	r := &Record{ours: true, Revision: 1, Format: Format, Version: s.Version, Manifest: c.Manifest, Values: c.Values, First: now}
	status := PendingInstall
	if n := h.Newest(); n != nil {
		r.Revision, status = n.Revision+1, PendingUpgrade
		if !h.Records[0].First.IsZero() {
			r.First = h.Records[0].First
		}
		if n.Status.Pending() {
			if err := s.finish(ctx, n, Failed, "interrupted"); err != nil {
				return nil, err
			}
		}
	}
	r.release = &helm.Release{
		Name: s.Name, Namespace: s.Namespace, Version: r.Revision,
		Chart: c.Chart, Config: c.Values, Manifest: c.Manifest,
		Info: &helm.Info{FirstDeployed: helmtime.Time{Time: r.First}, Notes: c.Notes},
	}
	r.set(status, description, now)
	u, err := encode(r, s.Namespace)
	if err != nil {
		return nil, err
	}
	if r.stored, err = s.put(ctx, u, stored{}, "release"); err != nil {
		return nil, fmt.Errorf("record revision %d: %w", r.Revision, err)
	}
	h.Records = append(h.Records, r)
	return r, nil
}

// Finish says what became of the newest revision. One that is deployed makes those before superseded
// and removes what is beyond the limit.
func (s *Store) Finish(ctx context.Context, h *History, status Status, description string) error {
	newest := h.Newest()
	if err := s.finish(ctx, newest, status, description); err != nil {
		return err
	}
	if status != Deployed {
		return nil
	}
	for _, r := range h.Records[:len(h.Records)-1] {
		if r.Status != Deployed {
			continue
		}
		if err := s.finish(ctx, r, Superseded, r.Description); err != nil {
			return err
		}
	}
	for len(h.Records) > Limit {
		ref := secretRef(s.Namespace, recordName(s.Name, h.Records[0].Revision))
		if err := s.Cluster.Delete(ctx, ref, ""); err != nil {
			return fmt.Errorf("remove revision %d: %w", h.Records[0].Revision, err)
		}
		h.Records = h.Records[1:]
	}
	return nil
}

func (s *Store) finish(ctx context.Context, r *Record, status Status, description string) error {
	updated := r.Updated
	r.set(status, description, s.Now())
	if status == Superseded { // helm keeps the time of the deploy
		r.Updated = updated
		r.release.Info.LastDeployed = helmtime.Time{Time: updated}
	}
	u, err := encode(r, s.Namespace)
	if err != nil {
		return err
	}
	if r.stored, err = s.put(ctx, u, r.stored, "release"); err != nil {
		return fmt.Errorf("record revision %d as %s: %w", r.Revision, status, err)
	}
	return nil
}

// Forget removes all records.
func (s *Store) Forget(ctx context.Context, h *History) error {
	for _, r := range h.Records {
		if err := s.Cluster.Delete(ctx, secretRef(s.Namespace, recordName(s.Name, r.Revision)), ""); err != nil {
			return fmt.Errorf("remove revision %d: %w", r.Revision, err)
		}
	}
	return nil
}

// Releases returns the names of all releases of a namespace that egk8s made.
func Releases(ctx context.Context, c Cluster, namespace string) ([]string, error) {
	list, err := c.List(ctx, cluster.Selection{Kind: secretRef("", ""), Namespace: namespace, Labels: "owner=helm," + formatLabel})
	if err != nil {
		return nil, fmt.Errorf("list releases: %w", err)
	}
	var names []string
	for _, u := range list {
		names = append(names, u.GetLabels()["name"])
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func secretRef(namespace, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}
