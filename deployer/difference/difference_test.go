package difference_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

func parse(t *testing.T, texts ...string) []*unstructured.Unstructured {
	t.Helper()
	out := make([]*unstructured.Unstructured, len(texts))
	for i, text := range texts {
		out[i] = &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &out[i].Object); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestBetween: what is new, gone and changed, by fields; a secret's values never.
func TestBetween(t *testing.T) {
	t.Parallel()
	before := parse(
		t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"name":"http","port":80}]}}`,
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{"l":"1"}},"data":{"k":"cGxhbnRlZA=="}}`,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"old"}}`, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"same"}}`,
	)
	after := parse(
		t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"name":"http","port":81}],"type":"NodePort"}}`,
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{"l":"2"}},"data":{"k":"cGxhbnRlZDI=","n":"cGxhbnRlZDM="}}`,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"}}`, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"same"}}`,
	)
	got := difference.Between(before, after)
	want := []difference.Object{
		{Kind: "Service", Name: "a", Action: event.Configured, Fields: []difference.Field{
			{Path: "spec.ports[http].port", Before: "80", After: "81"}, {Path: "spec.type", After: `"NodePort"`},
		}},
		{Kind: "Secret", Name: "s", Action: event.Configured, Fields: []difference.Field{
			{Path: "data.k", Before: difference.Secret, After: difference.Secret},
			{Path: "data.n", After: difference.Secret},
			{Path: "metadata.labels.l", Before: `"1"`, After: `"2"`},
		}},
		{Kind: "ConfigMap", Name: "new", Action: event.Created},
		{Kind: "ConfigMap", Name: "old", Action: event.Deleted},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if raw, _ := json.Marshal(got); strings.Contains(string(raw), "cGxhbnRl") {
		t.Errorf("a secret is shown: %s", raw)
	}
	if same := difference.Between(before, before); len(same) != 0 {
		t.Errorf("equal states differ: %v", same)
	}
}

// TestFiles: text by its lines, secret and binary files by name only.
func TestFiles(t *testing.T) {
	t.Parallel()
	file := func(path, text string) project.File { return project.File{Path: path, Data: []byte(text)} }
	secret := func(path, text string) project.File {
		return project.File{Path: path, Data: []byte(text), Secret: true}
	}
	before := []project.File{
		file("gateway.config.yml", "a: 1\nb: 2\n"), secret("system.config.yml", "planted"), file("gone.json", "{}\n"),
		file("same.json", "{}"), file("key.der", "\xff\x00"),
	}
	after := []project.File{
		file("gateway.config.yml", "a: 1\nb: 3\n"), secret("system.config.yml", "planted too"), file("models/new.json", "{}\n"),
		file("same.json", "{}"), file("key.der", "\xff\x01"),
	}
	want := []difference.File{
		{Path: "gateway.config.yml", Action: event.Configured, Diff: "@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n"},
		{Path: "gone.json", Action: event.Deleted, Diff: "@@ -1 +0,0 @@\n-{}\n"},
		{Path: "key.der", Action: event.Configured},
		{Path: "models/new.json", Action: event.Created, Diff: "@@ -0,0 +1 @@\n+{}\n"},
		{Path: "system.config.yml", Action: event.Configured, Secret: true},
	}
	if diff := cmp.Diff(want, difference.Files(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
