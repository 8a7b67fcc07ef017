//go:build api

package deployer_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// fault is what happens to one request on its way to the API server.
type fault string

const (
	killBefore fault = "kill-before" // the client dies; the API server never sees the request
	killAfter  fault = "kill-after"  // the client dies; the request was carried out
	dropBefore fault = "drop-before" // the connection breaks; the API server never sees the request
	dropAfter  fault = "drop-after"  // the request was carried out, its answer gets lost
	busy       fault = "429"
	internal   fault = "500"
	conflict   fault = "409"
	forbidden  fault = "403"
	delayed    fault = "delay"
	cut        fault = "cut" // the answer breaks off; of a watch after a moment
)

// faultProxy stands between egk8s and the API server, counts requests, and does to one of them what the test says.
type faultProxy struct {
	at   int    // index of the request that meets the fault
	only string // part of the requests that meet it, whatever their index; empty: none
	what fault
	kill func()

	kubeconfig string
	server     *httptest.Server
	proxy      *httputil.ReverseProxy
	pods       *kubelet

	mu   sync.Mutex
	seen []string
}

func newFaultProxy(t *testing.T, config *rest.Config, pods *kubelet) *faultProxy {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &faultProxy{at: -1, pods: pods, proxy: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Authorization") },
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = discardLog
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	authority, err := json.Marshal(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw}))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "faults",
		"contexts": [{"name": "faults", "context": {"cluster": "c", "user": "u"}}],
		"clusters": [{"name": "c", "cluster": {"server": %q, "certificate-authority-data": %s}}],
		"users": [{"name": "u", "user": {"token": "none"}}]}`, p.server.URL, authority)
	if err := os.WriteFile(p.kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// requests are those that came, in order: "GET /api/v1/…".
func (p *faultProxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.seen...)
}

func (p *faultProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	hit := len(p.seen) == p.at || p.only != "" && strings.Contains(r.URL.Path, p.only)
	p.seen = append(p.seen, r.Method+" "+r.URL.RequestURI())
	p.mu.Unlock()
	if !hit {
		p.pass(w, r)
		return
	}
	switch p.what {
	case killBefore:
		p.kill()
		panic(http.ErrAbortHandler)
	case killAfter:
		p.carryOut(r)
		p.kill()
		panic(http.ErrAbortHandler)
	case dropBefore:
		panic(http.ErrAbortHandler)
	case dropAfter:
		p.carryOut(r)
		panic(http.ErrAbortHandler)
	case busy:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "TooManyRequests", "too many requests, please try again later")
	case internal:
		refuse(w, http.StatusInternalServerError, "InternalError", "etcdserver: leader changed")
	case conflict:
		refuse(w, http.StatusConflict, "Conflict", "the object has been modified; please apply your changes to the latest version and try again")
	case forbidden:
		refuse(w, http.StatusForbidden, "Forbidden", "user cannot do this")
	case delayed:
		time.Sleep(2 * time.Second)
		p.pass(w, r)
	case cut:
		ctx, cancel := context.WithTimeout(r.Context(), 300*time.Millisecond)
		defer cancel()
		p.pass(&halfWriter{ResponseWriter: w, left: 40}, r.WithContext(ctx))
		panic(http.ErrAbortHandler)
	}
}

// carryOut sends the request and keeps the answer from the client. A watch has no end: it is only begun.
func (p *faultProxy) carryOut(r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	if r.URL.Query().Get("watch") != "" {
		return
	}
	func() {
		defer func() { _ = recover() }()
		p.pass(httptest.NewRecorder(), r.WithContext(ctx))
	}()
}

func (p *faultProxy) pass(w http.ResponseWriter, r *http.Request) {
	if p.pods != nil && p.pods.answer(w, r) {
		return
	}
	p.proxy.ServeHTTP(w, r)
}

// halfWriter lets the beginning of an answer through.
type halfWriter struct {
	http.ResponseWriter
	left int
}

func (h *halfWriter) Write(b []byte) (int, error) {
	n := min(len(b), h.left)
	h.left -= n
	if _, err := h.ResponseWriter.Write(b[:n]); err != nil {
		return 0, err
	}
	if n < len(b) {
		http.NewResponseController(h.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (h *halfWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func refuse(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": message,
	})
}

// apiServer returns the way to the API server of the test and a client of it.
func apiServer(t *testing.T) (*rest.Config, kubernetes.Interface) {
	t.Helper()
	file := os.Getenv("KUBECONFIG")
	if file == "" {
		t.Fatal("KUBECONFIG names no API server: run make test-api")
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, kube
}
