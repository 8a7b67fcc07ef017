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
	"egk8s.dev/egk8s/gateway/offline"
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
	Code     string   `json:"code"` // stable: namespace-missing, secret-missing, …
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// Cluster is what the checks ask of the API server.
type Cluster interface {
	Get(context.Context, object.Ref) (*unstructured.Unstructured, error)
	Create(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error)
	DryCreate(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error)
}

// Input is what the checks look at.
type Input struct {
	Cluster   Cluster
	Namespace string
	Facts     *cluster.Facts
	Project   *project.Project
	// TokensInMemory is true when a pipeline wants access tokens that only the replica knows that issued them.
	TokensInMemory bool
	// Upstreams and Objects are what will be deployed; only the thorough checks look at them.
	Upstreams []offline.Upstream
	Objects   []*unstructured.Unstructured
	// Outside looks at what is made beyond the cluster; nil: nothing is.
	Outside func(context.Context) []Finding
	// Role is the Role that egk8s publishes, as YAML; only the thorough checks look at it.
	Role string
}

// Check is one thing to look at.
type Check struct {
	Category string // cluster, cloud, rights, namespace, services
	What     string // what holds when nothing is found: "the namespace is there"
	// Thorough checks ask more of the API server than every deploy should.
	Thorough bool

	run func(context.Context, Input) []Finding
}

// Checks are all checks, by category, in the order in which they are shown.
func Checks() []Check {
	return []Check{
		{"cluster", "the version of Kubernetes is one that egk8s was tried with", false, version},
		{"cluster", "the image is built for the processors of the nodes", false, platforms},
		{"cluster", "what the project needs is installed", false, groups},
		{"project", "what replicas must share is shared", false, shared},
		{"namespace", "the namespace is there", false, namespace},
		{"namespace", "the Secrets that the project names are there", false, secrets},
		{"namespace", "a pod of the gateway would be admitted", true, admission},
		{"rights", "this user may do what a deploy does", true, rights},
		{"cloud", "traffic can come in from outside of the cluster", false, outside},
		{"services", "the services behind the gateway are there", true, upstreams},
	}
}

func outside(ctx context.Context, in Input) []Finding {
	if in.Outside == nil {
		return nil
	}
	return in.Outside(ctx)
}

// Result is what one check found.
type Result struct {
	Check
	Findings []Finding // none: all is well
}

// Run runs the checks at the same time, the thorough ones only when asked to.
func Run(ctx context.Context, in Input, thorough bool) []Result {
	var out []Result
	for _, c := range Checks() {
		if thorough || !c.Thorough {
			out = append(out, Result{Check: c})
		}
	}
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() { out[i].Findings = out[i].run(ctx, in) })
	}
	all.Wait()
	if slices.ContainsFunc(Findings(out), func(f Finding) bool { return f.Code == "namespace-missing" }) {
		for i := range out { // where there is no namespace, nothing in it was looked for in earnest
			out[i].Findings = slices.DeleteFunc(out[i].Findings, func(f Finding) bool {
				return f.Code == "secret-missing" || f.Code == "not-admitted"
			})
		}
	}
	return out
}

// Findings are those of all results, errors first.
func Findings(results []Result) []Finding {
	var out []Finding
	for _, r := range results {
		out = append(out, r.Findings...)
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	return out
}

// The Kubernetes versions that egk8s is tried with.
const (
	oldest = 29
	newest = 37
)

func version(_ context.Context, in Input) []Finding {
	major, minor, ok := parse(in.Facts.GitVersion)
	switch {
	case !ok:
		return []Finding{{Code: "version-unknown", Severity: Warning, Message: fmt.Sprintf("the API server calls its version %q", in.Facts.GitVersion)}}
	case major == 1 && minor < oldest:
		return []Finding{{
			Code: "version-too-old", Severity: Error,
			Message: fmt.Sprintf("the cluster runs Kubernetes %s; egk8s needs 1.%d or newer", in.Facts.GitVersion, oldest),
		}}
	case major > 1 || minor > newest:
		return []Finding{{
			Code: "version-untried", Severity: Warning,
			Message: fmt.Sprintf("the cluster runs Kubernetes %s; this egk8s was tried up to 1.%d", in.Facts.GitVersion, newest),
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
	if r := p.Spec.Store.Redis; r != nil && r.Secret != nil {
		out = append(out, need{r.Secret.Secret, r.Secret.Key, "spec.store.redis.secret"})
	}
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
