package cloudapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"egk8s.dev/egk8s/testdata/cloudapi"
)

// TestOfficialCLI lets the official command line, which knows nothing of us, do with the stub what people do with a
// datacenter: what it takes for an answer is what CloudAPI answers.
//
// TRITON_CLI names an installed triton; without it npm fetches the pinned version.
func TestOfficialCLI(t *testing.T) {
	program := install(t)
	for name, private := range privateKeys(t) {
		t.Run(name, func(t *testing.T) {
			c := &cli{t: t, program: program, home: t.TempDir()}
			c.serve(private)
			c.story(name == "rsa")
		})
	}
}

func privateKeys(t *testing.T) map[string]any {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"rsa": r, "ecdsa": e, "ed25519": d}
}

// install returns the path of the command, or skips the test and says why.
func install(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("TRITON_CLI"); program != "" {
		return program
	}
	for _, needed := range []string{"node", "npm"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("the official command line was not tried: %v", err)
		}
	}
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, "triton@7.17.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the official command line was not tried, because npm did not fetch it: %v\n%s", err, out)
	}
	return filepath.Join(folder, "node_modules", ".bin", "triton")
}

type cli struct {
	t       *testing.T
	program string
	home    string
	env     []string
	stub    *cloudapi.Server
}

func (c *cli) serve(private any) {
	c.t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		c.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		c.t.Fatal(err)
	}
	folder := filepath.Join(c.home, ".ssh")
	if err := os.Mkdir(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	for name, data := range map[string][]byte{"id": pem.EncodeToMemory(block), "id.pub": ssh.MarshalAuthorizedKey(signer.PublicKey())} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	c.stub = cloudapi.New()
	c.stub.Delay = time.Second
	c.stub.Trust(signer.PublicKey())
	server := httptest.NewServer(c.stub)
	c.t.Cleanup(server.Close)
	c.env = []string{
		"HOME=" + c.home, "PATH=" + os.Getenv("PATH"), "TRITON_URL=" + server.URL, "TRITON_ACCOUNT=tester",
		"TRITON_KEY_ID=" + ssh.FingerprintLegacyMD5(signer.PublicKey()), "NODE_NO_WARNINGS=1",
	}
}

// run runs a command and returns what it printed.
func (c *cli) run(good bool, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if (err == nil) != good {
		c.t.Fatalf("triton %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

func (c *cli) want(text string, args ...string) {
	c.t.Helper()
	if got := c.run(true, args...); !strings.Contains(got, text) {
		c.t.Errorf("triton %s does not say %q:\n%s", strings.Join(args, " "), text, got)
	}
}

// visible waits until metadata that was accepted can be read.
func (c *cli) visible(key string) {
	c.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for c.stub.Machines()[0].Meta(key) == "" {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s never came", key)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// story does everything, or only shows that the key is taken.
func (c *cli) story(whole bool) {
	c.t.Helper()
	c.want("triton_cns_enabled: true", "account", "get")
	if !whole {
		return
	}
	c.want("My-Fabric-Network", "network", "ls")
	c.want("svc.", "network", "get", c.stub.Networks[0].ID)
	c.want("cloud-load-balancer", "image", "ls")
	c.want("g1.small", "package", "ls")
	c.want("Created instance lb-1", "instance", "create", "-w", "--name", "lb-1", "-N", "external", "-N", "My-Fabric-Network", "--firewall",
		"-t", "egk8s.release=shop", "-t", "triton.cns.services=egk8s-shop", "-m", "cloud.tritoncompute:loadbalancer=true",
		"-m", "cloud.tritoncompute:max_rs=64", "cloud-load-balancer", "g1.micro")
	c.want("lb-1", "instance", "ls")
	c.want("lb-1", "instance", "ls", "tag.egk8s.release=shop")
	c.want("egk8s-shop,web:80", "instance", "tag", "set", "-w", "lb-1", "triton.cns.services=egk8s-shop,web:80")
	c.run(false, "instance", "tag", "set", "lb-1", "triton.cns.services=not a name")
	c.run(false, "instance", "tag", "set", "lb-1", "triton.unheard=of")
	c.want("egk8s.release", "instance", "tag", "ls", "lb-1")
	c.want("portmap", "instance", "metadata", "set", "lb-1", "cloud.tritoncompute:portmap=http://80:a.b:30080")
	c.visible("cloud.tritoncompute:portmap")
	c.want("http://80:a.b:30080", "instance", "metadata", "get", "lb-1", "cloud.tritoncompute:portmap")
	c.want("Created firewall rule", "fwrule", "create", "-D", "ours", `FROM any TO tag "egk8s.release" = "shop" ALLOW tcp PORTS 80, 443`)
	c.run(false, "fwrule", "create", `FROM any TO tag "a" ALLOW tcp (PORT >= 30000 AND PORT <= 32767)`)
	c.want("egk8s.release", "fwrule", "ls", "-l")
	rules := c.stub.Rules()
	if len(rules) != 1 {
		c.t.Fatalf("%d rules", len(rules))
	}
	c.want("Disabled", "fwrule", "disable", rules[0].ID)
	c.want("Deleted rule", "fwrule", "rm", "-f", rules[0].ID)
	c.want("Deleted tag", "instance", "tag", "rm", "-w", "lb-1", "egk8s.release")
	c.want("Delete", "instance", "rm", "-w", "-f", "lb-1")
	if left := c.stub.Machines(); len(left) != 0 {
		c.t.Errorf("left: %+v", left)
	}
	c.env = append(c.env, "TRITON_KEY_ID=aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99")
	c.run(false, "account", "get")
}
