package deployer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/render"
)

// LogsOptions say which log lines to read.
type LogsOptions struct {
	Target
	Name     string
	Pod      string // empty: all replicas
	Follow   bool   // go on until ctx ends, with pods that come later too
	Previous bool   // of the container before the last restart
	Since    time.Duration
	Tail     int64 // lines from the end, per pod; 0: all
}

// LogLine is one line of one pod, without its line end.
type LogLine struct {
	Pod  string
	Text string
}

// Logs gives every line to out, never two at the same time, in each pod's own order. Without Follow
// it ends when all was read; with it, when ctx ends, and that is no error.
func Logs(ctx context.Context, opts LogsOptions, out func(LogLine)) error {
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return err
	}
	pods, err := s.pods(ctx)
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		if _, err := s.client.Get(ctx, s.deploymentRef()); cluster.IsNotFound(err) {
			return s.notDeployed(ctx)
		}
	}
	r := &logReader{session: s, opts: opts, out: out, reading: map[string]bool{}}
	if opts.Follow {
		return r.follow(ctx)
	}
	r.start(ctx, pods)
	r.all.Wait()
	return r.failure(opts.Pod)
}

func (s *session) pods(ctx context.Context) ([]*unstructured.Unstructured, error) {
	return s.client.List(ctx, s.podSelection())
}

func (s *session) podSelection() cluster.Selection {
	return cluster.Selection{Kind: object.Ref{Version: "v1", Kind: "Pod"}, Namespace: s.namespace, Labels: s.selector()}
}

// logReader reads the logs of pods, one goroutine each.
type logReader struct {
	session *session
	opts    LogsOptions
	all     sync.WaitGroup

	mu      sync.Mutex // also serialises out
	out     func(LogLine)
	reading map[string]bool // pods whose log is read or has been read
	lines   int
	err     error
}

// follow reads the logs of all pods there are and of those that come.
func (r *logReader) follow(ctx context.Context) error {
	err := r.session.client.Follow(ctx, r.session.podSelection(), &logObserver{ctx: ctx, reader: r})
	r.all.Wait()
	return err
}

// logObserver starts a reader for every pod whose container has started.
type logObserver struct {
	ctx    context.Context //nolint:containedctx // an Observer's methods have none; it lives as long as Follow
	reader *logReader
}

// Reset takes all pods.
func (o *logObserver) Reset(pods []*unstructured.Unstructured) { o.reader.start(o.ctx, pods) }

// Set takes one pod.
func (o *logObserver) Set(pod *unstructured.Unstructured) {
	o.reader.start(o.ctx, []*unstructured.Unstructured{pod})
}

// Remove does nothing: the stream of a pod that is gone ends by itself.
func (o *logObserver) Remove(*unstructured.Unstructured) {}

func (r *logReader) start(ctx context.Context, pods []*unstructured.Unstructured) {
	for _, u := range pods {
		name := u.GetName()
		if r.opts.Pod != "" && r.opts.Pod != name {
			continue
		}
		restarts, started := containerState(u)
		key := fmt.Sprintf("%s/%d", name, restarts)
		r.mu.Lock()
		skip := r.reading[key] || !started && r.opts.Follow
		if !skip {
			r.reading[key] = true
		}
		r.mu.Unlock()
		if !skip {
			r.all.Go(func() { r.read(ctx, name) })
		}
	}
}

// containerState tells how often the gateway's container was restarted, and whether it has a log.
func containerState(u *unstructured.Unstructured) (restarts int64, started bool) {
	statuses, _, _ := unstructured.NestedSlice(u.Object, "status", "containerStatuses")
	for _, s := range statuses {
		status, ok := s.(map[string]any)
		if !ok || status["name"] != render.ContainerName {
			continue
		}
		restarts, _, _ = unstructured.NestedInt64(status, "restartCount")
		_, running, _ := unstructured.NestedMap(status, "state", "running")
		_, ended, _ := unstructured.NestedMap(status, "state", "terminated")
		return restarts, running || ended
	}
	return 0, false
}

func (r *logReader) read(ctx context.Context, pod string) {
	stream, err := r.session.client.PodLogs(ctx, r.session.namespace, pod, cluster.LogOptions{
		Container: render.ContainerName, Follow: r.opts.Follow, Previous: r.opts.Previous, Since: r.opts.Since, Tail: r.opts.Tail,
	})
	if err == nil {
		err = r.copy(pod, stream)
	}
	if err != nil && ctx.Err() == nil {
		r.mu.Lock()
		r.err = errors.Join(r.err, err)
		r.mu.Unlock()
	}
}

func (r *logReader) copy(pod string, stream io.ReadCloser) error {
	defer stream.Close()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r.mu.Lock()
		r.lines++
		r.out(LogLine{Pod: pod, Text: lines.Text()})
		r.mu.Unlock()
	}
	return lines.Err()
}

// failure is the error of reading: one pod that has no log yet does not hide those that have.
func (r *logReader) failure(pod string) error {
	switch {
	case pod != "" && len(r.reading) == 0:
		return &SettingsError{Message: fmt.Sprintf("release %s has no pod %q", r.session.name, pod), Hint: "egk8s status"}
	case r.lines > 0:
		return nil
	default:
		return r.err
	}
}
