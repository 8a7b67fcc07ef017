package migrate

import (
	"fmt"
	"strings"
)

// servicePort is one port of a Service.
type servicePort struct{ port, node int }

func servicePorts(o object) []servicePort {
	if o.kind != "Service" {
		return nil
	}
	spec, _ := o.content["spec"].(map[string]any)
	list, _ := spec["ports"].([]any)
	var ports []servicePort
	for _, item := range list {
		p, _ := item.(map[string]any)
		ports = append(ports, servicePort{number(p["port"]), number(p["nodePort"])})
	}
	return ports
}

func number(v any) int {
	switch v := v.(type) {
	case float64:
		return int(v)
	case int64:
		return int(v)
	default:
		return 0
	}
}

// gatewayContainer finds the container that runs Express Gateway in a workload.
func gatewayContainer(o object) (map[string]any, bool) {
	if o.kind != "Deployment" && o.kind != "StatefulSet" && o.kind != "DaemonSet" {
		return nil, false
	}
	spec, _ := o.content["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	pod, _ := template["spec"].(map[string]any)
	list, _ := pod["containers"].([]any)
	for _, item := range list {
		c, _ := item.(map[string]any)
		image, _ := c["image"].(string)
		if strings.Contains(image, "express-gateway") || strings.Contains(fmt.Sprint(c["volumeMounts"]), "gateway.config") ||
			strings.Contains(o.name, "gateway") && len(list) == 1 {
			return c, true
		}
	}
	return nil, false
}

// gatewayEnv are the variables that a workload gives to Express Gateway.
func gatewayEnv(o object) (variables, bool) {
	c, ok := gatewayContainer(o)
	if !ok {
		return variables{}, false
	}
	v := variables{file: o.file, values: map[string]string{}, secrets: map[string][2]string{}}
	list, _ := c["env"].([]any)
	for _, item := range list {
		entry, _ := item.(map[string]any)
		name, _ := entry["name"].(string)
		if value, ok := entry["value"].(string); ok {
			v.values[name] = value
			continue
		}
		from, _ := entry["valueFrom"].(map[string]any)
		ref, _ := from["secretKeyRef"].(map[string]any)
		secret, _ := ref["name"].(string)
		key, _ := ref["key"].(string)
		if secret != "" && key != "" {
			v.secrets[name] = [2]string{secret, key}
		}
	}
	return v, true
}

// surroundings tells of the files beside the config folder: what of them is used, and what is no longer needed.
func (m *migration) surroundings() {
	if d := m.around.dockerfile; d != nil {
		m.add(Mapped, "Dockerfile", d.file, "not needed: egk8s carries the gateway's image, and the config comes by ConfigMap and Secret")
	}
	for _, s := range m.around.compose {
		if s.gateway {
			m.add(Mapped, "compose service "+s.name, s.file, "to the release %s", m.opts.Name)
		}
	}
	for _, o := range m.around.objects {
		m.workload(o)
	}
	for _, u := range m.around.unread {
		m.add(NeedsYou, u.file, u.file, "was not looked at, as %s: see yourself whether it gives the gateway anything", u.why)
	}
	for _, plugin := range m.around.plugins {
		m.plugin(plugin)
	}
}

func (m *migration) workload(o object) {
	if _, ok := gatewayContainer(o); ok {
		spec, _ := o.content["spec"].(map[string]any)
		if n := number(spec["replicas"]); n > 0 {
			m.result.Found.Replicas = n
		}
		m.add(Mapped, o.kind+" "+o.name, o.file, "to the Deployment %s that egk8s makes; delete this one when traffic has moved", m.opts.Name)
		return
	}
	if (o.kind == "Ingress" || o.kind == "HTTPRoute") && strings.Contains(fmt.Sprint(o.content["spec"]), "gateway") {
		m.add(NeedsYou, o.kind+" "+o.name, o.file, "point its backend at the Service %s", m.opts.Name)
	}
}

// plugin tells what to use instead of a plugin package.
func (m *migration) plugin(name string) {
	policy := name[strings.Index(name, "express-gateway-plugin-")+len("express-gateway-plugin-"):]
	hint := offlineHint(policy)
	if hint == "" {
		hint = "a plugin's code cannot run here: see docs/reference/plugins.md for what its policies can become; forward-auth lets a service of yours decide"
	}
	m.add(NeedsYou, "plugin "+name, "package.json", "%s", hint)
}
