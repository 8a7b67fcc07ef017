package render

import (
	"maps"
	"path"
	"slices"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/project"
)

// values are what the chart gets for this release: JSON types only, and no content of any file.
func values(in Input, r *Rendered) map[string]any {
	spec := in.Project.Spec
	v := map[string]any{
		"image":     map[string]any{"reference": in.Image.Reference, "pullPolicy": pullPolicy(in), "pullSecrets": list(spec.Image.PullSecrets)},
		"replicas":  spec.Replicas.Fixed,
		"config":    configValues(in, r),
		"env":       texts(spec.Env),
		"logLevel":  spec.LogLevel,
		"service":   serviceValues(in.Profile.Service, spec.Service, r.Ports),
		"adminPort": r.Ports.Admin,
		"drain":     map[string]any{"delay": spec.Drain.Delay, "timeout": spec.Drain.Timeout},
		"resources": map[string]any{"requests": texts(spec.Resources.Requests), "limits": texts(spec.Resources.Limits)},
		"spread":    list(in.Profile.Spread),
	}
	if r := spec.Replicas; r.Autoscaled() {
		v["replicas"] = r.Min // of the chart's other uses; the Deployment has none
		v["autoscaling"] = map[string]any{"enabled": true, "min": r.Min, "max": r.Max, "cpu": r.CPU}
	}
	secretEnv := map[string]any{}
	for name, ref := range spec.SecretEnv {
		secretEnv[name] = map[string]any{"secret": ref.Secret, "key": ref.Key}
	}
	v["secretEnv"] = secretEnv
	tls := map[string]any{}
	for name, ref := range spec.TLS {
		tls[name] = ref.Secret
	}
	v["tls"] = tls
	if spec.Store.Redis != nil {
		v["redis"] = redisValues(in.Project)
	}
	if r.Names.ConsumersSecret != "" {
		v["consumers"] = map[string]any{"secret": r.Names.ConsumersSecret, "key": path.Base(in.Files.Consumers.Path)}
	}
	podValues(v, spec)
	if s := in.Profile.StatusService; s.Enabled {
		v["statusService"] = map[string]any{"enabled": true, "type": or(s.Type, "ClusterIP"), "annotations": texts(s.Annotations)}
	}
	return v
}

func pullPolicy(in Input) string {
	return or(in.Image.PullPolicy, in.Profile.Image.PullPolicy, "IfNotPresent")
}

func configValues(in Input, r *Rendered) map[string]any {
	var public, secret []string
	for _, f := range in.Files.Config {
		if f.Secret {
			secret = append(secret, f.Path)
		} else {
			public = append(public, f.Path)
		}
	}
	return map[string]any{
		"objects": map[string]any{
			"configMap": r.Names.ConfigMap, "secret": r.Names.Secret, "digest": r.Digest,
			"files": list(public), "secretFiles": list(secret),
		},
		"fromSecrets": fromSecrets(in.Project.Spec.Files),
	}
}

func fromSecrets(files []project.SecretFile) []any {
	out := make([]any, 0, len(files))
	for _, f := range files {
		out = append(out, map[string]any{"path": f.Path, "secret": f.Secret, "key": f.Key})
	}
	return out
}

// serviceValues are the profile's Service with what the project says differently. Another type than the
// profile's means that the profile's class and annotations do not fit.
func serviceValues(profile cloud.Service, wanted project.Service, ports Ports) map[string]any {
	if wanted.Type != "" && wanted.Type != profile.Type {
		profile = cloud.Service{Type: wanted.Type}
	}
	annotations := maps.Clone(profile.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(annotations, wanted.Annotations)
	return map[string]any{
		"type": profile.Type, "port": ports.HTTP, "httpsPort": ports.HTTPS, "loadBalancerClass": profile.LoadBalancerClass,
		"externalTrafficPolicy": profile.ExternalTrafficPolicy, "annotations": texts(annotations),
	}
}

func texts(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func list(items []string) []any {
	out := make([]any, 0, len(items))
	for item := range slices.Values(items) {
		out = append(out, item)
	}
	return out
}

func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
