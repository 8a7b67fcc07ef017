package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/object"
)

// Facts are what can be read of a cluster without changing it.
type Facts struct {
	cloud.Facts
	Unknown []string // what could not be read, and why: "nodes: not allowed to list nodes"
}

// OfflineFacts are those of the kubeconfig: no cluster is asked.
func (c *Client) OfflineFacts() *Facts {
	return &Facts{Facts: cloud.Facts{Context: c.Context, User: c.user, ExecCommand: c.exec, Server: c.Server}}
}

// Facts asks the API server what it is. Only a server that does not answer is an error: what it
// refuses to tell stays unknown.
func (c *Client) Facts(ctx context.Context) (*Facts, error) {
	f := c.OfflineFacts()
	var v version.Info
	if err := c.getJSON(ctx, "/version", &v); err != nil {
		return nil, err
	}
	f.GitVersion = v.GitVersion
	f.note("API groups", c.readGroups(ctx, f))
	f.note("nodes", c.readNodes(ctx, f))
	if err := c.readRegistry(ctx, f); !IsNotFound(err) {
		f.note("local registry", err)
	}
	return f, nil
}

func (f *Facts) note(what string, err error) {
	if err != nil {
		f.Unknown = append(f.Unknown, fmt.Sprintf("%s: %v", what, err))
	}
}

func (c *Client) readGroups(ctx context.Context, f *Facts) error {
	var groups metav1.APIGroupList
	if err := c.getJSON(ctx, "/apis", &groups); err != nil {
		return err
	}
	for _, g := range groups.Groups {
		f.APIGroups = append(f.APIGroups, g.Name)
	}
	slices.Sort(f.APIGroups)
	return nil
}

func (c *Client) readNodes(ctx context.Context, f *Facts) error {
	list, err := c.List(ctx, Selection{Kind: object.Ref{Version: "v1", Kind: "Node"}})
	if err != nil {
		return err
	}
	for _, u := range list {
		var n corev1.Node
		if err := Decode(u, &n); err != nil {
			return err
		}
		f.Nodes = append(f.Nodes, cloud.Node{
			Name: n.Name, ProviderID: n.Spec.ProviderID, Labels: n.Labels, Ready: ready(&n),
			Platform: platform(&n), Addresses: addresses(&n),
		})
	}
	return nil
}

// platform is what a node says that it runs, as linux/amd64; empty: it has not said yet.
func platform(n *corev1.Node) string {
	info := n.Status.NodeInfo
	if info.OperatingSystem == "" || info.Architecture == "" {
		return ""
	}
	return info.OperatingSystem + "/" + info.Architecture
}

// readRegistry reads the announcement of KEP-1755.
func (c *Client) readRegistry(ctx context.Context, f *Facts) error {
	u, err := c.Get(ctx, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "kube-public", Name: "local-registry-hosting"})
	if err != nil {
		return err
	}
	text, _, err := unstructured.NestedString(u.Object, "data", "localRegistryHosting.v1")
	if err != nil {
		return err
	}
	var hosting struct {
		Host            string `json:"host"`
		HostFromRuntime string `json:"hostFromContainerRuntime"`
	}
	if err := yaml.Unmarshal([]byte(text), &hosting); err != nil {
		return fmt.Errorf("read local-registry-hosting: %w", err)
	}
	if hosting.Host != "" {
		f.Registry = &cloud.Registry{Host: hosting.Host, HostFromRuntime: hosting.HostFromRuntime}
	}
	return nil
}

func addresses(n *corev1.Node) []string {
	var out []string
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP || a.Type == corev1.NodeExternalIP {
			out = append(out, a.Address)
		}
	}
	return out
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// getJSON reads a path of the API server that is no object. It gives up after 10 seconds.
func (c *Client) getJSON(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	core, err := c.core()
	if err != nil {
		return err
	}
	raw, err := core.Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return &UnreachableError{Server: c.Server, Context: c.Context, Err: fmt.Errorf("no answer to %s %s within 10 seconds", http.MethodGet, path)}
		}
		return c.explain("get", object.Ref{Kind: path}, err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &UnreachableError{Server: c.Server, Context: c.Context, Err: fmt.Errorf("read %s: %w", path, err)}
	}
	return nil
}

// Decode reads u into one of the API's Go types.
func Decode(u *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
		return fmt.Errorf("read %s: %w", object.Of(u), err)
	}
	return nil
}
