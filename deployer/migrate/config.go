package migrate

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

func offlineHint(policy string) string { return offline.PluginHint(policy) }

// listeners tells of the ports.
func (m *migration) listeners() {
	for _, l := range []struct {
		name, field string
		port        *offline.Port
		pod         int
	}{{"http", "port", m.report.HTTP, project.PodHTTPPort}, {"https", "httpsPort", m.report.HTTPS, project.PodHTTPSPort}} {
		switch {
		case l.port == nil:
		case l.port.Port == 0:
			m.add(NeedsYou, l.name, "", "its port is not known here: write it as spec.service.%s of egk8s.yaml", l.field)
		case l.port.Port == l.pod:
			m.add(Works, fmt.Sprintf("%s port %d", l.name, l.port.Port), "", "in the pod and at the Service")
		default:
			m.add(Mapped, fmt.Sprintf("%s port %d", l.name, l.port.Port), "", "stays the port of the Service; in the pod it is %d", l.pod)
		}
		if l.port != nil && l.port.Host != "" {
			m.add(Mapped, l.name+" address "+l.port.Host, "", "to all addresses of the pod, behind the Service")
		}
	}
	if m.report.Admin != nil {
		m.add(Mapped, "Admin API", "", "to the pod's own address: reach it by egk8s port-forward")
	}
}

func (m *migration) store() {
	host := m.report.RedisHost
	if host == "" {
		return
	}
	_, _, beside := m.around.named(host)
	if offline.IsLoopback(host) || beside {
		m.result.Found.Redis = project.RedisInternal
		m.add(NeedsYou, "Redis "+host, "", "was beside Express Gateway; egk8s runs one beside the gateway (store: {redis: {mode: internal}}), which is empty at first: "+
			"copy the keys of the old one, or point store at one that the pods reach")
		return
	}
	m.result.Found.Redis = project.RedisExternal
	m.add(Mapped, "Redis "+host, "", "stays where users, credentials and tokens are (store: {redis: {mode: external}}); the pods have to reach it")
}

// references tells of keys, certificates and other files that the config names.
func (m *migration) references() {
	told := map[string]bool{}
	for _, ref := range m.report.References {
		if told[ref.Path] {
			continue
		}
		told[ref.Path] = true
		copied := slices.ContainsFunc(m.result.Files, func(f project.NewFile) bool { return f.Path == "config/"+ref.Path })
		switch {
		case copied && strings.HasSuffix(ref.Path, ".key"):
			m.add(Works, "file "+ref.Path, m.at(ref.Pos), "copied; it goes into a Secret. Keep it out of the repository, or use spec.tls or spec.files")
		case copied:
			m.add(Works, "file "+ref.Path, m.at(ref.Pos), "copied, at the same relative path")
		case ref.TLS != "":
			m.missingTLS(ref)
		case path.IsAbs(ref.Path) || !filepath.IsLocal(filepath.FromSlash(ref.Path)):
			m.add(NeedsYou, "file "+ref.Path, m.at(ref.Pos), "%s lies outside of the folder: name it relative to the config folder, and give it by spec.files", ref.What)
		default:
			secret := m.opts.Name + "-files"
			m.result.Found.Files = append(m.result.Found.Files, project.SecretFile{Path: ref.Path, Secret: secret, Key: path.Base(ref.Path)})
			m.add(NeedsYou, "file "+ref.Path, m.at(ref.Pos), "it is not in the folder, so spec.files takes it from a Secret: kubectl create secret generic %s --from-file=%s=FILE",
				secret, path.Base(ref.Path))
		}
	}
}

// missingTLS takes the key and certificate of an https entry from a Secret, where they are not in the folder.
func (m *migration) missingTLS(ref offline.Reference) {
	if m.result.Found.TLS == nil {
		m.result.Found.TLS = map[string]project.TLSSecret{}
	}
	if _, told := m.result.Found.TLS[ref.TLS]; told {
		return
	}
	secret := m.opts.Name + "-tls"
	if ref.TLS != "default" {
		secret += "-" + strconv.Itoa(len(m.result.Found.TLS)+1)
	}
	m.result.Found.TLS[ref.TLS] = project.TLSSecret{Secret: secret}
	m.add(NeedsYou, "certificate "+ref.TLS, m.at(ref.Pos), "its key or certificate is not in the folder, so spec.tls takes both from a Secret: "+
		"kubectl create secret tls %s --cert=FILE --key=FILE (cert-manager makes such Secrets, too)", secret)
}

// upstreams tells for every service endpoint in use where it is in a cluster.
func (m *migration) upstreams() {
	told := map[string]bool{}
	for _, u := range m.report.Upstreams {
		if told[u.Name] && offline.IsLoopback(u.Host) {
			continue
		}
		told[u.Name] = true
		if given, ok := m.opts.Upstreams[u.Name]; ok {
			m.result.Found.Upstream(u.Name, given)
			m.add(Mapped, "service endpoint "+u.Name, m.at(u.Pos), "to %s, as you said", given)
			continue
		}
		parsed, err := url.Parse(u.URL)
		if err != nil {
			continue
		}
		m.upstream(u, parsed)
	}
}

func (m *migration) upstream(u offline.Upstream, parsed *url.URL) {
	subject := "service endpoint " + u.Name
	switch {
	case m.report.IsAdmin(u):
		m.add(Works, subject, m.at(u.Pos), "%s is the gateway's own Admin API, in the pod too", u.URL)
	case offline.IsLoopback(u.Host):
		service, port, file, ok := m.around.published(portOf(parsed))
		if !ok || m.several(u.Name) {
			m.result.Open = append(m.result.Open, u)
			m.add(NeedsYou, subject, m.at(u.Pos), "%s is this machine; say where it is in the cluster by spec.upstreams, or init --upstream %s=http://NAME:PORT", u.URL, u.Name)
			return
		}
		address := *parsed
		address.Host = service + ":" + strconv.Itoa(port)
		m.result.Found.Upstream(u.Name, address.String())
		m.add(Mapped, subject, m.at(u.Pos), "from %s to %s, which %s publishes there", u.URL, address.String(), file)
	case !strings.Contains(u.Host, ".") && !strings.Contains(u.Host, ":"):
		file, kind, known := m.around.named(u.Host)
		switch {
		case known && kind == "Service":
			m.add(Works, subject, m.at(u.Pos), "%s is the Service of %s", u.URL, file)
		case known:
			m.add(Mapped, subject, m.at(u.Pos), "%s was a service of %s; in the cluster it is the Service %s beside the gateway, which has to have that port", u.URL, file, u.Host)
		default:
			m.add(Mapped, subject, m.at(u.Pos), "%s means the Service %s beside the gateway; egk8s check tells whether it is there", u.URL, u.Host)
		}
	case private(u.Host):
		m.add(Works, subject, m.at(u.Pos), "%s is an address of your network, which the nodes have to reach", u.URL)
	default:
		m.add(Works, subject, m.at(u.Pos), "%s as it is", u.URL)
	}
}

// several tells whether a service endpoint has more than one URL, for which no single one can stand.
func (m *migration) several(name string) bool {
	n := 0
	for _, u := range m.report.Upstreams {
		if u.Name == name {
			n++
		}
	}
	return n > 1
}

func private(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsPrivate()
}

func portOf(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// policies tells of those that the gateway has; remaining tells of the others.
func (m *migration) policies() {
	unknown := map[string]bool{}
	for _, p := range m.report.Problems {
		if p.Code == "unknown-policy" {
			unknown[p.Message] = true
		}
	}
	var known []string
	for _, name := range m.report.Policies {
		if !unknown[fmt.Sprintf("unknown policy %q", name)] {
			known = append(known, name)
		}
	}
	if len(known) > 0 {
		m.add(Works, "policies", "", "%s", strings.Join(known, ", "))
	}
	if n := len(m.report.Routes); n > 0 {
		m.add(Works, fmt.Sprintf("%d routes", n), "", "in Express Gateway's order")
	}
}

// probes offers a request for each open route, of which only the owner knows the right answer.
func (m *migration) probes() {
	for _, r := range m.report.Routes {
		if !r.Auth && r.Path != "" && r.Method == "GET" && len(m.result.Found.Probes) < 3 {
			m.result.Found.Probes = append(m.result.Found.Probes, project.Probe{Path: r.Path, Host: r.Host, Expect: 200})
		}
	}
}

var (
	secretWord = regexp.MustCompile(`(?i)pass|secret|token|key|credential|private`)
	plainWord  = regexp.MustCompile(`(?i)(url|uri|host|hostname|port|scope|issuer|realm|file|path)$`)
)

// secretVariable tells by its name whether the value of a variable is a secret.
func secretVariable(name string) bool {
	return secretWord.MatchString(name) && !plainWord.MatchString(name)
}

// variables gives every ${NAME} of the files a value, or a place to write one.
func (m *migration) variables() {
	variables, _ := offline.Scan(m.folder)
	seen := map[string]bool{}
	for _, v := range variables {
		if !seen[v.Name] && !jsName(v.Name) {
			seen[v.Name] = true
			m.variable(v)
		}
	}
}

// jsName tells whether a name is one of JavaScript's own in the texts of policies.
func jsName(name string) bool {
	return slices.Contains([]string{"req", "res", "consumer", "apiEndpoint", "requestID", "egContext", "HOSTNAME"}, name)
}

func (m *migration) variable(v offline.Variable) {
	subject, at := "variable "+v.Name, m.at(v.Pos)
	for _, from := range m.around.env {
		if ref, ok := from.secrets[v.Name]; ok {
			m.result.Found.Secret(v.Name, ref[0], ref[1])
			m.add(Mapped, subject, at, "to key %s of the Secret %s, as in %s", ref[1], ref[0], from.file)
			return
		}
		value, ok := from.values[v.Name]
		if !ok || strings.Contains(value, "${") || secretVariable(v.Name) {
			continue
		}
		m.result.Found.Variable(v.Name, value)
		m.add(Mapped, subject, at, "to spec.env with the value of %s", from.file)
		return
	}
	switch {
	case secretVariable(v.Name):
		secret := m.opts.Name + "-env"
		m.result.Found.Secret(v.Name, secret, v.Name)
		m.add(NeedsYou, subject, at, "spec.secretEnv takes it from a Secret: kubectl create secret generic %s --from-literal=%s=VALUE", secret, v.Name)
	case v.Fallback != "":
		m.add(Works, subject, at, "has a default in the file")
	default:
		m.result.Found.Open = append(m.result.Found.Open, v.Name)
		m.add(NeedsYou, subject, at, "no file beside the config gives it a value: write it into spec.env or spec.secretEnv of egk8s.yaml")
	}
}

func (m *migration) env() map[string]string { return m.result.Found.Env }

func (m *migration) podOnly() []string { return slices.Sorted(maps.Keys(m.result.Found.SecretEnv)) }

func (m *migration) given() map[string]string { return m.result.Found.Upstreams }

func (m *migration) secretFiles() []string {
	var list []string
	for _, f := range m.result.Found.Files {
		list = append(list, f.Path)
	}
	return list
}

func (m *migration) tlsFiles() map[string]offline.TLSFiles {
	files := map[string]offline.TLSFiles{}
	for name, s := range m.result.Found.TLS {
		dir := path.Join(project.PodTLSDir, s.Secret)
		files[name] = offline.TLSFiles{Cert: path.Join(dir, "tls.crt"), Key: path.Join(dir, "tls.key")}
	}
	return files
}
