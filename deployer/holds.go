package deployer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/deployer/object"
)

// samePlace refuses a plan that was made for another cluster or namespace, before anything is made there.
func (d *deploy) samePlace(ctx context.Context) error {
	p := d.opts.Plan
	if p == nil {
		return nil
	}
	now := d.place(ctx)
	was := p.Place
	known := was.UID != "" && now.UID != ""
	switch {
	case known && was.UID != now.UID:
		return &StalePlanError{"the cluster (uid of kube-system)", was.UID, now.UID}
	case !known && was.Server != now.Server:
		return &StalePlanError{"the cluster", was.Server, now.Server}
	case p.Namespace != d.namespace:
		return notOfPlan("namespace", p.Namespace, d.namespace)
	case was.NamespaceUID != "" && now.NamespaceUID != "" && was.NamespaceUID != now.NamespaceUID:
		return &StalePlanError{"namespace " + d.namespace, was.NamespaceUID, now.NamespaceUID}
	}
	return nil
}

// holds refuses a plan that is not what would be done now.
func (d *deploy) holds(context.Context) error {
	if d.opts.Plan == nil {
		return nil
	}
	return d.opts.Plan.holds(d.saved())
}

// notOfPlan (3) says that it is the project, or egk8s, that is another one.
func notOfPlan(field, planned, now string) error {
	return &SettingsError{
		Message: fmt.Sprintf("the plan was made for something else: %s was %s and is %s", field, orNone(planned), orNone(now)),
		Hint:    "plan again: egk8s deploy --plan-out FILE",
	}
}

func orNone(s string) string { return cmp.Or(s, "none") }

// holds compares with the plan that is made now and names the first thing that differs.
func (p *SavedPlan) holds(now *SavedPlan) error {
	for _, f := range []struct{ field, planned, now string }{
		{"egk8s", p.Version, now.Version},
		{"the release", p.Name, now.Name},
		{"namespace", p.Namespace, now.Namespace},
		{"cloud", p.Cloud, now.Cloud},
	} {
		if f.planned != f.now {
			return notOfPlan(f.field, f.planned, f.now)
		}
	}
	if p.Revision != now.Revision || !p.RevisionAt.Equal(now.RevisionAt) {
		return &StalePlanError{"the newest revision", revisionAt(p), revisionAt(now)}
	}
	for _, f := range []struct{ field, planned, now string }{
		{"image", p.Image, now.Image},
		{"imageDigest", p.ImageDigest, now.ImageDigest},
		{"configDigest", p.ConfigDigest, now.ConfigDigest},
		{"consumersDigest", p.ConsumersDigest, now.ConsumersDigest},
	} {
		if f.planned != f.now {
			return notOfPlan(f.field, f.planned, f.now)
		}
	}
	return sameObjects(p.Objects, now.Objects)
}

func revisionAt(p *SavedPlan) string {
	if p.Revision == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %s", p.Revision, p.RevisionAt.Format(time.RFC3339))
}

func sameObjects(planned, now []SavedObject) error {
	left := map[object.Key]SavedObject{}
	for _, o := range now {
		left[o.Key()] = o
	}
	for _, was := range planned {
		is, there := left[was.Key()]
		delete(left, was.Key())
		if !there {
			is = SavedObject{Ref: was.Ref, Action: "not part of the plan"}
		}
		if err := was.same(is); err != nil {
			return err
		}
	}
	for _, o := range now {
		if _, more := left[o.Key()]; more {
			return (&SavedObject{Ref: o.Ref, Action: "not part of the plan"}).same(o)
		}
	}
	return nil
}

// same names what differs between what was planned for an object and what would be done now. What is sent is the
// project's doing, all else the cluster's.
func (o *SavedObject) same(now SavedObject) error {
	name := o.String()
	switch {
	case o.Sent != now.Sent:
		return notOfPlan("what is sent for "+name, o.Sent, now.Sent)
	case o.UID != now.UID:
		return &StalePlanError{"uid of " + name, orNone(o.UID), orNone(now.UID)}
	case o.Live != now.Live:
		return &StalePlanError{name, orNone(o.Live), orNone(now.Live)}
	case o.Action != now.Action:
		return &StalePlanError{"what is done with " + name, string(o.Action), string(now.Action)}
	case !slices.Equal(o.Fields, now.Fields):
		return &StalePlanError{"what changes in " + name, orNone(strings.Join(o.Fields, ", ")), orNone(strings.Join(now.Fields, ", "))}
	}
	return nil
}
