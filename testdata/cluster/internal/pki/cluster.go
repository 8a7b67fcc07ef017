package pki

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Users of the cluster that are not nodes.
const (
	AdminUser         = "egkube-admin"
	KubeletClientUser = "kube-apiserver-kubelet-client"
	ControllerUser    = "system:kube-controller-manager"
	SchedulerUser     = "system:kube-scheduler"
	ProxyUser         = "system:kube-proxy"
)

// Files is a folder of certificates. A pair NAME is NAME.crt and NAME.key, and
// an authority's certificate is NAME-ca.crt; kubernetes, front-proxy and etcd
// have one authority each.
type Files struct{ Dir string }

// Cert is the path of a certificate, Key that of its key.
func (f Files) Cert(name string) string { return filepath.Join(f.Dir, name+".crt") }

// Key is the path of a pair's key.
func (f Files) Key(name string) string { return filepath.Join(f.Dir, name+".key") }

// CA is the path of an authority's certificate.
func (f Files) CA(name string) string { return f.Cert(name + "-ca") }

// Options says for whom certificates are made.
type Options struct {
	// ServerHosts are the names and addresses of the API server, EtcdHosts those
	// of etcd.
	ServerHosts []string
	EtcdHosts   []string
	// Nodes are node names with their addresses.
	Nodes map[string]string
	Now   time.Time
}

// WriteCluster makes every authority, pair and key of a cluster.
func (f Files) WriteCluster(o Options) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("write certificates: %w", err)
	}
	for authority, requests := range plan(o) {
		a, err := NewAuthority("egkube-"+authority, o.Now)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.CA(authority), a.PEM, 0o644); err != nil {
			return fmt.Errorf("write certificates: %w", err)
		}
		for name, request := range requests {
			pair, err := a.Issue(request)
			if err != nil {
				return err
			}
			if err := f.write(name, pair); err != nil {
				return err
			}
		}
	}
	signing, err := NewSigningKey()
	if err != nil {
		return err
	}
	return f.write("service-account", signing)
}

// plan is what each authority signs.
func plan(o Options) map[string]map[string]Request {
	kubernetes := map[string]Request{
		"apiserver":          {User: "kube-apiserver", Hosts: o.ServerHosts},
		"kubelet-client":     {User: KubeletClientUser},
		"admin":              {User: AdminUser, Groups: []string{"system:masters"}},
		"controller-manager": {User: ControllerUser},
		"scheduler":          {User: SchedulerUser},
		"proxy":              {User: ProxyUser},
	}
	for name, address := range o.Nodes {
		kubernetes["node-"+name] = Request{
			User: "system:node:" + name, Groups: []string{"system:nodes"}, Hosts: []string{name, address},
		}
	}
	return map[string]map[string]Request{
		"kubernetes":  kubernetes,
		"front-proxy": {"front-proxy-client": {User: "front-proxy-client"}},
		"etcd": {
			"etcd":        {User: "etcd", Hosts: o.EtcdHosts},
			"etcd-client": {User: "kube-apiserver-etcd-client"},
		},
	}
}

func (f Files) write(name string, p Pair) error {
	if err := os.WriteFile(f.Cert(name), p.Cert, 0o644); err != nil {
		return fmt.Errorf("write certificates: %w", err)
	}
	if err := os.WriteFile(f.Key(name), p.Key, 0o600); err != nil {
		return fmt.Errorf("write certificates: %w", err)
	}
	return nil
}
