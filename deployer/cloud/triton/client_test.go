package triton_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/testdata/cloudapi"
)

// clock is a time that passes only when somebody waits.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	waited []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waited = append(c.waited, d)
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

type setup struct {
	*cloudapi.Server
	clock  *clock
	client *triton.Client
	url    string
}

func key(t *testing.T, private crypto.Signer) ssh.PublicKey {
	t.Helper()
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func openSSH(t *testing.T, private crypto.PrivateKey) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// datacenter starts a stub whose time and ours is one clock.
func datacenter(t *testing.T) *setup {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &setup{Server: cloudapi.New(), clock: &clock{now: time.Now()}}
	s.Now, s.Delay = s.clock.Now, 20*time.Second
	s.Trust(key(t, private))
	server := httptest.NewServer(s.Server)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.client = s.connect(t, openSSH(t, private), nil)
	return s
}

func (s *setup) connect(t *testing.T, material string, change func(*triton.Credentials)) *triton.Client {
	t.Helper()
	c := triton.Credentials{URL: s.url, Account: s.Account.Login, Material: material}
	if change != nil {
		change(&c)
	}
	signer, err := triton.OpenSigner(c, triton.Environment{Lookup: nothing, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := triton.New(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	client.Clock = s.clock
	return client
}

func nothing(string) (string, bool) { return "", false }

// TestKeys signs with every kind of key in every form that ssh-keygen and openssl write.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"rsa": rsaKey}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys["ecdsa "+curve.Params().Name] = k
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys["ed25519"] = edKey
	for name, private := range keys {
		s.Trust(key(t, private))
		forms := map[string]string{"openssh": openSSH(t, private)}
		if der, err := x509.MarshalPKCS8PrivateKey(private); err == nil && name != "ed25519" {
			forms["pkcs8"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		}
		switch k := private.(type) {
		case *rsa.PrivateKey:
			forms["pkcs1"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
		case *ecdsa.PrivateKey:
			der, err := x509.MarshalECPrivateKey(k)
			if err != nil {
				t.Fatal(err)
			}
			forms["sec1"] = string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
		}
		for form, material := range forms {
			if _, err := s.connect(t, material, nil).Account(t.Context()); err != nil {
				t.Errorf("%s in %s: %v", name, form, err)
			}
		}
		for _, id := range []string{ssh.FingerprintLegacyMD5(key(t, private)), "MD5:" + ssh.FingerprintLegacyMD5(key(t, private)), ssh.FingerprintSHA256(key(t, private))} {
			if _, err := s.byAgent(t, private, id).Account(t.Context()); err != nil {
				t.Errorf("%s by the agent as %s: %v", name, id, err)
			}
			if _, err := s.byFolder(t, forms["openssh"], id).Account(t.Context()); err != nil {
				t.Errorf("%s in ~/.ssh as %s: %v", name, id, err)
			}
		}
	}
}

func (s *setup) byAgent(t *testing.T, private crypto.PrivateKey, id string) *triton.Client {
	t.Helper()
	folder, err := os.MkdirTemp("", "agent") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket := filepath.Join(folder, "s")
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return s.open(t, id, triton.Environment{Home: t.TempDir(), Lookup: func(name string) (string, bool) {
		return socket, name == "SSH_AUTH_SOCK"
	}})
}

func (s *setup) byFolder(t *testing.T, material, id string) *triton.Client {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"id_key": material, "known_hosts": "x", "other": "-----BEGIN nonsense"} {
		if err := os.WriteFile(filepath.Join(home, ".ssh", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s.open(t, id, triton.Environment{Home: home, Lookup: nothing})
}

func (s *setup) open(t *testing.T, id string, env triton.Environment) *triton.Client {
	t.Helper()
	c := triton.Credentials{URL: s.url, Account: s.Account.Login, KeyID: id}
	signer, err := triton.OpenSigner(c, env)
	if err != nil {
		t.Fatal(err)
	}
	client, err := triton.New(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	client.Clock = s.clock
	return client
}

// TestKeysThatCannotSign end with advice, and without a byte of the key.
func TestKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	locked := string(pem.EncodeToMemory(block))
	home := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(home, ".ssh"), 0o700), os.WriteFile(filepath.Join(home, ".ssh", "id"), []byte(locked), 0o600)); err != nil {
		t.Fatal(err)
	}
	id := ssh.FingerprintLegacyMD5(key(t, private))
	for name, c := range map[string]struct {
		credentials triton.Credentials
		want        string
	}{
		"passphrase":        {triton.Credentials{Material: locked}, "passphrase"},
		"passphrase, found": {triton.Credentials{KeyID: id}, "passphrase"},
		"not a key":         {triton.Credentials{Material: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "cannot be read"},
		"no such file":      {triton.Credentials{Material: filepath.Join(home, "none")}, "no such file"},
		"another key":       {triton.Credentials{Material: openSSH(t, private), KeyID: "aa:bb"}, "TRITON_KEY_ID says aa:bb"},
		"nowhere":           {triton.Credentials{KeyID: "aa:bb"}, "neither in ssh-agent nor in"},
	} {
		_, err := triton.OpenSigner(c.credentials, triton.Environment{Lookup: nothing, Home: home})
		var problem *triton.KeyError
		if !errors.As(err, &problem) || !strings.Contains(err.Error(), c.want) || problem.Hint() == "" || strings.Contains(err.Error(), "b3Blbn") {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := triton.Credentials{Material: openSSH(t, private), Account: "a"}
	if text := fmt.Sprintf("%v %+v %#v", secret, secret, secret); strings.Contains(text, "PRIVATE") {
		t.Errorf("the key shows: %s", text)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.connect(t, openSSH(t, other), nil).Account(t.Context())
	var refused *triton.APIError
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized || !strings.Contains(refused.Hint(), "clock") {
		t.Errorf("a foreign key: %v", err)
	}
	s.client.Clock = &clock{now: s.clock.Now().Add(-10 * time.Minute)}
	if _, err := s.client.Account(t.Context()); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("a clock that is late: %v", err)
	}
	if skew, err := s.client.Skew(t.Context()); err != nil || skew.Round(time.Minute) != -10*time.Minute {
		t.Errorf("skew %s %v", skew, err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	s.client.PageSize = 7
	for i := range 30 {
		s.AddNode(cloudapi.Node{Name: fmt.Sprintf("n%d", i), Network: "external", Tags: map[string]string{"even": fmt.Sprint(i%2 == 0)}})
	}
	all, err := s.client.Machines(t.Context(), "", "")
	if err != nil || len(all) != 30 {
		t.Errorf("%d machines, %v", len(all), err)
	}
	even, err := s.client.Machines(t.Context(), "even", "true")
	if err != nil || len(even) != 15 {
		t.Errorf("%d machines with the tag, %v", len(even), err)
	}
}

// TestThrottled waits as long as the server says, and gives up at some time.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	s.Inject(cloudapi.Fault{Status: 503, Code: "ServiceUnavailable", RetryAfter: "7", Times: 2})
	s.Inject(cloudapi.Fault{Status: 420, Code: "RequestThrottled", Times: 1})
	s.Inject(cloudapi.Fault{Status: 429, Code: "TooManyRequests", RetryAfter: "100000", Times: 1})
	if _, err := s.client.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.clock.waited; len(got) != 4 || got[0] != 7*time.Second || got[1] != 7*time.Second || got[2] >= time.Second || got[3] != 30*time.Second {
		t.Errorf("waited %v", got)
	}
	s.Inject(cloudapi.Fault{Status: 503, Code: "ServiceUnavailable"})
	if _, err := s.client.Account(t.Context()); !triton.IsThrottled(err) {
		t.Errorf("for ever: %v", err)
	}
}

// TestCut: a read whose connection is cut is sent again, a write that may have been done is not.
func TestCut(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	s.Inject(cloudapi.Fault{Method: "GET", Times: 1})
	if _, err := s.client.Account(t.Context()); err != nil {
		t.Errorf("read: %v", err)
	}
	s.Inject(cloudapi.Fault{Method: "POST", Path: regexp.MustCompile("machines$"), Times: 1, After: true})
	_, err := s.client.CreateMachine(t.Context(), s.machine("once"))
	var unreachable *triton.UnreachableError
	if !errors.As(err, &unreachable) || len(s.Machines()) != 1 {
		t.Errorf("write: %v, %d machines", err, len(s.Machines()))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := s.client.Account(ctx); err == nil || err.Error() != "enough" {
		t.Errorf("cancelled: %v", err)
	}
}

func (s *setup) machine(name string) triton.NewMachine {
	return triton.NewMachine{
		Name: name, Image: s.Images[1].ID, Package: "g1.micro", Networks: []string{s.Networks[0].ID, s.Networks[1].ID}, Firewall: true,
		Tags: map[string]string{"egk8s.release": "shop", triton.ServicesTag: "egk8s-shop"}, Metadata: map[string]string{"cloud.tritoncompute:portmap": "http://80:a.b"},
	}
}

// TestLife follows a machine from its making to its end.
func TestLife(t *testing.T) {
	t.Parallel()
	s, ctx := datacenter(t), t.Context()
	made, err := s.client.CreateMachine(ctx, s.machine("lb-1"))
	if err != nil || made.State != triton.Provisioning || len(made.IPs) != 0 {
		t.Fatalf("%+v %v", made, err)
	}
	running, err := s.client.WaitRunning(ctx, made.ID)
	if err != nil || running.State != triton.Running || len(running.IPs) != 2 || running.Tag("egk8s.release") != "shop" {
		t.Fatalf("%+v %v", running, err)
	}
	if err := s.client.AddTags(ctx, made.ID, map[string]string{triton.ServicesTag: "egk8s-shop,other:80"}); err != nil {
		t.Fatal(err)
	}
	if m, err := s.client.Machine(ctx, made.ID); err != nil || m.Tag(triton.ServicesTag) != "egk8s-shop" {
		t.Errorf("the tag is there at once: %+v %v", m, err)
	}
	if err := s.client.WaitTag(ctx, made.ID, triton.ServicesTag, "egk8s-shop,other:80"); err != nil {
		t.Error(err)
	}
	metadata := map[string]string{"cloud.tritoncompute:portmap": "http://80:c.d"}
	if err := errors.Join(s.client.AddMetadata(ctx, made.ID, metadata), s.client.WaitMetadata(ctx, made.ID, metadata)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.client.DeleteTag(ctx, made.ID, triton.ServicesTag), s.client.WaitTag(ctx, made.ID, triton.ServicesTag, "")); err != nil {
		t.Error(err)
	}
	if m, err := s.client.Machine(ctx, made.ID); err != nil || m.Tag("egk8s.release") != "shop" {
		t.Errorf("the other tag went too: %+v %v", m, err)
	}
	s.Change(made.ID, func(m *triton.Machine) { m.State = triton.Stopped })
	if err := s.client.StartMachine(ctx, made.ID); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.client.DeleteMachine(ctx, made.ID), s.client.WaitGone(ctx, made.ID), s.client.DeleteMachine(ctx, made.ID)); err != nil {
		t.Error(err)
	}
	s.FailNext()
	made, err = s.client.CreateMachine(ctx, s.machine("lb-2"))
	if err != nil {
		t.Fatal(err)
	}
	var failed *triton.MachineError
	if _, err := s.client.WaitRunning(ctx, made.ID); !errors.As(err, &failed) || failed.State != triton.Failed {
		t.Errorf("%v", err)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	s, ctx := datacenter(t), t.Context()
	rule, err := s.client.CreateRule(ctx, triton.Rule{Text: "FROM any TO " + triton.TagTarget("a", `b"(c)`) + " ALLOW tcp PORT 80", Enabled: true, Description: "d"})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := triton.ParseRule(rule.Text)
	tagged := &triton.Machine{Tags: map[string]any{"a": `b"(c)`}}
	if err != nil || !spec.Opens(&triton.Machine{}, tagged, 80) || spec.Opens(&triton.Machine{}, tagged, 81) || spec.Opens(tagged, &triton.Machine{}, 80) {
		t.Errorf("%+v %v", spec, err)
	}
	rule.Text = "FROM any TO all vms ALLOW tcp PORT 81"
	if err := s.client.UpdateRule(ctx, *rule); err != nil {
		t.Fatal(err)
	}
	rules, err := s.client.Rules(ctx)
	if err != nil || len(rules) != 1 || rules[0] != *rule {
		t.Errorf("%+v %v", rules, err)
	}
	if err := errors.Join(s.client.DeleteRule(ctx, rule.ID), s.client.DeleteRule(ctx, rule.ID)); err != nil {
		t.Error(err)
	}
	before := len(s.Requests())
	if _, err := s.client.CreateRule(ctx, triton.Rule{Text: "FROM any TO any ALLOW tcp PORT 80"}); err == nil || len(s.Requests()) != before {
		t.Errorf("a rule that is none was sent: %v", err)
	}
	bad := s.machine("x")
	bad.Tags["triton.mine"] = "1"
	if _, err := s.client.CreateMachine(ctx, bad); err == nil || len(s.Requests()) != before {
		t.Errorf("a tag that is none was sent: %v", err)
	}
}

// TestSuffixes: only the single network tells its zones.
func TestSuffixes(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	networks, err := s.client.Networks(t.Context())
	if err != nil || len(networks) != 3 {
		t.Fatal(networks, err)
	}
	one, err := s.client.Network(t.Context(), networks[1].ID)
	if err != nil || !slices.ContainsFunc(one.Suffixes, func(s string) bool { return strings.HasPrefix(s, "svc.") }) || !one.Fabric {
		t.Errorf("%+v %v", one, err)
	}
	images, err := s.client.Images(t.Context(), "cloud-load-balancer")
	if err != nil || len(images) != 2 {
		t.Errorf("%+v %v", images, err)
	}
	packages, err := s.client.Packages(t.Context())
	if err != nil || len(packages) != 2 || packages[0].Memory == 0 {
		t.Errorf("%+v %v", packages, err)
	}
}

func TestSubUser(t *testing.T) {
	t.Parallel()
	s := datacenter(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.Trust(key(t, private))
	var seen bytes.Buffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(&seen, r.URL.Path, r.Header.Get("Authorization"))
		s.ServeHTTP(w, r)
	}))
	defer server.Close()
	client := s.connect(t, openSSH(t, private), func(c *triton.Credentials) { c.URL, c.User, c.ActAs = server.URL+"/", "ci", "other" })
	_, err = client.Account(t.Context())
	var refused *triton.APIError
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || refused.Hint() == "" {
		t.Errorf("another account: %v", err)
	}
	if text := seen.String(); !strings.HasPrefix(text, "/other Signature") || !strings.Contains(text, `keyId="/tester/users/ci/keys/`) {
		t.Error(text)
	}
}
