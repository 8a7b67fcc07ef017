package project

import (
	"fmt"
	"maps"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// Where the files are in a pod.
const (
	PodConfigDir    = "/etc/egk8s/config" // working directory of the gateway
	PodConsumersDir = "/etc/egk8s/consumers"
	PodTLSDir       = "/etc/egk8s/tls" // one folder per entry of spec.tls
)

// The gateway's ports in a pod, whatever the user's file says.
const (
	PodHTTPPort    = 8080
	PodHTTPSPort   = 8443
	PodStatusPort  = 9877
	PodMetricsPort = 9878
	podAdminPort   = 9876 // where the file names none, or one that is taken
)

// Read checks the config folder as the gateway in the pod will, and collects the files that go to
// the cluster. The report is nil when the folder could not be checked at all.
func (p *Project) Read() (Files, *offline.Report, diag.Problems) {
	report, err := offline.Check(p.ConfigDir(), p.checkOptions())
	if err != nil {
		return Files{}, nil, diag.Problems{{
			Code: "unreadable", Severity: diag.Error, Position: diag.Position{File: p.ConfigDir()}, Message: err.Error(),
		}}
	}
	problems := slices.Clone(report.Problems)
	for i, problem := range problems { // named as seen from where egk8s runs, as the files of Collect are
		if problem.File != "" && !filepath.IsAbs(problem.File) {
			problems[i].File = filepath.Join(p.ConfigDir(), problem.File)
		}
	}
	files, more := p.Collect(report.FileReferences)
	if files.Consumers != nil {
		digest, _, wrong := offline.CheckConsumers(filepath.Join(p.Dir, filepath.FromSlash(p.Spec.Consumers)))
		files.ConsumersDigest, problems = digest, append(problems, wrong...)
	}
	for _, problem := range more { // the check has said it already, with a line
		if !slices.ContainsFunc(problems, func(q diag.Problem) bool { return q.File == problem.File && q.Severity == diag.Error }) {
			problems = append(problems, problem)
		}
	}
	problems = append(problems, p.agree(report)...)
	problems.Sort()
	return files, report, problems
}

func (p *Project) checkOptions() offline.Options {
	opts := offline.Options{
		Env: p.Spec.Env, Pod: true, Complete: true, Settings: p.Settings(nil),
		PodOnly: slices.Sorted(maps.Keys(p.Spec.SecretEnv)),
	}
	for _, f := range p.Spec.Files {
		opts.Files = append(opts.Files, f.Path)
	}
	return opts
}

// agree finds what egk8s.yaml and the gateway's own files say differently.
func (p *Project) agree(report *offline.Report) diag.Problems {
	c := &checker{p: p}
	if report.RedisHost != "" && p.document != nil && p.Position("spec.store") == p.Position("spec") {
		c.fail("spec", "store", "add store: {redis: {mode: external}} to spec for that Redis, {redis: {mode: internal}} for one of its own, or store: file (consumers then come from spec.consumers)",
			"system.config.yml keeps consumers in the Redis %s, and egk8s.yaml does not say whether pods use it",
			report.RedisHost)
	}
	if report.HTTP == nil && report.HTTPS == nil && !report.Problems.HasErrors() {
		c.fail("spec.config.dir", "no-listener", "add http: {port: 8080} to gateway.config.yml",
			"gateway.config.yml has neither http nor https: nothing would listen")
	}
	for _, listener := range []struct {
		name, field string
		port        *offline.Port
		chosen      int
	}{
		{"http", "port", report.HTTP, p.Spec.Service.Port},
		{"https", "httpsPort", report.HTTPS, p.Spec.Service.HTTPSPort},
	} {
		if listener.port != nil && listener.port.Port == 0 && listener.chosen == 0 {
			c.fail("spec.service", "unknown-port", fmt.Sprintf("set spec.service.%s, or the variable in spec.env", listener.field),
				"the %s port of gateway.config.yml is only known in the pod", listener.name)
		}
	}
	c.samePort(report)
	return c.problems
}

// samePort refuses two listeners at one port of the Service.
func (c *checker) samePort(report *offline.Report) {
	if report.HTTP == nil || report.HTTPS == nil {
		return
	}
	ports := [2]int{report.HTTP.Port, report.HTTPS.Port}
	for i, chosen := range []int{c.p.Spec.Service.Port, c.p.Spec.Service.HTTPSPort} {
		if chosen != 0 {
			ports[i] = chosen
		}
	}
	if ports[0] == ports[1] && ports[0] != 0 && c.p.Spec.Service.Port != c.p.Spec.Service.HTTPSPort || ports[0] == ports[1] && ports[0] != 0 && c.p.Spec.Service.Port == 0 {
		c.fail("spec.service", "port", "set spec.service.port or spec.service.httpsPort", "http and https would both be at port %d of the Service", ports[0])
	}
}

// Settings are what egk8s.yaml adds to the gateway's files in the pod. report tells the ports of the
// user's file; nil: not known yet.
func (p *Project) Settings(report *offline.Report) offline.Settings {
	s := offline.Settings{
		Upstreams:      p.Spec.Upstreams,
		TrustedProxies: p.Spec.TrustedProxies,
		Listen: offline.ListenAddresses{
			HTTP: address("", PodHTTPPort), HTTPS: address("", PodHTTPSPort), Admin: address("127.0.0.1", p.AdminPort(report)),
			Status: address("", PodStatusPort), Metrics: address("", PodMetricsPort),
		},
		Store: p.storeSettings(),
		Drain: offline.DrainSettings{Delay: p.Spec.Drain.Delay, Timeout: p.Spec.Drain.Timeout},
	}
	if p.Spec.Consumers != "" {
		s.Store.Path = path.Join(PodConsumersDir, path.Base(p.Spec.Consumers))
	}
	for name, ref := range p.Spec.TLS {
		if s.TLS == nil {
			s.TLS = map[string]offline.TLSFiles{}
		}
		dir := path.Join(PodTLSDir, ref.Secret)
		s.TLS[name] = offline.TLSFiles{Cert: path.Join(dir, "tls.crt"), Key: path.Join(dir, "tls.key")}
	}
	return s
}

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// AdminPort is the port of the admin listener on loopback in the pod: the file's, unless it is taken there.
func (p *Project) AdminPort(report *offline.Report) int {
	taken := []int{0, PodHTTPPort, PodHTTPSPort, PodStatusPort, PodMetricsPort}
	if report == nil || report.Admin == nil || slices.Contains(taken, report.Admin.Port) {
		return podAdminPort
	}
	return report.Admin.Port
}
