// Package offline is the facade of the gateway for programs that do not run it: the deployer
// checks a folder, computes its digest and learns its ports and routes here, with the very
// code that the gateway in the pod uses.
package offline

import "egk8s.dev/egk8s/gateway/diag"

// Options tell Check what is known outside the pod.
type Options struct {
	// Env are the variables whose values are known now; a reference to any other one that has no
	// default is "unknown, known only in the pod", never "unset".
	Env map[string]string
	// Pod is true when the folder is checked for running in a pod: bind addresses give a warning,
	// policies that are not built are errors.
	Pod bool
	// Settings are what egk8s.yaml adds, as they will stand in the pod: upstreams, trusted proxies, store.
	Settings Settings
	// PodOnly are variables that the pod has and whose values are not known here (secretEnv).
	PodOnly []string
	// Complete is true when Env and PodOnly list every variable that the pod will have: a reference
	// to another one that has no default is then unset, as the gateway in the pod will find it.
	Complete bool
	// Files are paths that the pod will have besides those of the folder (spec.files), so that
	// a reference to one of them is not missing.
	Files []string
}

// Report is all that a folder says before it runs.
type Report struct {
	Problems diag.Problems
	// Ports are the listeners of the file; nil where the file has no such section.
	HTTP, HTTPS, Admin *Port
	// Routes has one entry per apiEndpoint with a pipeline, in the gateway's matching order.
	Routes []Route
	// Services are the names of all service endpoints, sorted.
	Services []string
	// Upstreams are the URLs of the service endpoints, as far as they are known, sorted by name.
	Upstreams []Upstream
	// Policies are the names of the policies that pipelines use, sorted.
	Policies []string
	// RedisHost is the Redis that system.config.yml names; empty when it names none or emulates.
	RedisHost string
	// TokensInMemory is true when a pipeline wants opaque access tokens that each process keeps to itself: those of one
	// replica are unknown to the others.
	TokensInMemory bool
	// FileReferences are relative paths that the config names (keys, certificates), sorted.
	FileReferences []string
	// References are all files that the config names, in its order, absolute and missing ones too.
	References []Reference
}

// Reference is a place of the config that names a file.
type Reference struct {
	Path string // clean, with slashes; relative to where the gateway runs
	What string // as https.tls.default.key
	TLS  string // the entry of https.tls whose key or certificate it is; empty: none
	Pos  diag.Position
}

// Upstream is one URL of a service endpoint.
type Upstream struct {
	Name string // of the service endpoint
	URL  string
	Host string // of the URL, without port
	// Authority is the host of the URL with its port, where it has one.
	Authority string
	Pos       diag.Position
}

// Port is a listener of the user's file.
type Port struct {
	Host string
	Port int // 0: not known outside the pod
}

// Route is one read-only request that the gateway must route.
type Route struct {
	Endpoint string // apiEndpoint name
	Pipeline string
	Method   string // GET, or the first method of the endpoint
	Host     string // empty: any
	Path     string // a concrete path that matches; empty when none could be derived
	Auth     bool   // an authentication policy comes first: 401 or 403 is a right answer
	Proxy    string // service endpoint name; empty when the pipeline does not proxy
	Pos      diag.Position
}
