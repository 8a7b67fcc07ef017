package deployer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

func aPlan() *SavedPlan {
	return &SavedPlan{
		APIVersion: apiVersion, Kind: planKind, Version: "1", Name: "shop", Namespace: "ns", Cloud: "kind", Revision: 3,
		RevisionAt: time.Unix(1e9, 0).UTC(), Image: "gateway:1", ImageDigest: "i", ConfigDigest: "c", ConsumersDigest: "u",
		Objects: []SavedObject{
			{Ref: object.Ref{Version: "v1", Kind: "Service", Name: "shop"}, Action: event.Unchanged, Sent: "s1"},
			{
				Ref: object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "shop"}, Action: event.Configured,
				UID: "u1", Live: "generation 4", Sent: "s2", Fields: []string{"spec.replicas"},
			},
			{Ref: object.Ref{Version: "v1", Kind: "ConfigMap", Name: "old"}, Action: event.Deleted, UID: "u2", Live: "resourceVersion 7"},
		},
	}
}

// TestPlanHolds: whatever moves is named, as the project's doing (3) or the cluster's (5).
func TestPlanHolds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(*SavedPlan)
		says    string
		cluster bool
	}{
		{"nothing", func(*SavedPlan) {}, "", false},
		{"made later", func(p *SavedPlan) { p.Made = time.Unix(2e9, 0) }, "", false},
		{"another egk8s", func(p *SavedPlan) { p.Version = "2" }, "egk8s was 1 and is 2", false},
		{"another namespace", func(p *SavedPlan) { p.Namespace = "b" }, "namespace was ns and is b", false},
		{"config", func(p *SavedPlan) { p.ConfigDigest = "d" }, "configDigest was c and is d", false},
		{"image", func(p *SavedPlan) { p.ImageDigest = "" }, "imageDigest was i and is none", false},
		{"consumers", func(p *SavedPlan) { p.ConsumersDigest = "x" }, "consumersDigest was u and is x", false},
		{"revision", func(p *SavedPlan) { p.Revision = 4 }, "the newest revision was 3 of 2001-09-09T01:46:40Z and is 4 of", true},
		{"the same revision of a later life", func(p *SavedPlan) { p.RevisionAt = time.Unix(2e9, 0).UTC() }, "the newest revision was 3 of", true},
		{"destroyed", func(p *SavedPlan) { p.Revision = 0 }, "and is none", true},
		{"what is sent", func(p *SavedPlan) { p.Objects[1].Sent = "s3" }, "what is sent for Deployment/shop was s2 and is s3", false},
		{"recreated", func(p *SavedPlan) { p.Objects[1].UID = "u9" }, "uid of Deployment/shop was u1 and is u9", true},
		{"changed", func(p *SavedPlan) { p.Objects[1].Live = "generation 5" }, "Deployment/shop was generation 4 and is generation 5", true},
		{"drifted", func(p *SavedPlan) { p.Objects[0].Action = event.Configured }, "what is done with Service/shop was unchanged and is configured", true},
		{"other fields", func(p *SavedPlan) { p.Objects[1].Fields = nil }, "what changes in Deployment/shop was spec.replicas and is none", true},
		{"deleted by another", func(p *SavedPlan) { p.Objects = p.Objects[:2] }, "uid of ConfigMap/old was u2 and is none", true},
		{"one more to delete", func(p *SavedPlan) {
			p.Objects = append(p.Objects, SavedObject{Ref: object.Ref{Kind: "ConfigMap", Name: "more"}, Action: event.Deleted, UID: "u3"})
		}, "uid of ConfigMap/more was none and is u3", true},
		{"one more to make", func(p *SavedPlan) {
			p.Objects = append(p.Objects, SavedObject{Ref: object.Ref{Kind: "Ingress", Name: "more"}, Action: event.Created, Sent: "s"})
		}, "what is sent for Ingress/more was none and is s", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := aPlan()
			test.change(now)
			err := aPlan().holds(now)
			if test.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			_, cluster := errors.AsType[*StalePlanError](err)
			_, project := errors.AsType[*SettingsError](err)
			if err == nil || !strings.Contains(err.Error(), test.says) || cluster != test.cluster || project == test.cluster {
				t.Errorf("%T %v, want %q", err, err, test.says)
			}
		})
	}
}

// TestReadPlan: a plan is read as it was written, and what is none is refused as a wrong file (3).
func TestReadPlan(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "plan")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	raw, err := json.Marshal(aPlan())
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadPlan(write(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if err := read.holds(aPlan()); err != nil {
		t.Errorf("read back: %v", err)
	}
	for text, says := range map[string]string{
		"":                "unexpected end",
		"[1]":             "cannot unmarshal",
		`{"kind":"Diff"}`: `it is "Diff"`,
		`{"objects":[]}`:  `it is ""`,
		string(raw[:50]):  "unexpected end",
		`{"apiVersion":"egk8s.dev/v1alpha1","kind":"DeployPlan","later":1}`: "unknown field",
	} {
		_, err := ReadPlan(write(text))
		if _, settings := errors.AsType[*SettingsError](err); !settings || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	if _, err := ReadPlan(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
