// Package cloudapi is a stub of Triton's CloudAPI for tests. It verifies signatures, keeps machines with their states,
// tags, metadata and addresses, pages lists, judges the texts of tags and firewall rules, and makes faults when asked
// to. The official command line drives it in a test, so that it cannot drift into what only our client understands.
package cloudapi

import (
	"crypto"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/ssh"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Network is a network with the addresses that machines get in it, in order.
type Network struct {
	triton.Network
	next int
}

// Server is one datacenter with one account. Its fields are set before it serves.
type Server struct {
	Account  triton.Account
	Networks []*Network
	Images   []triton.Image
	Packages []triton.Package
	Now      func() time.Time
	// Delay is how long a machine is provisioning, and how long tags and metadata take to be visible.
	Delay time.Duration

	mu       sync.Mutex
	keys     map[string]crypto.PublicKey // by MD5 fingerprint
	machines []*machine
	rules    []*triton.Rule
	faults   []*Fault
	lost     map[string]bool // networks that new machines do not get, whatever is asked for
	failing  bool            // the next new machine
	requests []string
	on       func(n int, method, path string)
}

// New makes a datacenter with CNS, a public network and a fabric, two packages and the load balancer's image.
func New() *Server {
	id := func() string { return uuid.NewString() }
	account := triton.Account{ID: id(), Login: "tester", CNS: true}
	zone := func(scope string) []string {
		root := ".dc-1." + scope + ".example.test"
		return []string{"inst." + account.ID + root, "svc." + account.ID + root, "inst." + account.Login + root, "svc." + account.Login + root}
	}
	return &Server{
		Account: account,
		Networks: []*Network{
			{Network: triton.Network{ID: id(), Name: "external", Public: true, Subnet: "203.0.113.0/24", Suffixes: zone("public")}},
			{Network: triton.Network{ID: id(), Name: "My-Fabric-Network", Fabric: true, Subnet: "192.168.128.0/22", Suffixes: zone("private")}},
			{Network: triton.Network{ID: id(), Name: "other", Fabric: true, Subnet: "192.168.200.0/24", Suffixes: zone("private")}},
		},
		Images: []triton.Image{
			{ID: id(), Name: "ubuntu-24.04", Version: "20250101", State: "active", Type: "lx-dataset", Published: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
			{ID: id(), Name: "cloud-load-balancer", Version: "1.3.0", State: "active", Type: "zone-dataset", Published: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)},
			{ID: id(), Name: "cloud-load-balancer", Version: "1.4.0", State: "active", Type: "zone-dataset", Published: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)},
		},
		Packages: []triton.Package{{ID: id(), Name: "g1.micro", Memory: 512, Disk: 10240}, {ID: id(), Name: "g1.small", Memory: 1024, Disk: 25600}},
		Now:      time.Now,
		keys:     map[string]crypto.PublicKey{},
		lost:     map[string]bool{},
	}
}

// Trust adds a key of the account.
func (s *Server) Trust(key ssh.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[ssh.FingerprintLegacyMD5(key)] = key.(ssh.CryptoPublicKey).CryptoPublicKey()
}

// On calls a function with every request's number, before it is answered.
func (s *Server) On(f func(n int, method, path string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = f
}

// Requests are those answered so far: "GET /tester/machines".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Writes counts the requests that change something.
func (s *Server) Writes() int {
	n := 0
	for _, r := range s.Requests() {
		if !strings.HasPrefix(r, "GET ") {
			n++
		}
	}
	return n
}

// failure is an answer that says no.
type failure struct {
	status        int
	code, message string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func notFound(what string) error {
	return &failure{http.StatusNotFound, "ResourceNotFound", what + " not found"}
}

func invalid(err error) error { return &failure{http.StatusConflict, "InvalidArgument", err.Error()} }

// answer is what a handler returns: a status, and a body unless it is nil.
type answer struct {
	status int
	body   any
	header map[string]string
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin(w, r) {
		return
	}
	a, data := s.respond(r)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Server", "cloudapi/9.20.0")
	h.Set("Api-Version", "9.0.0")
	h.Set("Request-Id", uuid.NewString())
	h.Set("Triton-Datacenter-Name", "dc-1")
	h.Set("Date", s.Now().UTC().Format(http.TimeFormat))
	for key, value := range a.header {
		h.Set(key, value)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(a.status)
	_, _ = w.Write(data)
}

// respond makes the whole answer: nothing of the datacenter is looked at later.
func (s *Server) respond(r *http.Request) (answer, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.serve(r)
	if err != nil {
		f, ok := err.(*failure) //nolint:errorlint // made here
		if !ok {
			f = &failure{http.StatusInternalServerError, "InternalError", err.Error()}
		}
		a = answer{status: f.status, body: map[string]string{"code": f.code, "message": f.message}}
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	data, err := json.Marshal(a.body)
	if err != nil {
		panic(err)
	}
	return a, data
}

// begin counts the request and lets a fault have it; false: it is answered.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	n, on, fault := len(s.requests), s.on, s.fault(r)
	s.mu.Unlock()
	if on != nil {
		on(n, r.Method, r.URL.Path)
	}
	return fault == nil || !fault.answer(w)
}

func (s *Server) serve(r *http.Request) (answer, error) {
	path := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if path[0] == "--ping" {
		return answer{body: map[string]any{"ping": "pong", "cloudapi": map[string]any{"versions": []string{"8.0.0", "9.0.0"}}}}, nil
	}
	if err := s.verify(r); err != nil {
		return answer{}, err
	}
	if path[0] != s.Account.Login && path[0] != s.Account.ID && path[0] != "my" {
		return answer{}, &failure{http.StatusForbidden, "NotAuthorized", "not your account"}
	}
	if len(path) == 1 {
		return answer{body: s.account()}, nil
	}
	switch path[1] {
	case "networks":
		return s.serveNetworks(path[2:])
	case "images":
		return s.serveImages(r, path[2:])
	case "packages":
		return s.servePackages(r, path[2:])
	case "machines":
		return s.serveMachines(r, path[2:])
	case "fwrules":
		return s.serveRules(r, path[2:])
	case "datacenters":
		return answer{body: map[string]string{"dc-1": "https://dc-1.example.test"}}, nil
	default:
		return answer{}, notFound(path[1])
	}
}

func (s *Server) account() map[string]any {
	return map[string]any{
		"id": s.Account.ID, "login": s.Account.Login, "email": "tester@example.test", "triton_cns_enabled": s.Account.CNS,
		"created": "2025-01-01T00:00:00.000Z", "updated": "2025-01-01T00:00:00.000Z",
	}
}

func (s *Server) serveNetworks(path []string) (answer, error) {
	if len(path) == 0 {
		list := make([]triton.Network, len(s.Networks))
		for i, n := range s.Networks {
			list[i] = n.Network
			list[i].Suffixes = nil // the list does not tell them everywhere
		}
		return answer{body: list}, nil
	}
	for _, n := range s.Networks {
		if n.ID == path[0] {
			return answer{body: n.Network}, nil
		}
	}
	return answer{}, notFound("network")
}

func (s *Server) serveImages(r *http.Request, path []string) (answer, error) {
	var list []any
	for _, i := range s.Images {
		full := map[string]any{
			"id": i.ID, "name": i.Name, "version": i.Version, "state": i.State, "type": i.Type, "os": "linux", "public": true,
			"owner": s.Account.ID, "published_at": i.Published, "requirements": map[string]any{}, "tags": map[string]any{}, "files": []any{},
		}
		if len(path) > 0 && i.ID == path[0] {
			return answer{body: full}, nil
		}
		if name := r.URL.Query().Get("name"); name == "" || name == i.Name {
			list = append(list, full)
		}
	}
	if len(path) > 0 {
		return answer{}, notFound("image")
	}
	return page(r, list)
}

func (s *Server) servePackages(r *http.Request, path []string) (answer, error) {
	var list []any
	for _, p := range s.Packages {
		full := map[string]any{
			"id": p.ID, "name": p.Name, "memory": p.Memory, "disk": p.Disk, "swap": 2 * p.Memory, "vcpus": 1, "lwps": 4000,
			"version": "1.0.0", "group": "g1", "default": false,
		}
		if len(path) > 0 && (p.ID == path[0] || p.Name == path[0]) {
			return answer{body: full}, nil
		}
		if name := r.URL.Query().Get("name"); name == "" || name == p.Name {
			list = append(list, full)
		}
	}
	if len(path) > 0 {
		return answer{}, notFound("package")
	}
	return page(r, list)
}

// page cuts a list as limit and offset say.
func page(r *http.Request, list []any) (answer, error) {
	const most = 1000
	limit, offset := most, 0
	for key, into := range map[string]*int{"limit": &limit, "offset": &offset} {
		if text := r.URL.Query().Get(key); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > most && key == "limit" {
				return answer{}, &failure{http.StatusConflict, "InvalidArgument", key + " is not valid"}
			}
			*into = n
		}
	}
	total := len(list)
	list = list[min(offset, total):min(offset+limit, total)]
	if list == nil {
		list = []any{}
	}
	return answer{body: list, header: map[string]string{
		"X-Resource-Count": strconv.Itoa(total), "X-Query-Limit": strconv.Itoa(limit),
	}}, nil
}
