package project

import "encoding/json"

// Found is what an Express Gateway folder and the files beside it tell of its deployment, for egk8s.yaml.
type Found struct {
	Upstreams map[string]string
	Env       map[string]string
	SecretEnv map[string]SecretKey
	Files     []SecretFile
	TLS       map[string]TLSSecret
	Replicas  int      // 0: nobody says
	Redis     string   // the mode of the Redis; empty: none
	Open      []string // variables without a value
	Probes    []Probe  // requests that could decide; only the owner knows the right answer
}

// Upstream sets the address of a service endpoint.
func (f *Found) Upstream(name, url string) {
	if f.Upstreams == nil {
		f.Upstreams = map[string]string{}
	}
	f.Upstreams[name] = url
}

// Variable sets a variable.
func (f *Found) Variable(name, value string) {
	if f.Env == nil {
		f.Env = map[string]string{}
	}
	f.Env[name] = value
}

// Secret takes a variable from a Secret.
func (f *Found) Secret(name, secret, key string) {
	if f.SecretEnv == nil {
		f.SecretEnv = map[string]SecretKey{}
	}
	f.SecretEnv[name] = SecretKey{Secret: secret, Key: key}
}

// quoted writes a text as YAML that is read as nothing but this text.
func quoted(text string) (string, error) {
	out, err := json.Marshal(text)
	return string(out), err
}
