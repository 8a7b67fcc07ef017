package release

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
)

// Status is how a revision ended, in Helm's words.
type Status string

// The states of a revision.
const (
	Deployed        Status = "deployed"
	Superseded      Status = "superseded"
	Failed          Status = "failed"
	PendingInstall  Status = "pending-install"
	PendingUpgrade  Status = "pending-upgrade"
	PendingRollback Status = "pending-rollback"
)

// Pending tells whether a run that wrote it had not ended.
func (s Status) Pending() bool {
	return s == PendingInstall || s == PendingUpgrade || s == PendingRollback
}

// Content is what a revision was made of: it becomes the record.
type Content struct {
	Chart    *chart.Chart
	Values   map[string]any
	Manifest string // the chart's objects, as helm would have applied them
	Notes    string
}

// Record is one revision of a release.
type Record struct {
	Revision    int
	Status      Status
	Description string
	Updated     time.Time
	First       time.Time // when the first revision was made
	Manifest    string
	Values      map[string]any
	// Format is 0 when the helm program wrote the record.
	Format int
	// Version is that of the egk8s that wrote the record; empty: helm.
	Version string

	release *helm.Release
	stored  stored // in the Secret
	ours    bool
}

// ByHelm tells whether the helm program wrote the record: also one that it made from ours, by a
// rollback.
func (r *Record) ByHelm() bool { return !r.ours }

// Format is the number of the layout of what egk8s adds to records. It rises when an older egk8s
// would do harm to a release that a newer one made.
const Format = 1

// Labels of records that egk8s wrote. Helm copies them when it rolls back; an annotation it does not.
const (
	oursAnnotation = "egk8s.dev/record"

	formatLabel  = "egk8s.dev/format"
	versionLabel = "egk8s.dev/version"
	secretType   = "helm.sh/release.v1" //nolint:gosec // the type of a Secret, no secret
	ownerLabel   = "helm"
)

func recordName(release string, revision int) string {
	return "sh.helm.release.v1." + release + ".v" + strconv.Itoa(revision)
}

// encode writes a record as the Secret that Helm's driver writes.
func encode(r *Record, namespace string) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(r.release)
	if err != nil {
		return nil, fmt.Errorf("encode revision %d: %w", r.Revision, err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("encode revision %d: %w", r.Revision, err)
	}
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("encode revision %d: %w", r.Revision, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode revision %d: %w", r.Revision, err)
	}
	// Helm encodes once itself; the Secret's own base64 comes on top.
	data := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(packed.Bytes())))
	labels := map[string]any{
		"name": r.release.Name, "owner": ownerLabel, "status": string(r.Status), "version": strconv.Itoa(r.Revision),
		"modifiedAt": strconv.FormatInt(r.Updated.Unix(), 10),
	}
	if r.Format > 0 {
		labels[formatLabel], labels[versionLabel] = strconv.Itoa(r.Format), labelValue(r.Version)
	}
	metadata := map[string]any{"name": recordName(r.release.Name, r.Revision), "namespace": namespace, "labels": labels}
	if r.ours {
		metadata["annotations"] = map[string]any{oursAnnotation: "true"}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": secretType,
		"metadata": metadata, "data": map[string]any{"release": data},
	}}, nil
}

// decode reads a Secret that Helm or egk8s wrote.
func decode(u *unstructured.Unstructured) (*Record, error) {
	data, _, err := unstructured.NestedString(u.Object, "data", "release")
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", object.Of(u), err)
	}
	rel, err := unpack(data)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", object.Of(u), err)
	}
	labels := u.GetLabels()
	format, _ := strconv.Atoi(labels[formatLabel]) // absent: helm's own
	r := &Record{
		Revision: rel.Version, Manifest: rel.Manifest, Values: rel.Config,
		Format: format, Version: labels[versionLabel],
		release: rel, stored: stored{version: u.GetResourceVersion(), data: data}, ours: u.GetAnnotations()[oursAnnotation] != "",
	}
	if rel.Info == nil {
		rel.Info = &helm.Info{Status: helm.StatusUnknown}
	}
	r.Status, r.Description = Status(rel.Info.Status), rel.Info.Description
	r.Updated, r.First = rel.Info.LastDeployed.Time, rel.Info.FirstDeployed.Time
	return r, nil
}

func unpack(data string) (*helm.Release, error) {
	outer, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(string(outer))
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b, 0x08}) {
		r, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		if raw, err = io.ReadAll(io.LimitReader(r, 64<<20)); err != nil {
			return nil, err
		}
	}
	var rel helm.Release
	if err := json.Unmarshal(raw, &rel); err != nil {
		return nil, err
	}
	return &rel, nil
}

// set gives the record a state, in both its views.
func (r *Record) set(status Status, description string, now time.Time) {
	r.Status, r.Description, r.Updated = status, description, now
	r.release.Info.Status = helm.Status(status)
	r.release.Info.Description = description
	r.release.Info.LastDeployed = helmtime.Time{Time: now}
}

// labelValue turns a version into what a label may hold: build metadata follows a plus sign there.
func labelValue(version string) string {
	out := []byte(version)
	for i, b := range out {
		ok := b == '.' || b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		if !ok {
			out[i] = '_'
		}
	}
	return string(bytes.Trim(out[:min(len(out), 63)], "._-"))
}

// Same tells whether two records are one revision in one state.
func (r *Record) Same(other *Record) bool {
	return r.Revision == other.Revision && r.stored.version == other.stored.version
}

// Content is what the revision was made of, for a rollback to it.
func (r *Record) Content() Content {
	return Content{Chart: r.release.Chart, Values: r.Values, Manifest: r.Manifest}
}
