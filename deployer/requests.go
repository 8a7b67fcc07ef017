package deployer

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/offline"
)

// sideOf is a configuration as its pods know it: the files, and the variables of the gateway's container.
func sideOf(files []project.File, objects []*unstructured.Unstructured, name string) offline.Side {
	side := offline.Side{Files: map[string][]byte{}, Env: map[string]string{}}
	for _, f := range files {
		side.Files[f.Path] = f.Data
	}
	for _, u := range objects {
		if u.GetKind() != "Deployment" || u.GetName() != name {
			continue
		}
		for _, variable := range environment(gatewayContainer(u)) {
			text, _ := variable["name"].(string)
			if value, plain := variable["value"].(string); plain {
				side.Env[text] = value
			} else {
				side.PodOnly = append(side.PodOnly, text)
			}
		}
	}
	return side
}

// compareAnswers compares how two configurations answer requests. Where that cannot be told, the second value says why.
func compareAnswers(before, after offline.Side) ([]offline.Change, string) {
	const lead = "how requests are answered was not compared: "
	if len(before.Files) == 0 {
		return []offline.Change{}, ""
	}
	changes, problems, err := offline.Compare(before, after)
	switch {
	case err != nil:
		return []offline.Change{}, lead + err.Error()
	case problems.HasErrors():
		return []offline.Change{}, lead + problems[0].String()
	case changes == nil:
		changes = []offline.Change{}
	}
	return changes, ""
}

// FailOn is the class of changes from which on a deploy is refused.
type FailOn string

// The limits.
const (
	FailOnNothing  FailOn = ""
	FailOnReview   FailOn = "review"
	FailOnBreaking FailOn = "breaking"
)

// Refuses tells whether a change of the class is one too many.
func (f FailOn) Refuses(c offline.Class) bool {
	return f == FailOnBreaking && c == offline.Breaking || f == FailOnReview && c != offline.Safe
}

// Refused returns the error for the first change that the limit refuses; nil: it refuses none.
func (f FailOn) Refused(changes []offline.Change) error {
	n, first := 0, ""
	for _, c := range changes {
		if f.Refuses(c.Class) {
			if n++; n == 1 {
				first = c.Message
			}
		}
	}
	if n == 0 {
		return nil
	}
	message := fmt.Sprintf("%s change: %s", f, first)
	if n > 1 {
		message += fmt.Sprintf(" (and %d more)", n-1)
	}
	return &CheckError{Code: string(f) + "-change", Message: message, Hint: "egk8s diff shows every change; without --fail-on it is deployed"}
}

// noteRequests tells how requests will be answered differently, before anything is applied, and stops where the
// options say so.
func (d *deploy) noteRequests(ctx context.Context) error {
	current := d.history.Deployed()
	if current == nil {
		return nil
	}
	content, err := d.readRecord(current)
	if err != nil || content.config == d.rendered.Digest {
		return err
	}
	before, err := d.recordedFiles(ctx, content)
	if err != nil {
		return err
	}
	after, err := render.Files(d.rendered.Config)
	if err != nil {
		return err
	}
	changes, why := compareAnswers(sideOf(before, content.objects, d.name), sideOf(after, d.rendered.Objects, d.name))
	if why != "" {
		d.warn(why)
	}
	d.result.Requests = changes
	for _, c := range changes {
		text := fmt.Sprintf("%s: %s", c.Class, c.Message)
		if c.Class == offline.Breaking {
			d.warn(text)
			continue
		}
		d.out.emit(event.Event{Type: event.Info, Message: text})
	}
	return d.opts.FailOn.Refused(changes)
}
