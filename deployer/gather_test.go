package deployer

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/evidence"
	"egk8s.dev/egk8s/deployer/project"
)

// crashed answers like an API server with a Deployment whose one pod has crashed and says its secrets aloud.
func crashed(readSecrets bool) http.Handler {
	list := func(w http.ResponseWriter, items ...string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":{},"items":[%s]}`, strings.Join(items, ","))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/apis/apps/v1/namespaces/ns/deployments", func(w http.ResponseWriter, _ *http.Request) {
		list(w, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop","namespace":"ns","managedFields":[{"manager":"m"}]},
			"spec":{"template":{"spec":{"containers":[{"name":"gateway","env":[{"name":"JWT","valueFrom":{"secretKeyRef":{"name":"keys","key":"jwt"}}},
			{"name":"API_TOKEN","value":"planted-token"}]}]}}}}`)
	})
	mux.HandleFunc("/api/v1/namespaces/ns/pods", func(w http.ResponseWriter, _ *http.Request) {
		list(w, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"shop-1","namespace":"ns"},"status":{"containerStatuses":[{"name":"gateway",
			"restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"exitCode":3}}}]}}`)
	})
	mux.HandleFunc("/api/v1/namespaces/ns/pods/shop-1/log", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("previous") == "true" {
			fmt.Fprintln(w, "last words: planted-jwt planted-token")
			return
		}
		fmt.Fprintln(w, "now: password=planted-other")
	})
	mux.HandleFunc("/api/v1/namespaces/ns/secrets/keys", func(w http.ResponseWriter, _ *http.Request) {
		if !readSecrets {
			http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`, http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"keys"},"data":{"jwt":"cGxhbnRlZC1qd3Q="}}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/services") {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		list(w)
	})
	return mux
}

// failedRun is a deploy that has failed in a cluster that the handler is.
func failedRun(t *testing.T, h http.Handler) *deploy {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: '%s'}}]\n"+
		"users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n", server.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := cluster.Connect(cluster.Config{Kubeconfig: config})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{client: client, namespace: "ns", name: "shop", now: time.Now, started: time.Now()}
	d := &deploy{
		session: s, opts: DeployOptions{Evidence: filepath.Join(t.TempDir(), "kept")}, project: &project.Project{},
		result: &Result{Revision: 4}, seen: &evidence.Recorder{},
	}
	d.out = s.stream(d.seen, "deploy", "", time.Time{})
	d.out.info("seen by egk8s")
	return d
}

func unpack(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for files := tar.NewReader(zipped); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(head.Name, "/")
		out[name] = string(raw)
	}
}

// TestEvidenceOfACrash: the logs of both runs are there without their secrets, and what could not be read is named.
func TestEvidenceOfACrash(t *testing.T) {
	t.Parallel()
	d := failedRun(t, crashed(true))
	d.evidence(t.Context(), &UnhealthyError{Cause: event.Cause{Code: "crash-loop", Object: "Pod/shop-1", Message: "it crashes"}})
	files := unpack(t, d.result.Evidence)
	all, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(all), "planted") || strings.Contains(string(all), "cGxhbnRlZC") || strings.Contains(files["objects/Deployment-shop.json"], "managedFields") {
		t.Errorf("a secret is there:\n%s", all)
	}
	for name, want := range map[string]string{
		"logs/shop-1.gateway.previous.log": "last words: *** ***\n", "logs/shop-1.gateway.log": "now: password=***\n",
		"objects/Pod-shop-1.json": `"restartCount": 2`, "objects/Deployment-shop.json": `"value": "***"`,
		"events.jsonl": "seen by egk8s", "README": "Service objects: ", "diagnosis.json": `"revision": 4`,
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s does not hold %q:\n%s", name, want, files[name])
		}
	}
}

// TestEvidenceWithoutSecrets: where the values of Secrets are not known, nothing that pods wrote is packed.
func TestEvidenceWithoutSecrets(t *testing.T) {
	t.Parallel()
	d := failedRun(t, crashed(false))
	d.evidence(t.Context(), &TimeoutError{After: time.Minute})
	files := unpack(t, d.result.Evidence)
	for name := range files {
		if strings.HasPrefix(name, "logs/") {
			t.Errorf("%s is there", name)
		}
	}
	if !strings.Contains(files["README"], "logs: Secrets that the pods use could not be read") {
		t.Errorf("README:\n%s", files["README"])
	}
}

// TestNoEvidence: none is kept of what is no failure of the release, nor where nobody asked for it.
func TestNoEvidence(t *testing.T) {
	t.Parallel()
	d := failedRun(t, crashed(true))
	d.evidence(t.Context(), &LockedError{})
	d.evidence(t.Context(), &CheckError{})
	d.opts.Evidence = ""
	d.evidence(t.Context(), &UnhealthyError{})
	if d.result.Evidence != "" || len(d.result.Warnings) > 0 {
		t.Errorf("evidence %q, warnings %q", d.result.Evidence, d.result.Warnings)
	}
}
