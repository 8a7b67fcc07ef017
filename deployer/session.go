package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/release"
)

// apiVersion is that of every result.
const apiVersion = "egk8s.dev/v1alpha1"

// session is what every verb needs: a connection, a namespace and the release in it.
type session struct {
	client    *cluster.Client
	namespace string
	name      string
	store     *release.Store
	now       func() time.Time
	started   time.Time
}

// connect reads the kubeconfig; it sends no request.
func connect(t Target, p *project.Project, name, version string) (*session, error) {
	contextName, namespace := t.Context, t.Namespace
	if p != nil {
		contextName, namespace = cmp.Or(contextName, p.Context), cmp.Or(namespace, p.Namespace)
		name = p.Name
	}
	if version == "" {
		version = "dev"
	}
	client, err := cluster.Connect(cluster.Config{
		Kubeconfig: t.Kubeconfig, Context: contextName, As: t.As, AsGroups: t.AsGroups, UserAgent: "egk8s/" + version, Log: t.Log,
	})
	if err != nil {
		return nil, err
	}
	s := &session{client: client, name: name, namespace: cmp.Or(namespace, client.Namespace, "default"), now: time.Now}
	s.started = s.now()
	s.store = &release.Store{Cluster: client, Name: name, Namespace: s.namespace, Version: version, Now: s.now}
	return s, nil
}

// stream opens the event stream of a verb.
func (s *session) stream(sink event.Sink, verb, cloud string, deadline time.Time) *stream {
	return &stream{sink: sink, target: s.name, now: s.now, header: event.Header{
		Verb: verb, Release: s.name, Cloud: cloud, Context: s.client.Context, Namespace: s.namespace, Deadline: deadline,
	}}
}

// holder says who this process is, to whoever finds its lock.
func holder() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s@%s pid %d", name, host, os.Getpid())
}

// notDeployed is the error for a release that does not exist, with those that do.
func (s *session) notDeployed(ctx context.Context) error {
	others, err := release.Releases(ctx, s.client, s.namespace)
	if err != nil {
		others = nil // they are a help only
	}
	return &NotDeployedError{Name: s.name, Namespace: s.namespace, Context: s.client.Context, Others: others}
}

// ended turns the end of a context into the error for it. limit is the run's own time limit.
func ended(ctx context.Context, err error, limit time.Duration, applied, pending []Change, waiting []event.Cause) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case errors.Is(cause, release.ErrLockLost):
		return &LockedError{Release: "this release", Holder: "another deploy, which took the lock over"}
	case errors.Is(cause, context.DeadlineExceeded):
		return &TimeoutError{After: limit, Waiting: waiting}
	default:
		return &InterruptedError{Applied: applied, Pending: pending, Err: cause}
	}
}
