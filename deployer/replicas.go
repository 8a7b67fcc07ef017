package deployer

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/deployer/rollout"
	"egk8s.dev/egk8s/deployer/verify"
)

// digests waits until every replica has loaded what was deployed.
func (d *deploy) digests(ctx context.Context) error {
	var causes []event.Cause
	for _, p := range d.rollout.Pods {
		if d.image != nil && p.ImageID != "" && !d.image.Matches(p.ImageID) {
			causes = append(causes, event.Cause{
				Code: "image-differs", Object: "Pod/" + p.Name, Reason: "ImageID",
				Message: fmt.Sprintf("the replica runs another image than this egk8s carries: %s", p.ImageID),
			})
		}
	}
	if len(causes) > 0 {
		return d.unhealthy(causes)
	}
	want := verify.Want{Config: d.rendered.Digest, Consumers: d.rendered.ConsumersDigest}
	loaded, err := d.loaded(ctx, d.rollout.Pods, want, d.owner(""))
	switch {
	case err != nil:
		return err
	case len(loaded.causes) > 0:
		return d.unhealthy(loaded.causes)
	case loaded.unasked != nil:
		d.warn("could not ask every replica which config it has loaded: " + loaded.unasked.Error())
	default:
		d.out.info(fmt.Sprintf("%d/%d replicas serve config %s", len(d.rollout.Pods), len(d.rollout.Pods), verify.Short(d.rendered.Digest)))
	}
	return nil
}

// answers is what asking the replicas brought.
type answers struct {
	causes  []event.Cause // replicas that have loaded something else
	unasked error         // why some replicas could not be asked; nil: all were
}

// loaded waits until every replica has loaded what is wanted. A replica that the API server does not reach is
// asked from inside the cluster. The error is the end of ctx.
func (s *session) loaded(ctx context.Context, replicas []rollout.Replica, want verify.Want, owner release.Owner) (answers, error) {
	pods := make([]verify.Pod, len(replicas))
	for i, p := range replicas {
		pods[i] = verify.Pod{Name: p.Name, IP: p.IP}
	}
	_, causes, unreached := verify.Wait(ctx, s.client, s.namespace, render.StatusPort, pods, want)
	if ctx.Err() != nil {
		return answers{}, context.Cause(ctx)
	}
	if len(causes) > 0 || len(unreached) == 0 {
		return answers{causes: causes}, nil
	}
	prober, err := s.prober(ctx, want.Config, owner)
	if err != nil {
		return answers{unasked: err}, nil
	}
	defer prober.Stop(ctx) //nolint:errcheck // it ends by itself
	causes, err = verify.Inside(ctx, prober, unreached, render.StatusPort, want)
	return answers{causes: causes, unasked: err}, nil
}

// prober prepares a pod beside the gateway's, from its own template.
func (s *session) prober(ctx context.Context, config string, owner release.Owner) (*verify.Prober, error) {
	u, err := s.client.Get(ctx, s.deploymentRef())
	if err != nil {
		return nil, err
	}
	var template struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := cluster.Decode(u, &template); err != nil {
		return nil, err
	}
	const lifetime = 2 * time.Minute
	return &verify.Prober{
		Cluster: s.client, Namespace: s.namespace, Release: s.name, Template: template.Spec.Template.Spec,
		OwnerUID: owner.UID, Config: config, Lifetime: lifetime,
	}, nil
}
