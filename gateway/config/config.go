// Package config turns Express Gateway's own files into one validated, immutable Config.
//
// The files are gateway.config.yml, system.config.yml and models/*.json, read as
// Express Gateway 1.16.11 reads them; every value knows the position it came from.
package config

import (
	"net/url"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// Config is one validated configuration. It is never changed after Load returned it.
type Config struct {
	HTTP  *Listener    // nil: the file has no http section
	HTTPS *TLSListener // nil: the file has no https section with tls
	Admin *Listener    // nil: the file has no admin port

	APIEndpoints     []APIEndpoint // in file order; an endpoint given as a list yields one entry per item
	ServiceEndpoints map[string]ServiceEndpoint
	Policies         []string   // the whitelist, in file order
	Pipelines        []Pipeline // in file order

	System System
	Models Models

	// Settings are those of egk8s.settings.json or Options.Settings, already applied above; zero when there are none.
	Settings Settings
	// Digest names the files when they came by a manifest; else it is empty.
	Digest string
	// Raw is the gateway file as read, with variables, coercion and defaults: what the Admin API shows.
	Raw map[string]any
}

// Models are the schemas of models/*.json, by which users, applications and credentials are created and changed.
type Models struct {
	Users, Applications, Credentials *schema.Schema
}

// Listener is where the gateway or its Admin API listens.
type Listener struct {
	Host string // empty: all interfaces (gateway) or loopback (admin)
	Port int    // 0: the system picks one
	Pos  diag.Position
}

// TLSListener is the https listener with its certificates by SNI glob.
type TLSListener struct {
	Listener
	Certificates []Certificate // in file order; the name "default" answers when nothing matches
	Options      map[string]any
}

// Certificate is one entry of https.tls; the paths resolve against the working directory.
type Certificate struct {
	Name      string // a glob on the SNI name
	Key, Cert string
	CA        []string
	Pos       diag.Position
}

// APIEndpoint is one way in: a host pattern, paths and methods.
type APIEndpoint struct {
	Name      string
	Host      string // empty or "*": every host
	HostRegex string
	Paths     []string // Express 4 path syntax; empty: every path
	PathRegex string   // wins over Paths
	Methods   []string // upper case; empty: all
	Scopes    []string
	Raw       map[string]any // as written, for the Admin API and for expressions
	Pos       diag.Position
}

// ServiceEndpoint is a named upstream.
type ServiceEndpoint struct {
	Name         string
	URLs         []*url.URL // at least one
	ProxyOptions map[string]any
	Raw          map[string]any
	Pos          diag.Position
}

// Pipeline is a list of policies for some apiEndpoints.
type Pipeline struct {
	Name         string
	APIEndpoints []string
	Steps        []Step // flattened: a policy with three condition/action pairs yields three steps
	Raw          map[string]any
	Pos          diag.Position
}

// Step is one condition/action pair of one policy.
type Step struct {
	Policy    string
	Condition *Condition     // nil: always
	Action    map[string]any // validated by the policy's schema, its defaults filled in
	// Order has the names of maps inside Action in the order of the file, by their path, such as "headers.add".
	// Maps with one name are left out.
	Order map[string][]string
	Pos   diag.Position
}

// Condition is a named condition with its parameters (the key "name" left out).
// A nested condition (not, allOf, oneOf) is found in Nested, in order.
type Condition struct {
	Name   string
	Params map[string]any
	Nested []Condition
	Pos    diag.Position
}

// System is what egk8s uses of system.config.yml, with Express Gateway's defaults filled in.
type System struct {
	RedisEmulate bool
	RedisHost    string // empty: none given
	Namespace    string // key prefix, "EG"
	SaltRounds   int    // bcrypt cost, 10
	Plugins      []string
	OAuth2       OAuth2 `json:"-"` // holds secrets
	Raw          map[string]any
}
