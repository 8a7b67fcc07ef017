package rollout

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// claims judges the PersistentVolumeClaims of a pod that no node has, and tells whether one of them holds
// it back. said is what the scheduler says about them; empty: nothing yet.
func (j *judge) claims(p *corev1.Pod, said string) bool {
	names := claimNames(p)
	if len(names) == 0 {
		return false
	}
	switch j.know(Claims) {
	case unread:
		return true
	case barred:
		j.unseenClaim(p, said)
		return true
	case known:
	}
	open := false
	for _, name := range names {
		claim := j.s.claim(name)
		switch {
		case claim == nil:
			open = true
			cause := j.claimCause(name, nil, "the pod mounts PersistentVolumeClaim %q, which does not exist", name)
			cause.Fix = "create it, or correct its name"
			j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: "claim/" + name + "/absent", after: 8 * time.Second})
		case claim.Status.Phase == corev1.ClaimLost:
			open = true
			cause := j.claimCause(name, claim, "the volume of PersistentVolumeClaim %q is lost", name)
			cause.Fix = "restore the volume, or delete the claim and let a new one be made"
			j.suspect(suspicion{cause: cause, mark: "claim/" + name + "/lost"})
		case claim.Status.Phase != corev1.ClaimBound:
			open = true
			j.pendingClaim(claim)
		}
	}
	return open
}

// unseenClaim is the rule for those who may not read claims: they know what the scheduler says.
func (j *judge) unseenClaim(p *corev1.Pod, said string) {
	cause := j.cause(p, "volume-claim", "Unschedulable", "the pod waits for a PersistentVolumeClaim")
	x := suspicion{mark: mark(p, "claims"), after: 90 * time.Second, born: p.CreationTimestamp.Time}
	if said != "" {
		cause.Message += ": " + short(said)
	}
	if strings.Contains(said, "not found") {
		x.after = 10 * time.Second
	}
	cause.Next = []string{"kubectl describe pvc -n " + p.Namespace}
	x.cause = cause
	j.suspect(x)
}

// pendingClaim: the claim has no volume. Nobody who would make one is a cause; somebody who is at it, or
// who waits for a pod, is none.
func (j *judge) pendingClaim(claim *corev1.PersistentVolumeClaim) {
	s, uid, name := j.s, claim.UID, claim.Name
	x := suspicion{mark: "claim/" + string(uid), born: claim.CreationTimestamp.Time}
	failed, making := s.lastEvent(uid, "ProvisioningFailed"), s.lastEvent(uid, "Provisioning")
	unbound, waits := s.told(uid, "FailedBinding"), s.told(uid, "ExternalProvisioning")
	unclassed := claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == ""
	switch {
	case failed != nil && strings.Contains(failed.Message, "storageclass") && strings.Contains(failed.Message, "not found"):
		x.cause = j.claimCause(name, claim, "PersistentVolumeClaim %q asks for a storage class that does not exist: %s", name, short(failed.Message))
		x.cause.Fix = "name a class that kubectl get storageclass lists"
		x.mark, x.after = x.mark+"/class", 8*time.Second
	case failed != nil:
		x.cause = j.claimCause(name, claim, "no volume can be made for PersistentVolumeClaim %q: %s", name, short(failed.Message))
		x.mark, x.after, x.since = x.mark+"/failed", time.Minute, firstTime(failed)
	case unbound != "" && unclassed:
		x.cause = j.claimCause(name, claim, "PersistentVolumeClaim %q names no storage class, the cluster has no default one, and no volume fits it", name)
		x.cause.Fix = "name a storage class (kubectl get storageclass), or make a PersistentVolume that fits"
		x.mark, x.after = x.mark+"/unclassed", 10*time.Second
	case waits != "" && making == nil:
		x.cause = j.claimCause(name, claim, "nobody makes a volume for PersistentVolumeClaim %q: %s", name, short(waits))
		x.cause.Fix = "see whether the storage class's provisioner runs"
		x.mark, x.after = x.mark+"/provisioner", time.Minute
	default:
		x.cause = j.claimCause(name, claim, "PersistentVolumeClaim %q has no volume yet", name)
		x.hold = true
	}
	j.suspect(x)
}

func (j *judge) claimCause(name string, claim *corev1.PersistentVolumeClaim, format string, args ...any) event.Cause {
	c := event.Cause{
		Code: "volume-claim", Object: "PersistentVolumeClaim/" + name, Reason: "Pending", Message: fmt.Sprintf(format, args...),
		Next: []string{"kubectl describe pvc " + name},
	}
	if claim != nil {
		c.Events = kubeEvents(j.s.eventsOf(claim.UID), j.s.Now)
		c.Next = []string{"kubectl describe pvc " + name + " -n " + claim.Namespace}
	}
	return c
}

// claimNames are the claims that the pod mounts: by name, or made for it alone.
func claimNames(p *corev1.Pod) []string {
	var out []string
	for _, v := range p.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			out = append(out, p.Name+"-"+v.Name)
		}
	}
	return out
}
