// Package check looks, before anything is changed, for what would make a deploy fail: one small
// function each, run at the same time.
package check

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
)

// Severity tells whether a finding stops the deploy.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is what a check found.
type Finding struct {
	Code     string // stable: namespace-missing, secret-missing, …
	Severity Severity
	Message  string
	Hint     string
}

// Getter reads one object.
type Getter interface {
	Get(context.Context, object.Ref) (*unstructured.Unstructured, error)
}

// Input is what the checks look at.
type Input struct {
	Cluster   Getter
	Namespace string
	Version   string // of the API server: v1.37.1
	Project   *project.Project
}

// Run runs all checks and returns what they found, errors first.
func Run(ctx context.Context, in Input) []Finding {
	checks := []func(context.Context, Input) []Finding{version, namespace, secrets}
	found := make([][]Finding, len(checks))
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() { found[i] = check(ctx, in) })
	}
	all.Wait()
	out := slices.Concat(found...)
	slices.SortStableFunc(out, func(a, b Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	if len(out) > 0 && slices.ContainsFunc(out, func(f Finding) bool { return f.Code == "namespace-missing" }) {
		// Where there is no namespace, nothing in it was looked for in earnest.
		out = slices.DeleteFunc(out, func(f Finding) bool { return f.Code == "secret-missing" })
	}
	return out
}

// The Kubernetes versions that egk8s is tried with.
const (
	oldest = 29
	newest = 37
)

func version(_ context.Context, in Input) []Finding {
	major, minor, ok := parse(in.Version)
	switch {
	case !ok:
		return []Finding{{Code: "version-unknown", Severity: Warning, Message: fmt.Sprintf("the API server calls its version %q", in.Version)}}
	case major == 1 && minor < oldest:
		return []Finding{{
			Code: "version-too-old", Severity: Error,
			Message: fmt.Sprintf("the cluster runs Kubernetes %s; egk8s needs 1.%d or newer", in.Version, oldest),
		}}
	case major > 1 || minor > newest:
		return []Finding{{
			Code: "version-untried", Severity: Warning,
			Message: fmt.Sprintf("the cluster runs Kubernetes %s; this egk8s was tried up to 1.%d", in.Version, newest),
		}}
	default:
		return nil
	}
}

// parse reads v1.35.2-gke.1842000.
func parse(version string) (major, minor int, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(strings.TrimRight(parts[1], "+"))
	return major, minor, err == nil
}

func namespace(ctx context.Context, in Input) []Finding {
	u, err := in.Cluster.Get(ctx, object.Namespace(in.Namespace))
	switch {
	case cluster.IsNotFound(err):
		return []Finding{{
			Code: "namespace-missing", Severity: Error,
			Message: fmt.Sprintf("there is no namespace %q", in.Namespace),
			Hint:    "deploy with --create-namespace, or make it: kubectl create namespace " + in.Namespace,
		}}
	case err != nil: // reading namespaces is a right that a deploy does not need
		return nil
	case u.GetDeletionTimestamp() != nil:
		return []Finding{{
			Code: "namespace-terminating", Severity: Error,
			Message: fmt.Sprintf("the namespace %q is being deleted", in.Namespace),
			Hint:    "wait until it is gone, or choose another one with --namespace",
		}}
	default:
		return nil
	}
}

// need is a Secret that pods will read, and where egk8s.yaml says so.
type need struct {
	secret, key, at string
}

func needs(p *project.Project) []need {
	var out []need
	for name, ref := range p.Spec.SecretEnv {
		out = append(out, need{ref.Secret, ref.Key, "spec.secretEnv." + name})
	}
	for i, f := range p.Spec.Files {
		out = append(out, need{f.Secret, f.Key, "spec.files." + strconv.Itoa(i)})
	}
	for name, ref := range p.Spec.TLS {
		out = append(out, need{ref.Secret, "tls.crt", "spec.tls." + name})
	}
	slices.SortFunc(out, func(a, b need) int { return strings.Compare(a.at, b.at) })
	return out
}

func secrets(ctx context.Context, in Input) []Finding {
	list := needs(in.Project)
	found := make([][]Finding, len(list))
	var all sync.WaitGroup
	for i, n := range list {
		all.Go(func() { found[i] = secret(ctx, in, n) })
	}
	all.Wait()
	return slices.Concat(found...)
}

func secret(ctx context.Context, in Input, n need) []Finding {
	ref := object.Ref{Version: "v1", Kind: "Secret", Namespace: in.Namespace, Name: n.secret}
	u, err := in.Cluster.Get(ctx, ref)
	at := in.Project.Position(n.at)
	switch {
	case cluster.IsNotFound(err):
		return []Finding{{
			Code: "secret-missing", Severity: Error,
			Message: fmt.Sprintf("%s: there is no Secret %q in namespace %s", at, n.secret, in.Namespace),
			Hint:    fmt.Sprintf("kubectl create secret generic %s -n %s --from-literal=%s=…", n.secret, in.Namespace, n.key),
		}}
	case err != nil:
		return []Finding{{
			Code: "secret-unreadable", Severity: Warning,
			Message: fmt.Sprintf("%s: cannot see whether Secret %q exists: %v", at, n.secret, err),
		}}
	}
	data, _, _ := unstructured.NestedString(u.Object, "data", n.key)
	if raw, err := base64.StdEncoding.DecodeString(data); err != nil || len(raw) == 0 {
		return []Finding{{
			Code: "secret-missing", Severity: Error,
			Message: fmt.Sprintf("%s: Secret %q has no key %q", at, n.secret, n.key),
			Hint:    "add the key to the Secret, or correct egk8s.yaml",
		}}
	}
	return nil
}
