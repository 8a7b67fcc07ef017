//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const echoImage = "egk8s.dev/echo:e2e"

// place is a namespace with an account that has the published Role and nothing more, and a project
// folder of its own.
type place struct {
	namespace  string
	kubeconfig string // of the account
	admin      string // of the cluster's administrator
	dir        string // the project
	env        []string
}

// ran is what one command did.
type ran struct {
	code           int
	stdout, stderr string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	admin := os.Getenv("KUBECONFIG")
	if admin == "" {
		t.Fatal("KUBECONFIG is not set: run `make e2e`, which brings a cluster up")
	}
	p := &place{admin: admin, namespace: strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))}
	p.dir = filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(p.dir, os.DirFS(root(t, "testdata/demo/project"))); err != nil {
		t.Fatal(err)
	}
	p.kubectlInput(t, namespaceAndAccount(p.namespace), "apply", "-f", "-")
	role := p.egk8s(t, "help", "rbac")
	if role.code != 0 {
		t.Fatalf("egk8s help rbac: exit %d\n%s", role.code, role.stderr)
	}
	p.kubectlInput(t, role.stdout, "apply", "-n", p.namespace, "-f", "-")
	p.kubeconfig = p.accountKubeconfig(t)
	t.Cleanup(func() {
		if !t.Failed() {
			p.kubectl(t, "delete", "namespace", p.namespace, "--wait=false")
		}
	})
	return p
}

// namespaceAndAccount also labels the namespace so that PodSecurity admits restricted pods only.
func namespaceAndAccount(namespace string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata:
  name: %[1]s
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: pipeline, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: pipeline, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: egk8s-deployer}
subjects: [{kind: ServiceAccount, name: pipeline, namespace: %[1]s}]
`, namespace)
}

// accountKubeconfig writes a kubeconfig that is the administrator's with the account's token.
func (p *place) accountKubeconfig(t *testing.T) string {
	t.Helper()
	token := strings.TrimSpace(p.kubectl(t, "create", "token", "pipeline", "-n", p.namespace, "--duration", "2h"))
	file := filepath.Join(t.TempDir(), "kubeconfig")
	raw, err := os.ReadFile(p.admin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	context := strings.TrimSpace(p.kubectl(t, "config", "current-context"))
	for _, args := range [][]string{
		{"config", "set-credentials", "pipeline", "--token", token},
		{"config", "set-context", context, "--user", "pipeline", "--namespace", p.namespace},
	} {
		p.run(t, kubectlPath(t), "", append([]string{"--kubeconfig", file}, args...)...).mustSucceed(t)
	}
	return file
}

// egk8s runs the product as the account, in the project folder, as a pipeline would.
func (p *place) egk8s(t *testing.T, args ...string) ran {
	t.Helper()
	return p.run(t, root(t, "bin/egk8s"), "", args...)
}

// kubectl runs the real kubectl as the administrator and returns its standard output.
func (p *place) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return p.kubectlInput(t, "", args...)
}

func (p *place) kubectlInput(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := p.run(t, kubectlPath(t), stdin, append([]string{"--kubeconfig", p.admin}, args...)...)
	r.mustSucceed(t)
	return r.stdout
}

func (p *place) run(t *testing.T, program, stdin string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "CI=true", "GITHUB_ACTIONS=", "GITLAB_CI=")
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("run %s: %v", program, err)
	}
	r := ran{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	t.Logf("%s %s: exit %d in %.1fs", filepath.Base(program), shown(args), r.code, time.Since(start).Seconds())
	return r
}

func (r ran) mustSucceed(t *testing.T) {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit %d, want 0\n-- stdout\n%s\n-- stderr\n%s", r.code, r.stdout, r.stderr)
	}
}

// deployed is the part of a DeployResult that the stories look at.
type deployed struct {
	Outcome             string
	ExitCode            int
	Revision            int
	TimeToFirstAnswerMs int64
	DurationMs          int64
	ImageDigest         string
	ConfigDigest        string
	Ready               int
	RolledBack          bool
	RestoredRevision    int
	Proof               struct {
		Lost                  int
		Before, During, After struct {
			Sent  int
			P99Ms float64
		}
	}
	Warnings []string
	Error    string
	Failures []struct {
		Object, Code, Reason, Message, Fix string
		Logs                               []string
	}
}

// deploy runs `egk8s deploy -o json` and reads its document; the exit code is the caller's business.
func (p *place) deploy(t *testing.T, args ...string) (deployed, ran) {
	t.Helper()
	r := p.egk8s(t, append([]string{"deploy", "--cloud", "local", "-o", "json"}, args...)...)
	var d deployed
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		t.Fatalf("exit %d, and stdout is not one JSON document: %v\n-- stdout\n%s\n-- stderr\n%s", r.code, err, r.stdout, r.stderr)
	}
	if d.ExitCode != r.code {
		t.Errorf("the document says exit code %d, the process ended with %d", d.ExitCode, r.code)
	}
	return d, r
}

func (p *place) mustDeploy(t *testing.T, args ...string) deployed {
	t.Helper()
	d, r := p.deploy(t, args...)
	if r.code != 0 {
		t.Fatalf("deploy: exit %d, want 0\n-- stdout\n%s\n-- stderr\n%s", r.code, r.stdout, r.stderr)
	}
	return d
}

// edit replaces text in a file of the project; the text must be there.
func (p *place) edit(t *testing.T, file, old, replacement string) {
	t.Helper()
	path := filepath.Join(p.dir, file)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func kubectlPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("EGK8S_TEST_KUBECTL")
	if path == "" {
		t.Fatal("EGK8S_TEST_KUBECTL is not set: run `make e2e`")
	}
	return path
}

// root resolves a path of the repository.
func root(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// shown leaves out what would make a log long or tell a secret.
func shown(args []string) string {
	out := make([]string, 0, len(args))
	for _, arg := range args {
		if len(arg) > 60 {
			arg = "…"
		}
		out = append(out, arg)
	}
	return strings.Join(out, " ")
}
