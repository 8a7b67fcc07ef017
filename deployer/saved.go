package deployer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// SavedPlan is a plan of a deploy with what must hold for it to be carried out. It has hashes of the objects, not the
// objects: a deploy that carries it out plans again and must come to the same.
type SavedPlan struct {
	APIVersion string    `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string    `json:"kind"`       // DeployPlan
	Version    string    `json:"egk8sVersion"`
	Made       time.Time `json:"made"`
	// Options are those of the deploy that made the plan; one that carries it out takes them over.
	Options SavedOptions `json:"options"`

	Name      string     `json:"name"`
	Namespace string     `json:"namespace"`
	Cloud     string     `json:"cloud"`
	Place     SavedPlace `json:"cluster"`

	Revision   int       `json:"revision"` // the newest one; 0: there is none
	RevisionAt time.Time `json:"revisionAt,omitzero"`

	Image           string `json:"image"`
	ImageDigest     string `json:"imageDigest,omitempty"`
	ConfigDigest    string `json:"configDigest"`
	ConsumersDigest string `json:"consumersDigest,omitempty"`
	// Salt is that of the names of Secrets where the cluster has none yet: without it they would differ.
	Salt    []byte        `json:"salt,omitempty"`
	Objects []SavedObject `json:"objects"`
}

// SavedOptions are the choices that decide what a deploy does.
type SavedOptions struct {
	Cloud          string `json:"cloud,omitempty"`
	Image          string `json:"image,omitempty"`
	Repository     string `json:"repository,omitempty"`
	ForceConflicts bool   `json:"forceConflicts,omitempty"`
	CreateNS       bool   `json:"createNamespace,omitempty"`
}

// SavedPlace says which cluster it is, and which namespace in it.
type SavedPlace struct {
	Server string `json:"server"`
	// UID and NamespaceUID are those of the namespaces kube-system and of the release; empty: they may not be read.
	UID          string `json:"uid,omitempty"`
	NamespaceUID string `json:"namespaceUID,omitempty"` // or "none"
}

// SavedObject is what is done with one object.
type SavedObject struct {
	object.Ref
	Action event.Action `json:"action"`
	UID    string       `json:"uid,omitempty"`
	Live   string       `json:"live,omitempty"` // its generation, else its resource version
	Sent   string       `json:"sent,omitempty"` // hash of what is sent
	Fields []string     `json:"fields,omitempty"`
}

// StalePlanError (5) says that the cluster is no longer as it was when a plan was made: nothing was written.
type StalePlanError struct{ Field, Planned, Now string }

func (e *StalePlanError) Error() string {
	return fmt.Sprintf("the cluster has moved since the plan was made: %s was %s and is %s", e.Field, e.Planned, e.Now)
}

const planKind = "DeployPlan"

// ReadPlan reads a file that a deploy with PlanOut wrote. One that is no such file gives a SettingsError.
func ReadPlan(path string) (*SavedPlan, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	wrong := func(why string) error {
		return &SettingsError{Message: path + " is not a plan: " + why, Hint: "egk8s deploy --plan-out FILE writes one"}
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, wrong(err.Error())
	}
	if head.Kind != planKind || head.APIVersion != apiVersion {
		return nil, wrong(fmt.Sprintf("it is %q of %q, not %q of %q", head.Kind, head.APIVersion, planKind, apiVersion))
	}
	p := &SavedPlan{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(p); err != nil {
		return nil, wrong(err.Error())
	}
	return p, nil
}

// takeOver gives a deploy that carries out a plan the options with which that was made.
func (o *DeployOptions) takeOver(p *SavedPlan) {
	if p == nil {
		return
	}
	o.Cloud, o.Image, o.Repository = cmp.Or(o.Cloud, p.Options.Cloud), cmp.Or(o.Image, p.Options.Image), cmp.Or(o.Repository, p.Options.Repository)
	o.ForceConflicts = o.ForceConflicts || p.Options.ForceConflicts
	o.CreateNS = o.CreateNS || p.Options.CreateNS
}

// place reads which cluster this is. What may not be read stays empty.
func (s *session) place(ctx context.Context) SavedPlace {
	uid := func(name string) string {
		u, err := s.client.Get(ctx, object.Namespace(name))
		switch {
		case cluster.IsNotFound(err):
			return "none"
		case err != nil:
			return ""
		}
		return string(u.GetUID())
	}
	return SavedPlace{Server: s.client.Server, UID: uid("kube-system"), NamespaceUID: uid(s.namespace)}
}

// save writes the plan to a file that only its user may read, whole or not at all.
func (d *deploy) save(ctx context.Context) error {
	saved := d.saved()
	saved.Place = d.place(ctx)
	raw, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return err
	}
	failed := func(err error) error {
		return &SettingsError{Message: "the plan cannot be written: " + err.Error()}
	}
	f, err := os.CreateTemp(filepath.Dir(d.opts.PlanOut), ".egk8s-plan-*")
	if err != nil {
		return failed(err)
	}
	_, err = f.Write(append(raw, '\n'))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), d.opts.PlanOut)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return failed(err)
	}
	d.result.PlanFile = d.opts.PlanOut
	d.out.info("the plan is in " + d.opts.PlanOut + "; egk8s deploy --plan " + d.opts.PlanOut + " carries it out")
	return nil
}

// saved is the plan as it is now, without the place.
func (d *deploy) saved() *SavedPlan {
	o := d.opts
	p := &SavedPlan{
		APIVersion: apiVersion, Kind: planKind, Version: d.store.Version, Made: d.now().UTC().Truncate(time.Second),
		Options: SavedOptions{Cloud: o.Cloud, Image: o.Image, Repository: o.Repository, ForceConflicts: o.ForceConflicts, CreateNS: o.CreateNS},
		Name:    d.name, Namespace: d.namespace, Cloud: d.profile.Name,
		Image: d.result.Image, ImageDigest: d.result.ImageDigest, ConfigDigest: d.rendered.Digest, ConsumersDigest: d.rendered.ConsumersDigest,
		Salt: d.newSalt, Objects: []SavedObject{},
	}
	if n := d.history.Newest(); n != nil {
		p.Revision, p.RevisionAt = n.Revision, n.Updated.UTC()
	}
	for _, op := range d.plan.Ops {
		p.Objects = append(p.Objects, savedObject(op))
	}
	return p
}

func savedObject(op plan.Op) SavedObject {
	o := SavedObject{Ref: op.Ref, Action: op.Action, Sent: op.Hash}
	if op.Action == event.Unchanged {
		return o
	}
	o.UID, o.Live = op.UID, op.Live
	for _, f := range op.Fields {
		o.Fields = append(o.Fields, f.Path)
	}
	return o
}
