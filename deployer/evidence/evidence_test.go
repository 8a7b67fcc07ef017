package evidence_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/evidence"
)

// unpack reads an archive into its files by name.
func unpack(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
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
		text, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		if head.Mode != 0o600 {
			t.Errorf("%s has mode %o", head.Name, head.Mode)
		}
		out[head.Name] = string(text)
	}
}

// TestMaskText: what was told and what has the form of a secret goes; all else stays.
func TestMaskText(t *testing.T) {
	t.Parallel()
	m := evidence.NewMask()
	m.Add("planted-1")
	m.Add("planted-1-longer")
	m.Add("short")
	m.AddFile("redis:\n  host: redis\n  password: planted-2\nsession: {secret: 'planted 3'}\n" + strings.Repeat("planted4", 6) + "\n")
	m.AddFile("planted-5\n")
	m.Learn(map[string]any{"env": []any{
		map[string]any{"name": "DB_PASSWORD", "value": "planted-6"},
		map[string]any{"name": "REDIS_URL", "value": "redis://:planted-7@redis:6379"},
		map[string]any{"name": "LOG_LEVEL", "value": "information"},
	}})
	tests := []struct{ text, want string }{
		{"a planted-1-longer b planted-1", "a *** b ***"},
		{"a short word, information", "a short word, information"},
		{"redis said: planted-2; planted 3", "redis said: ***; ***"},
		{strings.Repeat("planted4", 6), "***"},
		{"planted-5 cGxhbnRlZC01", "*** ***"},
		{"planted-6 and planted-7", "*** and ***"},
		{`{"authorization":"Basic dTpw","path":"/a"}`, `{"authorization":"***","path":"/a"}`},
		{"Authorization: apiKey a:b", "Authorization: ***"},
		{"got Bearer eyJhbGciOi.x.y today", "got Bearer *** today"},
		{"redis://user:pw@host/0", "redis://user:***@host/0"},
		{"+    secretOrPublicKey: abc # why", "+    secretOrPublicKey: *** # why"},
		{`password="a b" other=1`, `password=*** other=1`},
		{`couldn't find key jwt in Secret shop/keys`, `couldn't find key jwt in Secret shop/keys`},
		{`secret "shop-keys" not found`, `secret "shop-keys" not found`},
		{"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----"},
	}
	for _, test := range tests {
		if got := m.Text(test.text); got != test.want {
			t.Errorf("%q\nbecame %q\nwant   %q", test.text, got, test.want)
		}
	}
}

// TestMaskValue: variables and keys with a secret's name lose their values however short, numbers stay as they are.
func TestMaskValue(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	a := evidence.New(evidence.NewMask())
	a.JSON("x.json", map[string]any{
		"env":  []any{map[string]any{"name": "TOKEN", "value": "abc"}, map[string]any{"name": "LEVEL", "value": "abc"}},
		"ref":  map[string]any{"secretKeyRef": map[string]any{"name": "keys", "key": "jwt"}, "secretName": "tls"},
		"auth": map[string]any{"password": "pw"}, "big": int64(1700000000123456789),
	})
	if err := a.Write(&b, "f", time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(unpack(t, b.Bytes())["f/x.json"]), "")
	want := `{"auth":{"password":"***"},"big":1700000000123456789,"env":[{"name":"TOKEN","value":"***"},{"name":"LEVEL","value":"abc"}],` +
		`"ref":{"secretKeyRef":{"key":"jwt","name":"keys"},"secretName":"tls"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestBounds: of logs the end stays, in whole lines and without half a secret; what is too much is named.
func TestBounds(t *testing.T) {
	t.Parallel()
	m := evidence.NewMask()
	m.Add(strings.Repeat("planted", 20))
	a := evidence.New(m)
	line := strings.Repeat("x", 900) + strings.Repeat("planted", 20) + "\n"
	a.Log("logs/wide.log", []byte(strings.Repeat(line, 450)))
	a.Log("logs/long.log", []byte(strings.Repeat("a\n", 5000)+"last\n"))
	a.Log("logs/binary.log", []byte("\xff\xfe\n"))
	a.JSON("huge.json", strings.Repeat("y", evidence.MaxFile))
	for i := range 20 {
		a.Log(fmt.Sprintf("logs/%02d.log", i), []byte(strings.Repeat(strings.Repeat("z", 999)+"\n", 250)))
	}
	dir := filepath.Join(t.TempDir(), "new", "folder")
	name, err := a.WriteFile(dir, "e", time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 || filepath.Base(name) != "e.tar.gz" {
		t.Errorf("%s: %v, %v", name, info.Mode(), err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, raw)
	total := 0
	for _, text := range files {
		total += len(text)
		if len(text) > evidence.MaxFile {
			t.Errorf("a file of %d bytes", len(text))
		}
		if strings.Contains(text, "planted") {
			t.Error("a secret, or the half of one, is there")
		}
	}
	if total > evidence.MaxTotal+evidence.MaxFile {
		t.Errorf("%d bytes in all", total)
	}
	if text := files["e/logs/wide.log"]; !strings.HasPrefix(text, "xxx") || !strings.HasSuffix(text, "***\n") {
		t.Error("the wide log does not begin and end with a whole line")
	}
	if text := files["e/logs/long.log"]; strings.Count(text, "\n") != evidence.MaxLines || !strings.HasSuffix(text, "last\n") {
		t.Errorf("the long log has %d lines", strings.Count(text, "\n"))
	}
	for _, want := range []string{"huge.json: left out", "logs/long.log: the last 500 lines only", "the archive is full"} {
		if !strings.Contains(files["e/README"], want) {
			t.Errorf("README does not say %q:\n%s", want, files["e/README"])
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

type counter struct{ n int }

func (c *counter) Emit(event.Event) { c.n++ }

// TestRecorder: everything is passed on, the last events are kept.
func TestRecorder(t *testing.T) {
	t.Parallel()
	next := &counter{}
	r := &evidence.Recorder{Next: next}
	for i := range 12000 {
		r.Emit(event.Event{Type: event.Info, Seq: int64(i)})
		r.Emit(event.Event{Type: event.Progress, Seq: int64(i)})
	}
	seen := r.Events()
	if next.n != 24000 || len(seen) > 5000 || len(seen) < 2500 || seen[len(seen)-1].Seq != 11999 {
		t.Errorf("%d passed on, %d kept", next.n, len(seen))
	}
}
