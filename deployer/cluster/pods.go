package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"egk8s.dev/egk8s/deployer/object"
)

// LogOptions say which log lines of a container to read.
type LogOptions struct {
	Container string
	Follow    bool
	Previous  bool
	Since     time.Duration
	Tail      int64 // lines from the end; 0: all
}

// PodLogs reads the log of a container. The caller closes it.
func (c *Client) PodLogs(ctx context.Context, namespace, pod string, opts LogOptions) (io.ReadCloser, error) {
	o := corev1.PodLogOptions{Container: opts.Container, Follow: opts.Follow, Previous: opts.Previous}
	if opts.Tail > 0 {
		o.TailLines = &opts.Tail
	}
	if opts.Since > 0 {
		seconds := int64(opts.Since / time.Second)
		o.SinceSeconds = &seconds
	}
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	stream, err := core.Get().Namespace(namespace).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(&o, scheme.ParameterCodec).Stream(ctx)
	return stream, c.explain("get log of", podRef(namespace, pod), err)
}

// PodGet sends a GET to a port of a pod through the API server and returns the status and the body's
// first MiB. An answer of the pod is never an error, whatever its status.
func (c *Client) PodGet(ctx context.Context, namespace, pod string, port int, path string) (int, []byte, error) {
	u := c.url("namespaces", namespace, "pods", pod+":"+strconv.Itoa(port), "proxy") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, http.NoBody)
	if err != nil {
		return 0, nil, fmt.Errorf("ask pod %s: %w", pod, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask pod %s: %w", pod, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, nil, fmt.Errorf("ask pod %s: %w", pod, err)
	}
	return resp.StatusCode, body, nil
}

// url returns the URL of a path of the core API.
func (c *Client) url(segments ...string) string {
	base, _, err := rest.DefaultServerUrlFor(c.config)
	if err != nil {
		base = &url.URL{Scheme: "https", Host: c.config.Host}
	}
	return base.JoinPath(append([]string{"api", "v1"}, segments...)...).String()
}

// core returns a client of the core API for what the dynamic client has no verbs for.
func (c *Client) core() (*rest.RESTClient, error) {
	cfg := rest.CopyConfig(c.config)
	cfg.APIPath = "/api"
	cfg.GroupVersion = &corev1.SchemeGroupVersion
	cfg.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.RESTClientForConfigAndClient(cfg, c.http)
	if err != nil {
		return nil, fmt.Errorf("open client: %w", err)
	}
	return client, nil
}

func podRef(namespace, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: "Pod", Namespace: namespace, Name: name}
}
