//go:build api

package deployer_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// TestSavedPlan: a plan is carried out as long as it is what would be done, status reports notwithstanding, and
// refused before anything is written when an object that it touches has moved.
func TestSavedPlan(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.deploy("{logLevel: info}")
	loaded := p.project("{logLevel: debug}")
	file := filepath.Join(t.TempDir(), "plan")
	run := func(opts deployer.DeployOptions) (*deployer.Result, error) {
		opts.Target, opts.Project, opts.Timeout = deployer.Target{Namespace: p.namespace, Cloud: "generic"}, loaded, 4*time.Second
		return deployer.Deploy(t.Context(), opts, nowhere{})
	}
	carryOut := func() (*deployer.Result, error) {
		saved, err := deployer.ReadPlan(file)
		if err != nil {
			t.Fatal(err)
		}
		return run(deployer.DeployOptions{Plan: saved})
	}
	_, before := p.state()
	result, err := run(deployer.DeployOptions{PlanOut: file, Image: "example.com/gateway:2"})
	if err != nil || result.Outcome != deployer.Planned || result.PlanFile != file {
		t.Fatalf("outcome %s, file %q: %v", result.Outcome, result.PlanFile, err)
	}

	deployment := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "shop"}
	pause := func(paused bool) {
		t.Helper()
		u := p.get(deployment)
		if err := unstructured.SetNestedField(u.Object, paused, "spec", "paused"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.client.Update(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	_, err = carryOut()
	if stale, ok := errors.AsType[*deployer.StalePlanError](err); !ok || stale.Field != "Deployment/shop" {
		t.Errorf("error %T %v, want a StalePlanError that names the Deployment", err, err)
	}
	if _, now := p.state(); now["revision"] != before["revision"] || p.image() != "example.com/gateway:1" {
		t.Error("a plan that was refused has written something")
	}

	// made again, it is carried out with the options that it was made with
	pause(false)
	result, err = run(deployer.DeployOptions{PlanOut: file, Image: "example.com/gateway:2"})
	if err != nil || result.Outcome != deployer.Planned {
		t.Fatal(err)
	}
	if _, err = carryOut(); !isTimeout(err) {
		t.Fatalf("error %v, want the time-out of a cluster without nodes", err)
	}
	if got := p.image(); got != "example.com/gateway:2" {
		t.Errorf("the image is %s", got)
	}
	_, err = carryOut()
	if stale, ok := errors.AsType[*deployer.StalePlanError](err); !ok || stale.Field != "the newest revision" {
		t.Errorf("carried out twice: %v", err)
	}
}

func isTimeout(err error) bool {
	_, ok := errors.AsType[*deployer.TimeoutError](err)
	return ok
}

// TestSavedPlanOfAFirstDeploy: names of Secrets hold a random salt until the cluster has it; the plan brings its own.
func TestSavedPlanOfAFirstDeploy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	loaded := p.project("{logLevel: info}")
	file := filepath.Join(t.TempDir(), "plan")
	opts := deployer.DeployOptions{
		Target: deployer.Target{Namespace: p.namespace, Cloud: "generic"}, Project: loaded, Image: "example.com/gateway:1",
		CreateNS: true, Timeout: 4 * time.Second, PlanOut: file,
	}
	planned, err := deployer.Deploy(t.Context(), opts, nowhere{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Get(t.Context(), object.Namespace(p.namespace)); !cluster.IsNotFound(err) {
		t.Fatalf("making a plan made the namespace: %v", err)
	}
	saved, err := deployer.ReadPlan(file)
	if err != nil {
		t.Fatal(err)
	}
	result, err := deployer.Deploy(t.Context(), deployer.DeployOptions{
		Target: deployer.Target{Namespace: p.namespace}, Project: loaded, Timeout: 4 * time.Second, Plan: saved,
	}, nowhere{})
	if !isTimeout(err) || result.Revision != 1 || result.ConfigDigest != planned.ConfigDigest {
		t.Errorf("revision %d, config %s, planned %s: %v", result.Revision, result.ConfigDigest, planned.ConfigDigest, err)
	}
}
