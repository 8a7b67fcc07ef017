package verify

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// Cluster is what the prober needs of the API server.
type Cluster interface {
	Create(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Delete(context.Context, object.Ref, types.UID) error
	Get(context.Context, object.Ref) (*unstructured.Unstructured, error)
	List(context.Context, cluster.Selection) ([]*unstructured.Unstructured, error)
	PodLogs(ctx context.Context, namespace, pod string, opts cluster.LogOptions) (io.ReadCloser, error)
}

// Prober is a short-lived pod that sends requests inside the cluster.
type Prober struct {
	Cluster   Cluster
	Namespace string
	Release   string
	// Template is the pod spec of the gateway: the prober takes its image, pull Secrets and placement.
	Template corev1.PodSpec
	OwnerUID string // of the ServiceAccount that owns it; empty: none
	Config   string // digest of the configuration that must answer
	Image    string // instead of the template's; empty: that one
	Lifetime time.Duration

	name string
}

// proberLabels mark what belongs to probers; no Service or disruption budget selects them.
func proberLabels(release string) map[string]any {
	return map[string]any{
		"app.kubernetes.io/part-of": "egk8s", "app.kubernetes.io/managed-by": "egk8s",
		"egk8s.dev/release": release, "egk8s.dev/role": "prober",
		"sidecar.istio.io/inject": "false",
	}
}

// Start makes the Secret with the requests and the pod that sends them.
func (p *Prober) Start(ctx context.Context, probes []Probe) error {
	return p.start(ctx, spec{Config: p.Config, Requests: requestsOf(probes), IntervalMs: 200})
}

func (p *Prober) start(ctx context.Context, s spec) error {
	p.name = fmt.Sprintf("%s-egk8s-probe-%s", p.Release, suffix())
	secret, err := p.secret(s)
	if err != nil {
		return err
	}
	if _, err := p.Cluster.Create(ctx, secret); err != nil {
		return fmt.Errorf("start prober: %w", err)
	}
	if _, err := p.Cluster.Create(ctx, p.pod()); err != nil {
		return errors.Join(fmt.Errorf("start prober: %w", err), p.Stop(ctx))
	}
	return nil
}

// Stop removes the prober and its Secret. It works after ctx has ended too.
func (p *Prober) Stop(ctx context.Context) error {
	if p.name == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(p.Cluster.Delete(ctx, p.ref("Pod"), ""), p.Cluster.Delete(ctx, p.ref("Secret"), ""))
}

// Sweep removes what probers of killed runs left.
func (p *Prober) Sweep(ctx context.Context) error {
	var errs []error
	for _, kind := range []string{"Pod", "Secret"} {
		list, err := p.Cluster.List(ctx, cluster.Selection{
			Kind: object.Ref{Version: "v1", Kind: kind}, Namespace: p.Namespace,
			Labels: "egk8s.dev/role=prober,egk8s.dev/release=" + p.Release,
		})
		errs = append(errs, err)
		for _, u := range list {
			errs = append(errs, p.Cluster.Delete(ctx, object.Of(u), ""))
		}
	}
	return errors.Join(errs...)
}

// Answers gives every answer of the prober to next, from the first, until next returns false, the
// prober ends, or ctx does.
func (p *Prober) Answers(ctx context.Context, next func(Answer) bool) error {
	return p.lines(ctx, func(line []byte) (bool, error) {
		var a Answer
		if err := json.Unmarshal(line, &a); err != nil {
			return false, fmt.Errorf("read prober: %q is not an answer", line)
		}
		return !a.End && next(a), nil
	})
}

// lines gives every line of the prober's log to next. A log that ends before the prober did is read again:
// the kubelet may close the log of a container that it does not yet know to run.
func (p *Prober) lines(ctx context.Context, next func([]byte) (bool, error)) error {
	read := 0
	for {
		more, err := p.stream(ctx, &read, next)
		if !more || err != nil {
			return err
		}
		if ended, why := p.ended(ctx); ended && read == 0 {
			return fmt.Errorf("the prober ended without an answer: %s", why)
		} else if ended {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(again):
		}
	}
}

// again is how long to wait before a log is read again.
const again = 150 * time.Millisecond

// stream reads the log once, passing over the lines that were read before; more: there may be others.
func (p *Prober) stream(ctx context.Context, read *int, next func([]byte) (bool, error)) (more bool, err error) {
	stream, err := p.open(ctx)
	if err != nil {
		return false, err
	}
	defer stream.Close()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		if n < *read {
			continue
		}
		*read = n + 1
		if more, err := next(lines.Bytes()); err != nil || !more {
			return false, err
		}
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return true, nil
}

// ended tells whether the prober's pod has ended, and how.
func (p *Prober) ended(ctx context.Context) (bool, string) {
	u, err := p.Cluster.Get(ctx, p.ref("Pod"))
	if cluster.IsNotFound(err) {
		return true, "its pod is gone"
	}
	var pod corev1.Pod
	if err != nil || cluster.Decode(u, &pod) != nil {
		return false, ""
	}
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed, string(pod.Status.Phase) + " " + pod.Status.Message
}

// open waits for the pod's log, which is there once its container has started.
func (p *Prober) open(ctx context.Context) (io.ReadCloser, error) {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for {
		stream, err := p.Cluster.PodLogs(ctx, p.Namespace, p.name, cluster.LogOptions{Container: "probe", Follow: true})
		if err == nil {
			return stream, nil
		}
		var forbidden *cluster.ForbiddenError
		if errors.As(err, &forbidden) || cluster.IsNotFound(err) && p.gone(ctx) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the prober has not started: %w", p.why(ctx, err))
		case <-tick.C:
		}
	}
}

// gone tells whether the prober's pod is not there. A log that is not found does not say so: a kubelet
// that has not yet heard of its new pod answers 404 too.
func (p *Prober) gone(ctx context.Context) bool {
	_, err := p.Cluster.Get(ctx, p.ref("Pod"))
	return cluster.IsNotFound(err)
}

// why says what keeps the prober's pod from starting, as far as its status tells.
func (p *Prober) why(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	u, getErr := p.Cluster.Get(ctx, p.ref("Pod"))
	var pod corev1.Pod
	if getErr != nil || cluster.Decode(u, &pod) != nil {
		return err
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Message != "" {
			return fmt.Errorf("%s: %s", w.Reason, w.Message)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Status == corev1.ConditionFalse && c.Message != "" {
			return fmt.Errorf("%s: %s", c.Reason, c.Message)
		}
	}
	return err
}

func (p *Prober) ref(kind string) object.Ref {
	return object.Ref{Version: "v1", Kind: kind, Namespace: p.Namespace, Name: p.name}
}

func (p *Prober) metadata() map[string]any {
	m := map[string]any{"name": p.name, "namespace": p.Namespace, "labels": proberLabels(p.Release)}
	if p.OwnerUID != "" {
		m["ownerReferences"] = []any{map[string]any{
			"apiVersion": "v1", "kind": "ServiceAccount", "name": p.Release, "uid": p.OwnerUID,
		}}
	}
	return m
}

func (p *Prober) secret(s spec) (*unstructured.Unstructured, error) {
	s.TimeoutMs, s.DeadlineMs = 2000, int(p.Lifetime.Milliseconds())
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("start prober: %w", err)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": p.metadata(),
		"data": map[string]any{"spec.json": base64.StdEncoding.EncodeToString(raw)},
	}}, nil
}

func requestsOf(probes []Probe) []request {
	out := make([]request, len(probes))
	for i, probe := range probes {
		out[i] = probe.request
	}
	return out
}

// suffix makes the names of two probers differ.
func suffix() string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	out := make([]byte, 5)
	for i := range out {
		out[i] = letters[rand.IntN(len(letters))] //nolint:gosec // a name, not a secret
	}
	return string(out)
}
