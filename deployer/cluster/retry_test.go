package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
)

// answers is a transport that answers as the test says, one after the other, then with 200.
type answers struct {
	list   []any // int: a status; string: a status and its Retry-After; error
	bodies []string
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	a.bodies = append(a.bodies, body)
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
	if len(a.list) == 0 {
		return resp, nil
	}
	next := a.list[0]
	a.list = a.list[1:]
	switch next := next.(type) {
	case int:
		resp.StatusCode = next
	case string:
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", next)
	case io.Reader:
		resp.Body = io.NopCloser(next)
	case error:
		return nil, next
	}
	return resp, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRetries(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	const apply = "application/apply-patch+yaml"
	for name, tc := range map[string]struct {
		method, path, kind string
		answers            []any
		fresh              bool // no answer came from there before
		sent               int
		status             int // 0: an error
		waits              time.Duration
	}{
		"apply that is told to wait":           {method: "PATCH", kind: apply, answers: []any{"7"}, sent: 2, status: 200, waits: 7 * time.Second},
		"apply, every kind of trouble":         {method: "PATCH", kind: apply, answers: []any{500, 502, 503, 504, reset}, sent: 6, status: 200},
		"apply, trouble without end":           {method: "PATCH", kind: apply, answers: []any{500, 500, 500, 500, 500, 503, 500}, sent: 6, status: 503},
		"apply that is told to wait an hour":   {method: "PATCH", kind: apply, answers: []any{"3600"}, sent: 1, status: 429},
		"apply that is refused":                {method: "PATCH", kind: apply, answers: []any{422}, sent: 1, status: 422},
		"stream that is reset":                 {method: "GET", answers: []any{http2.StreamError{Code: http2.ErrCodeInternal}}, sent: 2, status: 200},
		"read whose answer breaks off":         {method: "GET", answers: []any{broken{}}, sent: 2, status: 200},
		"deletion after a lost answer":         {method: "DELETE", answers: []any{reset}, sent: 2, status: 200},
		"create after a lost answer":           {method: "POST", answers: []any{reset}, sent: 1},
		"create after an error":                {method: "POST", answers: []any{500}, sent: 1, status: 500},
		"create that was not taken":            {method: "POST", answers: []any{"1", refused}, sent: 3, status: 200, waits: time.Second},
		"other patch after an error":           {method: "PATCH", kind: "application/json-patch+json", answers: []any{503}, sent: 1, status: 503},
		"update after an error":                {method: "PUT", answers: []any{503}, sent: 1, status: 503},
		"watch":                                {method: "GET", path: "?watch=true", answers: []any{503}, sent: 1, status: 503},
		"pod":                                  {method: "GET", path: "/api/v1/namespaces/n/pods/p:1/proxy/x", answers: []any{503}, sent: 1, status: 503},
		"log":                                  {method: "GET", path: "/api/v1/namespaces/n/pods/p/log", answers: []any{503}, sent: 1, status: 503},
		"first request whose stream is reset":  {method: "GET", answers: []any{http2.StreamError{Code: http2.ErrCodeInternal}}, fresh: true, sent: 2, status: 200},
		"an address where nobody ever answers": {method: "GET", answers: []any{refused}, fresh: true, sent: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				next := &answers{list: tc.answers}
				r := &retrying{next: next, pause: pause}
				r.answered.Store(!tc.fresh)
				var body io.Reader = http.NoBody
				if tc.method != http.MethodGet {
					body = strings.NewReader("body")
				}
				req := httptest.NewRequestWithContext(t.Context(), tc.method, "https://server"+tc.path, body)
				if body != http.NoBody {
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("body")), nil }
				}
				req.Header.Set("Content-Type", tc.kind)
				begun := time.Now()
				resp, err := r.RoundTrip(req)
				status := 0
				if err == nil {
					status = resp.StatusCode
					resp.Body.Close()
					if tc.path == "" && resp.Header.Get("Retry-After") != "" {
						t.Error("client-go would send it again by itself")
					}
				}
				if status != tc.status || len(next.bodies) != tc.sent || time.Since(begun) < tc.waits {
					t.Errorf("%d %v after %d requests and %s", status, err, len(next.bodies), time.Since(begun))
				}
				for _, b := range next.bodies {
					if b != "body" && body != http.NoBody {
						t.Errorf("a request had the body %q", b)
					}
				}
			})
		})
	}
}

// TestRetryEndsWithContext: no attempt is made, and none is waited for, once the run is over.
func TestRetryEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	next := &answers{list: []any{503, 503}}
	r := &retrying{next: next, pause: func(context.Context, time.Duration) { cancel(why) }}
	resp, err := r.RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodGet, "https://server", http.NoBody))
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, why) || len(next.bodies) != 1 {
		t.Errorf("%v after %d requests", err, len(next.bodies))
	}
}

// store is an API server with one Secret, whose answers get lost as the test says.
type store struct {
	mu   sync.Mutex
	data map[string]any
	log  []string
	lose func(n int) (before, after bool) // the n-th write: lost before it happened, or its answer
	n    int
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method)
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodGet {
		if s.data == nil {
			refuse(w, http.StatusNotFound, "NotFound")
			return
		}
		_ = json.NewEncoder(w).Encode(s.data)
		return
	}
	before, after := s.lose(s.n)
	s.n++
	if before {
		panic(http.ErrAbortHandler)
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	version, _, _ := unstructured.NestedString(sent, "metadata", "resourceVersion")
	switch {
	case r.Method == http.MethodPost && s.data != nil:
		refuse(w, http.StatusConflict, "AlreadyExists")
		return
	case r.Method == http.MethodPut && version != "1":
		refuse(w, http.StatusConflict, "Conflict")
		return
	}
	s.data = sent
	_ = unstructured.SetNestedField(s.data, map[string]string{http.MethodPost: "1", http.MethodPut: "2"}[r.Method], "metadata", "resourceVersion")
	if after {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(s.data)
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
}

// TestLostAnswers: a write that must happen once happens once, whichever half of it was lost.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before, after bool
		exists        map[string]any // what is there already
		want          []string
		refused       bool
	}{
		"nothing lost":               {want: []string{"POST", "PUT"}},
		"request lost":               {before: true, want: []string{"POST", "GET", "POST", "PUT"}},
		"answer lost":                {after: true, want: []string{"POST", "GET", "PUT"}},
		"request lost, another's is": {before: true, exists: secret("theirs").Object, want: []string{"POST", "GET", "POST", "GET"}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{data: tc.exists, lose: func(n int) (bool, bool) { return n == 0 && tc.before, n == 0 && tc.after }}
			c := connectTo(t, s)
			out, err := c.Create(t.Context(), secret("ours"))
			if err == nil {
				out.Object["data"] = map[string]any{"k": "new"}
				_, err = c.Update(t.Context(), out)
			}
			if (err != nil) != tc.refused || tc.refused && !apierrors.IsAlreadyExists(err) {
				t.Error(err)
			}
			if d := cmp.Diff(tc.want, s.log); d != "" {
				t.Error(d)
			}
		})
	}
}

func secret(value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "s", "namespace": "n"}, "data": map[string]any{"k": value},
	}}
}

func connectTo(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "config")
	text := `{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
		"clusters": [{"name": "c", "cluster": {"server": "` + server.URL + `"}}], "users": [{"name": "u", "user": {}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(Config{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Get(t.Context(), object.Ref{Version: "v1", Kind: "Secret", Namespace: "n", Name: "s"}) // it is there
	if s, ok := h.(*store); ok {
		s.mu.Lock()
		s.log = nil
		s.mu.Unlock()
	}
	return c
}
