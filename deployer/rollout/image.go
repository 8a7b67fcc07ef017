package rollout

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// image: the kubelet cannot get the image. What the registry says for good is proof at its second
// look; an unreachable registry may come back.
func (j *judge) image(p *corev1.Pod, c corev1.ContainerStatus) {
	w := c.State.Waiting
	message := w.Message
	// A back-off tells nothing; the event of the try before tells why.
	if e := j.s.lastEvent(p.UID, "Failed"); e != nil && (w.Reason == "ImagePullBackOff" || message == "") && strings.Contains(e.Message, "pull") {
		message = e.Message
	}
	kind := imageProblem(w.Reason, message)
	cause := j.containerCause(p, c, kind.code, w.Reason, kind.message+": "+c.Image)
	cause.Fix = kind.fix
	if kind.code == "image-pull" && kind.fix == "" {
		cause.Message += ": " + short(innermost(message))
	}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, "image"), after: kind.after})
}

// imageReason tells whether a container waits for its image.
func imageReason(reason string) bool {
	return slices.Contains([]string{
		"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable",
		"SignatureValidationFailed",
	}, reason)
}

// innermost leaves of an error of the container runtime what the registry or the network said: each layer
// before it only repeats the image's name.
func innermost(message string) string {
	for _, before := range []string{"failed to do request: ", "failed to resolve reference ", "failed to pull and unpack image "} {
		if _, after, ok := strings.Cut(message, before); ok {
			return after
		}
	}
	return message
}

func imageProblem(reason, message string) problem {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(strings.ToLower(message), w) {
				return true
			}
		}
		return false
	}
	sure := 4 * time.Second
	switch {
	case reason == "InvalidImageName":
		return problem{"image-name", "the image's name is not valid", "correct spec.image.repository in egk8s.yaml", 0}
	case reason == "ErrImageNeverPull":
		return problem{"image-pull", "the image is not on the node and may not be pulled", "load it: egk8s image load", 0}
	case has("no match for platform", "no matching manifest"):
		return problem{"wrong-platform", "the image is not built for the node's processor", "push it for all platforms: egk8s image push", 0}
	case has("unauthorized", "authentication required", "access denied", "403 forbidden", "no basic auth"):
		return problem{"image-pull", "the registry does not let the node pull the image", "add a pull Secret to spec.image.pullSecrets in egk8s.yaml", sure}
	case reason == "SignatureValidationFailed":
		return problem{"image-pull", "the node's policy does not accept the image's signature", "sign the image, or change the node's policy", sure}
	case has("x509:", "certificate signed by unknown"):
		return problem{"image-pull", "the node does not trust the registry's certificate", "make the node's container runtime trust its CA", sure}
	case has("no space left"):
		return problem{"image-pull", "the node's disk is full, so that the image cannot be unpacked", "free the node's disk, or add a node", 15 * time.Second}
	case has("http response to https client"):
		return problem{"image-pull", "the registry speaks plain HTTP and the node expects HTTPS", "configure the node's container runtime for this registry", sure}
	case has("not found", "manifest unknown", "name unknown", "does not exist", "not known to registry"):
		return problem{"image-pull", "the image does not exist", "correct the image's name, or push it: egk8s image push", sure}
	default:
		return problem{"image-pull", "the node cannot pull the image", "", 45 * time.Second}
	}
}
