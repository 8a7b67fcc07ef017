package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// FieldManager is the name under which egk8s owns fields of objects.
const FieldManager = "egk8s"

// Config says how to reach a cluster. The zero value takes KUBECONFIG or ~/.kube/config and its current context.
type Config struct {
	Kubeconfig string // path; empty: KUBECONFIG, then ~/.kube/config, then the pod's own service account
	Context    string
	As         string // impersonated user
	AsGroups   []string
	UserAgent  string
	// Log receives what client-go writes; nil: nothing is logged.
	Log *slog.Logger
}

// Client is a connection to one API server. It is safe for concurrent use.
type Client struct {
	Context   string // name of the kubeconfig's context; "in-cluster" inside a pod
	Server    string // URL
	Namespace string // the context's; empty when it names none

	user, exec string // of the kubeconfig's user entry

	config  *rest.Config
	http    *http.Client
	dynamic dynamic.Interface
	meta    metadata.Interface

	warnings warnings

	mu       sync.Mutex
	resource map[schema.GroupVersionKind]schema.GroupVersionResource // discovered ones
}

// Connect reads the kubeconfig. It sends no request; it fails with a NoConfigError when there is no
// cluster to talk to.
func Connect(cfg Config) (*Client, error) {
	routeLogs(cfg.Log) // before anything of client-go runs, which may log
	c := &Client{resource: map[schema.GroupVersionKind]schema.GroupVersionResource{}}
	if err := c.load(cfg); err != nil {
		return nil, err
	}
	c.config.QPS = -1 // servers have priority and fairness; client-go's own 5/s only makes us slow
	c.config.UserAgent = cfg.UserAgent
	if c.config.UserAgent == "" {
		c.config.UserAgent = FieldManager
	}
	if cfg.As != "" {
		c.config.Impersonate = rest.ImpersonationConfig{UserName: cfg.As, Groups: cfg.AsGroups}
	}
	c.config.WarningHandlerWithContext = &c.warnings
	c.config.Wrap(newRetrying)
	if err := c.open(); err != nil {
		return nil, fmt.Errorf("read kubeconfig of context %q: %w", c.Context, err)
	}
	return c, nil
}

// open makes the clients, which share one HTTP transport.
func (c *Client) open() error {
	var err error
	if c.http, err = rest.HTTPClientFor(c.config); err != nil {
		return err
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, c.http); err != nil {
		return err
	}
	c.meta, err = metadata.NewForConfigAndClient(c.config, c.http)
	return err
}

func (c *Client) load(cfg Config) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = cfg.Kubeconfig
	rules.WarnIfAllMissing = false
	files := rules.GetLoadingPrecedence()
	if cfg.Kubeconfig != "" {
		files = []string{cfg.Kubeconfig}
	}
	files = shorten(files)
	raw, err := rules.Load()
	if err != nil {
		return &NoConfigError{Files: files, Context: cfg.Context, Err: err}
	}
	if len(raw.Contexts) == 0 && cfg.Kubeconfig == "" && cfg.Context == "" {
		return c.loadInCluster(files)
	}
	name := cfg.Context
	if name == "" {
		name = raw.CurrentContext
	}
	if raw.Contexts[name] == nil {
		return &NoConfigError{Files: files, Context: name, Contexts: contextNames(raw)}
	}
	loaded := clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, rules)
	if c.config, err = loaded.ClientConfig(); err != nil {
		return &NoConfigError{Files: files, Context: name, Contexts: contextNames(raw), Err: err}
	}
	c.Context, c.Server, c.Namespace = name, c.config.Host, raw.Contexts[name].Namespace
	c.user = raw.Contexts[name].AuthInfo
	if entry := raw.AuthInfos[c.user]; entry != nil && entry.Exec != nil {
		c.exec = filepath.Base(entry.Exec.Command)
	}
	return nil
}

// loadInCluster takes the pod's own service account: egk8s runs as a step of a pipeline in the cluster.
func (c *Client) loadInCluster(files []string) error {
	config, err := rest.InClusterConfig()
	if errors.Is(err, rest.ErrNotInCluster) {
		return &NoConfigError{Files: files}
	}
	if err != nil {
		return &NoConfigError{Files: files, Err: err}
	}
	c.config, c.Context, c.Server = config, "in-cluster", config.Host
	namespace, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err == nil {
		c.Namespace = string(namespace)
	}
	return nil
}

func contextNames(raw *clientcmdapi.Config) []string {
	names := make([]string, 0, len(raw.Contexts))
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// shorten writes the home folder as ~.
func shorten(files []string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return files
	}
	out := slices.Clone(files)
	for i, f := range out {
		if rel, err := filepath.Rel(home, f); err == nil && filepath.IsLocal(rel) {
			out[i] = filepath.Join("~", rel)
		}
	}
	return out
}

// Warnings returns what the API server warned of since the last call, each sentence once.
func (c *Client) Warnings() []string { return c.warnings.take() }

// limited returns a client that shares c's settings and has a time limit per request.
func (c *Client) limited(d time.Duration) *http.Client {
	h := *c.http
	h.Timeout = d
	return &h
}

// warnings collects the Warning headers of answers.
type warnings struct {
	mu   sync.Mutex
	seen map[string]bool
	list []string
}

// HandleWarningHeaderWithContext is called by client-go for every Warning header.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[text] {
		return
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	w.seen[text] = true
	w.list = append(w.list, text)
}

func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.list
	w.list = nil
	return list
}
