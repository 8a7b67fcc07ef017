package project

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// The stores that a deploy can choose.
const (
	StoreFile   = "file"
	StoreMemory = "memory"
	StoreRedis  = "redis"
)

// MaxName is the longest name of a release: what Helm records and the names of objects leave.
const MaxName = 53

var (
	labelName    = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)                       // RFC 1035
	objectName   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)                   // RFC 1123 subdomain
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)                           // a shell variable
	quantity     = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i|e[0-9]+)?$`) // a positive Kubernetes quantity
)

// checker collects what is wrong with the values of one project.
type checker struct {
	p        *Project
	problems diag.Problems
}

func (c *checker) fail(path, code, hint, format string, args ...any) {
	c.problems = append(c.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: c.p.Position(path), Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (d *document) checkHead(path string) diag.Problems {
	c := &checker{p: &Project{File: path, Position: d.positions(nil)}}
	if got := d.content.APIVersion; got != APIVersion {
		c.fail("apiVersion", "api-version", "", "apiVersion must be %s", APIVersion)
	}
	if got := d.content.Kind; got != Kind {
		c.fail("kind", "kind", "", "kind must be %s", Kind)
	}
	for name, env := range d.content.Environments {
		if env.Protected && env.Context == "" {
			c.fail("environments."+name, "protected-environment", "add context: NAME",
				"environment %s is protected and names no context", name)
		}
		c.wave("environments."+name, env.Wave)
	}
	for name, cloud := range d.content.Clouds {
		c.wave("clouds."+name, cloud.Wave)
	}
	d.samePlace(c)
	return c.problems
}

func (c *checker) wave(at string, n int) {
	if n < 0 {
		c.fail(at+".wave", "wave", "the first wave is 1", "wave %d is none", n)
	}
}

// samePlace refuses environments that are one release: the second would replace the first.
func (d *document) samePlace(c *checker) {
	places := map[[2]string]string{}
	for _, name := range slices.Sorted(maps.Keys(d.content.Environments)) {
		env := d.content.Environments[name]
		place := [2]string{env.Context, or(env.Namespace, d.content.Metadata.Namespace)}
		if first, twice := places[place]; twice && env.Context != "" && place[1] != "" {
			c.fail("environments."+name, "same-place", "give one of them another namespace",
				"environments %s and %s are both the release %s in namespace %s of context %s", first, name, d.content.Metadata.Name, place[1], place[0])
		}
		places[place] = name
	}
}

func (d *document) unknownEnvironment() diag.Problem {
	known := d.yaml.Keys("environments")
	slices.Sort(known)
	hint := "egk8s.yaml has no environments"
	if len(known) > 0 {
		hint = "known: " + strings.Join(known, ", ")
	}
	return diag.Problem{
		Code: "unknown-environment", Severity: diag.Error, Position: d.yaml.Position("environments"),
		Message: fmt.Sprintf("there is no environment %q", d.opts.Environment), Hint: hint,
	}
}

func validate(p *Project) diag.Problems {
	c := &checker{p: p}
	c.names()
	c.files()
	c.scale()
	c.network()
	c.triton()
	c.references()
	c.probes()
	c.pod()
	return c.problems
}

func (c *checker) names() {
	switch name := c.p.Name; {
	case name == "":
		c.fail("metadata", "name", "metadata: {name: my-gateway}", "metadata.name is missing")
	case len(name) > MaxName:
		c.fail("metadata.name", "name", "", "metadata.name has %d characters, at most %d are possible", len(name), MaxName)
	case !labelName.MatchString(name):
		c.fail("metadata.name", "name", "lower-case letters, digits and -, beginning with a letter",
			"%q cannot be the name of a Service", name)
	}
	if ns := c.p.Namespace; ns != "" && (!objectName.MatchString(ns) || strings.Contains(ns, ".") || len(ns) > 63) {
		c.fail("metadata.namespace", "name", "", "%q cannot be the name of a namespace", ns)
	}
}

func (c *checker) files() {
	spec := c.p.Spec
	c.local("spec.config.dir", spec.Config.Dir)
	if spec.Consumers != "" {
		c.local("spec.consumers", spec.Consumers)
		if name := strings.TrimSuffix(path.Base(filepath.ToSlash(spec.Consumers)), ".gz"); !hasSuffix(name, ".yml", ".yaml", ".json") {
			c.fail("spec.consumers", "consumers", "", "the consumers file must be YAML or JSON, plain or .gz")
		}
		if spec.Store.Kind == StoreMemory {
			c.fail("spec.consumers", "store-contradiction", "leave store out, it is file",
				"consumers come from a file, and store is memory")
		}
	}
	for i, pattern := range spec.Config.Sensitive {
		if _, err := path.Match(pattern, "x"); err != nil {
			c.fail(fmt.Sprintf("spec.config.sensitive.%d", i), "glob", "", "%q is not a file pattern", pattern)
		}
	}
	taken := map[string]bool{}
	for i, f := range spec.Files {
		at := fmt.Sprintf("spec.files.%d", i)
		if !filepath.IsLocal(f.Path) || path.Clean(f.Path) != f.Path {
			c.fail(at+".path", "path", "", "path %q must lie below the config folder", f.Path)
		}
		if taken[f.Path] {
			c.fail(at+".path", "path", "keep one of them", "two entries give the file %q", f.Path)
		}
		taken[f.Path] = true
		c.secret(at, SecretKey{Secret: f.Secret, Key: f.Key})
	}
	c.store()
}

func (c *checker) local(path, value string) {
	if filepath.IsAbs(value) || !filepath.IsLocal(value) {
		c.fail(path, "path", "files are taken from the project's folder only", "%q must lie below the folder of %s",
			value, filepath.Base(c.p.File))
	}
}

// replicas checks a fixed number, or the bounds of an autoscaler.
func (c *checker) replicas() {
	r := c.p.Spec.Replicas
	switch {
	case !r.Autoscaled():
		if r.Fixed < 1 || r.Fixed > 1000 {
			c.fail("spec.replicas", "replicas", "", "replicas must be 1 to 1000, not %d", r.Fixed)
		}
	case r.Min < 1 || r.Max < r.Min || r.Max > 1000:
		c.fail("spec.replicas", "replicas", "write {min: 2, max: 10, cpu: 60}", "replicas.min must be at least 1, and replicas.max at least that and at most 1000")
	case r.CPU < 1 || r.CPU > 1000:
		c.fail("spec.replicas", "replicas", "60 keeps room for a sudden rise", "replicas.cpu must be the wanted use of the CPU request in percent, 1 to 1000")
	case c.p.Spec.Resources.Requests["cpu"] == "":
		c.fail("spec.resources.requests", "replicas", "set spec.resources.requests.cpu", "an autoscaler needs a CPU request to measure against")
	}
}

func (c *checker) scale() {
	spec := c.p.Spec
	c.replicas()
	if most := spec.Replicas.Most(); spec.Store.Kind == StoreMemory && most > 1 {
		c.fail("spec.store", "store-contradiction", "set replicas: 1, or store: file, or store: {redis: {mode: internal}}",
			"store memory works with one replica only, and there may be %d", most)
	}
	if d := spec.Drain; d.Delay < 0 || d.Timeout < 0 || d.Delay+d.Timeout > 3600 {
		c.fail("spec.drain", "drain", "", "drain.delay and drain.timeout are seconds, together at most 3600")
	}
	for name, values := range map[string]map[string]string{"requests": spec.Resources.Requests, "limits": spec.Resources.Limits} {
		for kind, value := range values {
			if !quantity.MatchString(value) {
				c.fail("spec.resources."+name+"."+kind, "quantity", "as 100m or 64Mi", "%q is not a quantity", value)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Resources.Requests)) {
		request, errRequest := resource.ParseQuantity(spec.Resources.Requests[name])
		limit, errLimit := resource.ParseQuantity(spec.Resources.Limits[name])
		if errRequest == nil && errLimit == nil && request.Cmp(limit) > 0 {
			c.fail("spec.resources.requests."+name, "quantity", "lower the request, or raise the limit", "the request of %s is more than the limit %s",
				spec.Resources.Requests[name], spec.Resources.Limits[name])
		}
	}
	if !slices.Contains([]string{"error", "warn", "info", "debug", "verbose", "silly"}, spec.LogLevel) {
		c.fail("spec.logLevel", "log-level", "error, warn, info or debug", "unknown log level %q", spec.LogLevel)
	}
}

func (c *checker) network() {
	spec := c.p.Spec
	for name, raw := range spec.Upstreams {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			c.fail("spec.upstreams."+name, "upstream", "as http://customers.shop.svc:8080", "%q is not an http or https URL", raw)
			continue
		}
		if offline.IsLoopback(u.Hostname()) {
			c.fail("spec.upstreams."+name, "localhost-upstream", "as http://customers.shop.svc:8080",
				"the service endpoint %q would be at %s, which in a pod is the gateway itself", name, u.Hostname())
		}
	}
	for i, cidr := range spec.TrustedProxies {
		_, errPrefix := netip.ParsePrefix(cidr)
		_, errAddr := netip.ParseAddr(cidr)
		if errPrefix != nil && errAddr != nil {
			c.fail(fmt.Sprintf("spec.trustedProxies.%d", i), "cidr", "as 10.0.0.0/8", "%q is not an address range", cidr)
		}
	}
	if t := spec.Service.Type; t != "" && !slices.Contains([]string{"ClusterIP", "NodePort", "LoadBalancer"}, t) {
		c.fail("spec.service.type", "service-type", "ClusterIP, NodePort or LoadBalancer", "unknown type of Service %q", t)
	}
	for field, port := range map[string]int{"port": spec.Service.Port, "httpsPort": spec.Service.HTTPSPort} {
		if port < 0 || port > 65535 {
			c.fail("spec.service."+field, "port", "", "%d is not a port", port)
		}
	}
	if spec.Service.Port != 0 && spec.Service.Port == spec.Service.HTTPSPort {
		c.fail("spec.service.httpsPort", "port", "", "http and https cannot share port %d", spec.Service.Port)
	}
}

func (c *checker) references() {
	spec := c.p.Spec
	for name := range spec.Env {
		c.variable("spec.env."+name, name)
	}
	for name, ref := range spec.SecretEnv {
		c.variable("spec.secretEnv."+name, name)
		c.secret("spec.secretEnv."+name, ref)
		if _, twice := spec.Env[name]; twice {
			c.fail("spec.secretEnv."+name, "env-contradiction", "keep one of them", "%s stands in env and in secretEnv", name)
		}
	}
	for name, ref := range spec.TLS {
		c.secret("spec.tls."+name, SecretKey{Secret: ref.Secret, Key: "tls.crt"})
	}
	for i, name := range spec.Image.PullSecrets {
		c.secret(fmt.Sprintf("spec.image.pullSecrets.%d", i), SecretKey{Secret: name, Key: "-"})
	}
}

// adminVariable is the variable of the gateway with the token of its Admin API.
const adminVariable = "EGK8S_ADMIN_TOKEN"

func (c *checker) variable(path, name string) {
	switch {
	case !variableName.MatchString(name):
		c.fail(path, "env-name", "", "%q cannot be an environment variable", name)
	case name == adminVariable && strings.HasPrefix(path, "spec.secretEnv"):
	case name == adminVariable:
		c.fail(path, "env-name", "give it in secretEnv", "%s is a secret, and env ends in the pod's definition", name)
	case strings.HasPrefix(name, "EGK8S_"):
		c.fail(path, "env-name", "", "%s: names that begin with EGK8S_ are set by egk8s", name)
	case name == "EG_CONFIG_DIR": // twice in one container the API server refuses
		c.fail(path, "env-name", "leave it out; spec.config.dir says where the files are", "%s is set by egk8s", name)
	}
}

func (c *checker) secret(path string, ref SecretKey) {
	if !objectName.MatchString(ref.Secret) || len(ref.Secret) > 253 {
		c.fail(path, "secret-name", "", "%q cannot be the name of a Secret", ref.Secret)
	}
	if ref.Key == "" {
		c.fail(path, "secret-key", "add key: NAME", "the key of the Secret is missing")
	}
}

func (c *checker) probes() {
	for i, probe := range c.p.Spec.Probes {
		at := fmt.Sprintf("spec.probes.%d", i)
		if !strings.HasPrefix(probe.Path, "/") {
			c.fail(at+".path", "probe", "", "the path %q must begin with /", probe.Path)
		}
		if probe.Expect < 100 || probe.Expect > 599 {
			c.fail(at+".expect", "probe", "as expect: 200", "expect must be a status code")
		}
	}
}

func hasSuffix(name string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}
