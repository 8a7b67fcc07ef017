package migrate

import (
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// composeService is one service of a docker-compose file.
type composeService struct {
	file, name, image string
	gateway           bool // Express Gateway itself
	env               map[string]string
	ports             []composePort
}

// composePort is a port of the container, and the one of the host that leads to it; 0: none.
type composePort struct{ host, container int }

func (a *around) readCompose(root string) {
	for _, name := range []string{"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"} {
		data, ok := a.read(root, name)
		if !ok {
			continue
		}
		var doc struct {
			Services map[string]map[string]any `json:"services"`
		}
		if err := yaml.Unmarshal(data, &doc); err != nil {
			a.unread = append(a.unread, unread{name, "it is no compose file"})
			continue
		}
		for service, content := range doc.Services {
			s := readService(name, service, content)
			a.compose = append(a.compose, s)
			if s.gateway {
				a.env = append(a.env, variables{file: name, values: s.env})
			}
		}
	}
}

func readService(file, name string, content map[string]any) composeService {
	s := composeService{file: file, name: name, env: map[string]string{}}
	s.image, _ = content["image"].(string)
	s.gateway = strings.Contains(s.image, "express-gateway") || strings.Contains(strings.ToLower(fmt.Sprint(content["volumes"])), "gateway.config") ||
		here(content["build"])
	switch env := content["environment"].(type) {
	case map[string]any:
		for k, v := range env {
			if v != nil {
				s.env[k] = fmt.Sprint(v)
			}
		}
	case []any:
		for _, item := range env {
			if k, v, ok := strings.Cut(fmt.Sprint(item), "="); ok {
				s.env[k] = v
			}
		}
	}
	for _, field := range []string{"ports", "expose"} {
		list, _ := content[field].([]any)
		for _, item := range list {
			if p, ok := readPort(item); ok {
				s.ports = append(s.ports, p)
			}
		}
	}
	return s
}

// here tells whether an image is built of the folder itself, where Express Gateway is.
func here(build any) bool {
	if m, ok := build.(map[string]any); ok {
		build = m["context"]
	}
	text, _ := build.(string)
	return text == "." || text == "./"
}

// readPort reads "8080:3000", "127.0.0.1:8080:3000/tcp", 3000 or {published, target}.
func readPort(item any) (composePort, bool) {
	if m, ok := item.(map[string]any); ok {
		host, _ := strconv.Atoi(fmt.Sprint(m["published"]))
		container, err := strconv.Atoi(fmt.Sprint(m["target"]))
		return composePort{host, container}, err == nil
	}
	text, _, _ := strings.Cut(fmt.Sprint(item), "/")
	parts := strings.Split(text, ":")
	container, err := strconv.Atoi(parts[len(parts)-1])
	if err != nil {
		return composePort{}, false
	}
	host := 0
	if len(parts) > 1 {
		host, _ = strconv.Atoi(parts[len(parts)-2])
	}
	return composePort{host, container}, true
}

// published finds what answers on a port of the machine: the Service that it will be in a cluster, and its port.
func (a *around) published(port int) (service string, at int, file string, ok bool) {
	for _, s := range a.compose {
		for _, p := range s.ports {
			if p.host == port && !s.gateway {
				return s.name, p.container, s.file, true
			}
		}
	}
	for _, o := range a.objects {
		for _, p := range servicePorts(o) {
			if p.port == port || p.node == port {
				return o.name, p.port, o.file, true
			}
		}
	}
	return "", 0, "", false
}

// named finds the service that a host name of one label means; where a compose file and a manifest have it, the manifest's.
func (a *around) named(host string) (file, kind string, ok bool) {
	for _, o := range a.objects {
		if o.kind == "Service" && o.name == host {
			return o.file, "Service", true
		}
	}
	for _, s := range a.compose {
		if s.name == host {
			return s.file, "compose", true
		}
	}
	return "", "", false
}
