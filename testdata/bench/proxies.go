package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed conf
var conf embed.FS

// bodySize is what the service answers to everything.
const bodySize = 1024

// fill writes a file of conf with its {{names}} replaced.
func (b *bench) fill(name, to string, values map[string]string) error {
	text, err := conf.ReadFile("conf/" + name)
	if err != nil {
		return err
	}
	pairs := []string{"{{dir}}", b.dir, "{{backend}}", b.backend, "{{body}}", strings.Repeat("x", bodySize)}
	for key, value := range values {
		pairs = append(pairs, "{{"+key+"}}", value)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600)
}

// program finds a program, also where root's are.
func program(name, debianPackage string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath("/usr/sbin/" + name); err == nil {
		return path, nil
	}
	return "", missing{fmt.Sprintf("%s is not installed (Debian: apt-get install %s)", name, debianPackage)}
}

// missing says why a row cannot run on this machine.
type missing struct{ reason string }

func (m missing) Error() string { return m.reason }

// startBackend starts the service: nginx where there is one, else this program.
func (b *bench) startBackend(ctx context.Context) (*process, error) {
	var err error
	if b.backend, err = freePort(); err != nil {
		return nil, err
	}
	nginx, err := program("nginx", "nginx-light")
	if err != nil {
		fmt.Println(err, "- a service in Go stands in for it, and there are no ratios to nginx")
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return start(ctx, b.dir, "service", b.backend, nil, self, "service", "-listen", "127.0.0.1:"+b.backend)
	}
	file := filepath.Join(b.dir, "backend.conf")
	if err := b.fill("backend.conf", file, map[string]string{"port": b.backend}); err != nil {
		return nil, err
	}
	return start(ctx, b.dir, "service", b.backend, nil, nginx, "-c", file, "-p", b.dir)
}

func (b *bench) startNginx(ctx context.Context, r *row) (*process, error) {
	nginx, err := program("nginx", "nginx-light")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "nginx.conf")
	if err := b.fill("nginx.conf", file, map[string]string{"port": r.port}); err != nil {
		return nil, err
	}
	return start(ctx, b.dir, r.name, r.port, nil, nginx, "-c", file, "-p", b.dir)
}

func (b *bench) startHAProxy(ctx context.Context, r *row) (*process, error) {
	haproxy, err := program("haproxy", "haproxy")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "haproxy.cfg")
	if err := b.fill("haproxy.cfg", file, map[string]string{"port": r.port}); err != nil {
		return nil, err
	}
	return start(ctx, b.dir, r.name, r.port, nil, haproxy, "-db", "-f", file)
}

func (b *bench) startReverseProxy(ctx context.Context, r *row) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, b.dir, r.name, r.port, nil, self, "reverse-proxy", "-listen", "127.0.0.1:"+r.port, "-service", "http://127.0.0.1:"+b.backend)
}

// reverseProxy is the standard library's, with what it needs to keep its connections and buffers.
func reverseProxy(args []string) error {
	set := flag.NewFlagSet("reverse-proxy", flag.ExitOnError)
	listen := set.String("listen", "", "")
	to := set.String("service", "", "")
	if err := set.Parse(args); err != nil {
		return err
	}
	target, err := url.Parse(*to)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		BufferPool: &bufferPool{},
		Transport: &http.Transport{
			DialContext:  (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns: 4096, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 90 * time.Second, DisableCompression: true,
		},
	}
	return (&http.Server{Addr: *listen, Handler: proxy, ReadHeaderTimeout: 10 * time.Second}).ListenAndServe()
}

type bufferPool struct{ pool sync.Pool }

// Get and Put keep ReverseProxy's buffers.
func (p *bufferPool) Get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

// Put takes a buffer back.
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }

// service answers everything, in place of nginx.
func service(args []string) error {
	set := flag.NewFlagSet("service", flag.ExitOnError)
	listen := set.String("listen", "", "")
	if err := set.Parse(args); err != nil {
		return err
	}
	body := []byte(strings.Repeat("x", bodySize))
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	return (&http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 10 * time.Second}).ListenAndServe()
}

// startExpressGateway starts the package from npm on the same files as ours.
func (b *bench) startExpressGateway(ctx context.Context, r *row) (*process, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, missing{"node is not installed (Express Gateway needs version 20 or older)"}
	}
	models := filepath.Join(b.egDir, "node_modules/express-gateway/lib/config/models")
	if _, err := os.Stat(models); b.egDir == "" || err != nil {
		return nil, missing{"express-gateway is not installed: npm install express-gateway@1.16.11 in a folder, then EG_DIR=FOLDER make bench"}
	}
	dir, err := b.folder(r)
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(filepath.Join(dir, "models"), os.DirFS(models)); err != nil {
		return nil, err
	}
	script := `process.chdir(process.env.EG_HOME); module.paths.push(process.env.EG_HOME + "/node_modules");` +
		`require("express-gateway")().load(process.env.EG_CONFIG_DIR).run()`
	env := []string{"NODE_ENV=production", "LOG_LEVEL=error", "EG_DISABLE_CONFIG_WATCH=1", "EG_CONFIG_DIR=" + dir, "EG_HOME=" + b.egDir}
	p, err := start(ctx, b.dir, r.name, r.port, env, node, "-e", script)
	if err != nil {
		return nil, err
	}
	if r.prepare == nil {
		return p, nil
	}
	if err := r.prepare(ctx, b, r); err != nil {
		p.stop()
		return nil, errors.Join(err, errors.New(p.tail()))
	}
	return p, nil
}
