package cloudapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

type machine struct {
	triton.Machine
	created time.Time
	fails   bool
	nics    map[string]string // network: address
	changes []change
}

// change is one that is accepted and not visible yet.
type change struct {
	at    time.Time
	apply func(*machine)
}

// settle does what is due.
func (m *machine) settle(now time.Time, delay time.Duration) {
	if m.State == triton.Provisioning && !now.Before(m.created.Add(delay)) {
		m.State = triton.Running
		if m.fails {
			m.State = triton.Failed
		}
	}
	for len(m.changes) > 0 && !now.Before(m.changes[0].at) {
		m.changes[0].apply(m)
		m.changes = m.changes[1:]
	}
}

// shown is the machine as the API shows it.
func (s *Server) shown(m *machine) map[string]any {
	out := map[string]any{
		"id": m.ID, "name": m.Name, "type": "smartmachine", "brand": m.Brand, "state": m.State, "image": m.Image, "package": m.Package,
		"ips": []string{}, "networks": m.Networks, "tags": m.Tags, "metadata": m.Metadata, "firewall_enabled": m.Firewall,
		"memory": 512, "disk": 10240, "created": m.created.UTC(), "updated": m.created.UTC(), "compute_node": nil, "deletion_protection": false,
	}
	if m.State != triton.Provisioning {
		out["ips"] = m.IPs
		if len(m.IPs) > 0 {
			out["primaryIp"] = m.IPs[0]
		}
	}
	return out
}

func (s *Server) find(id string) (*machine, error) {
	for _, m := range s.machines {
		if m.ID != id {
			continue
		}
		m.settle(s.Now(), s.Delay)
		if m.State == triton.Deleted {
			return nil, &failure{http.StatusGone, "ResourceNotFound", "VM is deleted"}
		}
		return m, nil
	}
	return nil, notFound("VM")
}

func (s *Server) serveMachines(r *http.Request, path []string) (answer, error) {
	switch {
	case len(path) == 0 && r.Method == http.MethodPost:
		return s.create(r)
	case len(path) == 0:
		return s.listMachines(r)
	}
	m, err := s.find(path[0])
	if err != nil {
		return answer{}, err
	}
	switch {
	case len(path) > 1 && path[1] == "tags":
		return s.serveTags(r, m, path[2:])
	case len(path) > 1 && path[1] == "metadata":
		return s.serveMetadata(r, m, path[2:])
	case len(path) > 1:
		return answer{}, notFound(path[1])
	case r.Method == http.MethodDelete:
		m.State = triton.Deleted
		return answer{status: http.StatusNoContent}, nil
	case r.Method == http.MethodPost:
		if action := r.URL.Query().Get("action"); action != "start" || m.State != triton.Stopped {
			return answer{}, invalid(fmt.Errorf("cannot %s a machine that is %s", action, m.State))
		}
		m.State = triton.Running
		return answer{status: http.StatusAccepted}, nil
	default:
		return answer{body: s.shown(m)}, nil
	}
}

func (s *Server) listMachines(r *http.Request) (answer, error) {
	var list []any
	for _, m := range s.machines {
		m.settle(s.Now(), s.Delay)
		if m.State == triton.Deleted || !selected(r, m) {
			continue
		}
		list = append(list, s.shown(m))
	}
	return page(r, list)
}

func selected(r *http.Request, m *machine) bool {
	for key, values := range r.URL.Query() {
		if tag, ok := strings.CutPrefix(key, "tag."); ok && m.Tag(tag) != values[0] {
			return false
		}
		if key == "name" && m.Name != values[0] {
			return false
		}
	}
	return true
}

func readBody(r *http.Request) (map[string]any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, invalid(err)
		}
	}
	return body, nil
}

func (s *Server) create(r *http.Request) (answer, error) {
	body, err := readBody(r)
	if err != nil {
		return answer{}, err
	}
	m := &machine{created: s.Now(), nics: map[string]string{}, fails: s.failing}
	s.failing = false
	m.ID, m.State, m.Brand = uuid.NewString(), triton.Provisioning, "joyent"
	m.Tags, m.Metadata = map[string]any{}, map[string]any{}
	m.Name, _ = body["name"].(string)
	m.Image, _ = body["image"].(string)
	m.Firewall, _ = body["firewall_enabled"].(bool)
	size, _ := body["package"].(string)
	if !slices.ContainsFunc(s.Images, func(i triton.Image) bool { return i.ID == m.Image }) {
		return answer{}, invalid(errors.New("image not found"))
	}
	i := slices.IndexFunc(s.Packages, func(p triton.Package) bool { return p.ID == size || p.Name == size })
	if i < 0 {
		return answer{}, invalid(errors.New("package not found"))
	}
	m.Package = s.Packages[i].Name
	if slices.ContainsFunc(s.machines, func(o *machine) bool { return o.State != triton.Deleted && o.Name == m.Name && m.Name != "" }) {
		return answer{}, invalid(fmt.Errorf("name: already exists: %s", m.Name))
	}
	for key, value := range body {
		if tag, ok := strings.CutPrefix(key, "tag."); ok {
			if err := checkTag(tag, value); err != nil {
				return answer{}, err
			}
			m.Tags[tag] = value
		}
		if meta, ok := strings.CutPrefix(key, "metadata."); ok {
			m.Metadata[meta] = value
		}
	}
	if err := s.connect(m, body["networks"]); err != nil {
		return answer{}, err
	}
	s.machines = append(s.machines, m)
	m.settle(s.Now(), s.Delay)
	return answer{status: http.StatusCreated, body: s.shown(m)}, nil
}

// connect gives a machine an address in each network.
func (s *Server) connect(m *machine, wanted any) error {
	list, _ := wanted.([]any)
	if len(list) == 0 {
		list = []any{s.Networks[0].ID}
	}
	for _, entry := range list {
		id, _ := entry.(string)
		if object, ok := entry.(map[string]any); ok {
			id, _ = object["ipv4_uuid"].(string)
		}
		i := slices.IndexFunc(s.Networks, func(n *Network) bool { return n.ID == id })
		if i < 0 {
			return invalid(fmt.Errorf("network %s not found", id))
		}
		if !s.lost[id] {
			s.attach(m, s.Networks[i])
		}
	}
	return nil
}

func (s *Server) attach(m *machine, n *Network) {
	const first = 10 // addresses that a network keeps for itself
	address := netip.MustParsePrefix(n.Subnet).Addr()
	n.next++
	for range first + n.next {
		address = address.Next()
	}
	m.nics[n.ID] = address.String()
	m.IPs, m.Networks = append(m.IPs, address.String()), append(m.Networks, n.ID)
}

// checkTag judges a tag with the rules that CloudAPI has from triton-tags; testdata/cloudapi/oracle proves them.
func checkTag(key string, value any) error {
	if key == triton.DisableTag {
		if _, ok := value.(bool); !ok && value != "true" && value != "false" {
			return invalid(fmt.Errorf("tag %s must be a boolean", key))
		}
		return nil
	}
	if err := triton.CheckTag(key, fmt.Sprint(value)); err != nil {
		return invalid(err)
	}
	return nil
}

func (s *Server) later(m *machine, apply func(*machine)) {
	m.changes = append(m.changes, change{at: s.Now().Add(s.Delay), apply: apply})
	m.settle(s.Now(), s.Delay)
}

func (s *Server) serveTags(r *http.Request, m *machine, path []string) (answer, error) {
	switch {
	case r.Method == http.MethodDelete && len(path) == 1:
		if _, ok := m.Tags[path[0]]; !ok {
			return answer{}, notFound("tag")
		}
		s.later(m, func(m *machine) { delete(m.Tags, path[0]) })
		return answer{status: http.StatusNoContent}, nil
	case r.Method == http.MethodDelete:
		s.later(m, func(m *machine) { m.Tags = map[string]any{} })
		return answer{status: http.StatusNoContent}, nil
	case r.Method == http.MethodGet && len(path) == 1:
		value, ok := m.Tags[path[0]]
		if !ok {
			return answer{}, notFound("tag")
		}
		return answer{body: value}, nil
	case r.Method == http.MethodGet:
		return answer{body: m.Tags}, nil
	}
	body, err := readBody(r)
	if err != nil {
		return answer{}, err
	}
	for key, value := range body {
		if err := checkTag(key, value); err != nil {
			return answer{}, err
		}
	}
	s.later(m, func(m *machine) {
		tags := map[string]any{}
		if r.Method == http.MethodPost {
			maps.Copy(tags, m.Tags)
		}
		maps.Copy(tags, body)
		m.Tags = tags
	})
	seen := maps.Clone(m.Tags)
	maps.Copy(seen, body)
	return answer{body: seen}, nil
}

func (s *Server) serveMetadata(r *http.Request, m *machine, path []string) (answer, error) {
	switch {
	case r.Method == http.MethodDelete && len(path) == 1:
		if _, ok := m.Metadata[path[0]]; !ok {
			return answer{}, notFound("metadata")
		}
		s.later(m, func(m *machine) { delete(m.Metadata, path[0]) })
		return answer{status: http.StatusNoContent}, nil
	case r.Method == http.MethodGet:
		return answer{body: m.Metadata}, nil
	case r.Method != http.MethodPost || len(path) > 0: // there is no PUT of one key
		return answer{}, &failure{http.StatusMethodNotAllowed, "BadMethod", r.Method + " is not allowed"}
	}
	body, err := readBody(r)
	if err != nil {
		return answer{}, err
	}
	s.later(m, func(m *machine) {
		all := maps.Clone(m.Metadata)
		maps.Copy(all, body)
		m.Metadata = all
	})
	seen := maps.Clone(m.Metadata)
	maps.Copy(seen, body)
	return answer{body: seen}, nil
}
