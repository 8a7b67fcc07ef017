package file_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/store/file"
	"egk8s.dev/egk8s/gateway/store/storetest"
)

// fixture is storetest.Fixture as a file.
const fixture = `# who may call the shop
users:
- {username: alice, firstname: A, lastname: L, id: a1b2}
- username: bob
  firstname: B
  lastname: L
  id: c3d4
  isActive: false
applications: [{name: shop, user: alice, id: e5f6}]
credentials:
- {type: key-auth, consumer: alice, keyId: k1, keySecretSHA256: 5b11618c2e44027877d0cd0921ed166b9f176f50587fc91e7534dd2946db77d6, scopes: [read]}
- {type: key-auth, consumer: shop, keyId: k2, isActive: false, keySecretSHA256: 35224d0d3465d74e855f8d69a136e79c744ea35a675d3393360a327cbf6359a2}
- {type: jwt, consumer: a1b2, keyId: k1}
- type: basic-auth
  consumer: alice
  passwordBcrypt: ` + storetest.BcryptOfPassword1 + `
scopes: [read, write]
`

// write replaces a file at once: whoever looks on never sees half of it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// newTestStore opens a store over text and returns it with its path.
func newTestStore(t *testing.T, text string) (*file.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "consumers.yml")
	write(t, path, text)
	store, err := file.Open(t.Context(), file.Options{Path: path, Interval: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return store, path
}

func TestContract(t *testing.T) {
	open := func(t *testing.T) consumer.Store {
		t.Helper()
		store, _ := newTestStore(t, fixture)
		return store
	}
	storetest.Read(t, open)
	storetest.ReadOnly(t, open)
}

func TestOpenTheZippedNeighbour(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "consumers.yml")
	write(t, path+".gz", zipped(t, fixture))
	store, err := file.Open(t.Context(), file.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	want := file.Count{Users: 2, Applications: 1, Credentials: 4, Scopes: 2}
	if diff := cmp.Diff(want, store.Status().Count); diff != "" {
		t.Errorf("count (-want +got)\n%s", diff)
	}
	if store.Status().Digest != file.Digest([]byte(fixture)) {
		t.Error("a packed file has another digest than the same file unpacked")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yml")
	if _, err := file.Open(t.Context(), file.Options{Path: missing}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	store, err := file.Open(t.Context(), file.Options{Path: missing, Optional: true})
	if err != nil || store.Status().Count != (file.Count{}) {
		t.Errorf("a missing optional file: %v", err)
	}
	for name, text := range map[string]string{"bad.yml": "users: 7", "bad.gz": "\x1f\x8b bad"} {
		write(t, filepath.Join(dir, name), text)
		var problems diag.Problems
		if _, err := file.Open(t.Context(), file.Options{Path: filepath.Join(dir, name)}); !errors.As(err, &problems) {
			t.Errorf("%s: %v, want problems", name, err)
		}
	}
}

func TestAnOptionalFileMayAppearButNotVanish(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "consumers.yml")
	store, err := file.Open(t.Context(), file.Options{Path: path, Optional: true})
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := store.Reload(t.Context()); err != nil || changed {
		t.Errorf("still missing: %v, %v", changed, err)
	}
	write(t, path, user("one"))
	for range 2 {
		if _, err := store.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Reload(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("vanished: %v, want that it does not exist", err)
	}
	if !serves(t, store, "one") {
		t.Error("a vanished optional file took its consumers along")
	}
}

func TestDerivedIDsAreStable(t *testing.T) {
	t.Parallel()
	text := "users: [{username: al, firstname: A, lastname: L}]\napplications: [{name: shop, user: al}, {name: market, user: al}]\n"
	one, _ := newTestStore(t, text)
	two, _ := newTestStore(t, "# moved\n\n"+text)
	seen := map[string]bool{}
	for _, kind := range []consumer.Kind{consumer.KindUser, consumer.KindApplication} {
		list, _, err := one.Consumers(t.Context(), kind, consumer.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			seen[c.ID] = true
			if _, err := two.Consumer(t.Context(), c.ID); err != nil {
				t.Errorf("%s has another id in another replica", c.DisplayName())
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d different ids, want 3", len(seen))
	}
}

const oneUser = "users: [{username: %s, firstname: F, lastname: L, id: u-%s}]\n"

func user(name string) string { return fmt.Sprintf(oneUser, name, name) }

func serves(t *testing.T, store *file.Store, name string) bool {
	t.Helper()
	_, err := store.Consumer(t.Context(), "u-"+name)
	return err == nil
}

func TestReloadInPlaceWaitsUntilTheWriterIsDone(t *testing.T) {
	t.Parallel()
	store, path := newTestStore(t, user("one"))
	for i, tt := range []struct {
		text    string
		changed bool
		serves  string
	}{
		{user("one"), false, "one"},
		{user("two"), false, "one"},   // seen the first time
		{user("three"), false, "one"}, // still being written
		{user("three"), true, "three"},
		{user("three"), false, "three"},
	} {
		write(t, path, tt.text)
		changed, err := store.Reload(t.Context())
		if err != nil || changed != tt.changed || !serves(t, store, tt.serves) {
			t.Errorf("%d: changed %v (%v), serves %s: %v", i, changed, err, tt.serves, serves(t, store, tt.serves))
		}
	}
}

func TestReloadTakesASwappedLinkAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	swap := func(version, text string) {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "consumers.yml"), text)
		if err := os.Symlink(version, filepath.Join(dir, "..new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	swap("..1", user("one"))
	path := filepath.Join(dir, "consumers.yml")
	if err := os.Symlink(filepath.Join("..data", "consumers.yml"), path); err != nil {
		t.Fatal(err)
	}
	store, err := file.Open(t.Context(), file.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	swap("..2", user("two"))
	if changed, err := store.Reload(t.Context()); err != nil || !changed || !serves(t, store, "two") {
		t.Errorf("a swapped link: changed %v, %v", changed, err)
	}
	if got, want := store.Status().Digest, file.Digest([]byte(user("two"))); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestABrokenFileKeepsTheOldConsumers(t *testing.T) {
	t.Parallel()
	store, path := newTestStore(t, user("one"))
	digest := store.Status().Digest
	reload := func(text string) {
		write(t, path, text)
		for range 2 {
			if _, err := store.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	reload("users: [{username: two")
	status := store.Status()
	if !serves(t, store, "one") || status.Digest != digest || !status.Problems.HasErrors() {
		t.Errorf("after a broken file: %+v", status)
	}
	if p := status.Problems[0]; p.File != path || p.Line == 0 {
		t.Errorf("the problem does not say where: %v", p)
	}
	reload(user("two"))
	if status := store.Status(); !serves(t, store, "two") || len(status.Problems) > 0 {
		t.Errorf("after the repair: %+v", status)
	}
}

func TestAVanishedFileKeepsTheOldConsumers(t *testing.T) {
	t.Parallel()
	store, path := newTestStore(t, user("one"))
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan file.Status, 100)
	watching, err := file.Open(ctx, file.Options{
		Path: path, Interval: time.Millisecond, OnChange: func(s file.Status) { told <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- watching.Watch(ctx) }()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if s := <-told; !s.Problems.HasErrors() || !strings.Contains(s.Problems.Error(), "consumers.yml") {
		t.Errorf("a vanished file: %+v", s)
	}
	if !serves(t, watching, "one") || !serves(t, store, "one") {
		t.Error("a vanished file took its consumers along")
	}
	write(t, path, user("two"))
	for s := range told {
		if !s.Problems.HasErrors() {
			break
		}
	}
	if !serves(t, watching, "two") {
		t.Error("the file that came back was not taken over")
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
}

// BenchmarkOpen loads a file of 10,000 users with a key each.
func BenchmarkOpen(b *testing.B) {
	var text strings.Builder
	text.WriteString("users:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "- {username: u%d, firstname: F, lastname: L}\n", i)
	}
	text.WriteString("credentials:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "- {type: key-auth, consumer: u%d, keyId: k%d, keySecretSHA256: %064x}\n", i, i, i)
	}
	path := filepath.Join(b.TempDir(), "consumers.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := file.Open(b.Context(), file.Options{Path: path}); err != nil {
			b.Fatal(err)
		}
	}
}
