package deployer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/release"
)

// Revision is one entry of a release's history.
type Revision struct {
	Revision     int            `json:"revision"`
	Status       release.Status `json:"status"`  // Helm's word: deployed, superseded, failed, pending-upgrade
	Current      bool           `json:"current"` // the last one that was deployed
	Updated      time.Time      `json:"updated"`
	Description  string         `json:"description"`
	By           string         `json:"by"` // "egk8s VERSION" or "helm"
	Image        string         `json:"image,omitempty"`
	ConfigDigest string         `json:"configDigest,omitempty"`
	// Missing are objects that its pods mount and that are gone: with any, it cannot come back.
	Missing []string `json:"missing,omitempty"`
}

// HistoryResult are the revisions of a release, newest first; `-o json` prints it.
type HistoryResult struct {
	APIVersion string     `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string     `json:"kind"`       // History
	Name       string     `json:"name"`
	Context    string     `json:"context"`
	Namespace  string     `json:"namespace"`
	Revisions  []Revision `json:"revisions"`
}

// History reads the revisions of a release. Nothing under that name gives a NotDeployedError.
func History(ctx context.Context, opts StatusOptions) (*HistoryResult, error) {
	limit := cmp.Or(opts.Timeout, 30*time.Second)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return nil, err
	}
	result, err := s.readHistory(limited)
	if err != nil {
		return nil, ended(limited, err, limit, nil, nil, nil)
	}
	return result, nil
}

func (s *session) readHistory(ctx context.Context) (*HistoryResult, error) {
	history, err := s.store.History(ctx)
	if err != nil {
		return nil, err
	}
	if history.Newest() == nil {
		return nil, s.notDeployed(ctx)
	}
	out := &HistoryResult{
		APIVersion: apiVersion, Kind: "History", Name: s.name, Context: s.client.Context, Namespace: s.namespace,
		Revisions: make([]Revision, len(history.Records)),
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, r := range history.Records {
		g.Go(func() (err error) { out.Revisions[i], err = s.describe(ctx, r, r == history.Deployed()); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.Reverse(out.Revisions)
	return out, nil
}

func (s *session) describe(ctx context.Context, r *release.Record, current bool) (Revision, error) {
	out := Revision{
		Revision: r.Revision, Status: r.Status, Current: current, Updated: r.Updated, Description: r.Description, By: "helm",
	}
	if !r.ByHelm() {
		out.By = "egk8s " + r.Version
	}
	content, err := s.readRecord(r)
	if err != nil {
		return out, err
	}
	out.Image, out.ConfigDigest = content.image, content.config
	out.Missing, err = s.missing(ctx, content)
	return out, err
}
