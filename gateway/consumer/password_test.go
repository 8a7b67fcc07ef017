package consumer

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func hashOf(tb testing.TB, password string) string {
	tb.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		tb.Fatal(err)
	}
	return string(hash)
}

// onePassword is a store of one consumer with a password, and one user whose name is the other's id.
type onePassword struct {
	oneKey
	named map[string]*Consumer
}

func (s *onePassword) Named(_ context.Context, _ Kind, name string) ([]*Consumer, error) {
	if c := s.named[name]; c != nil {
		return []*Consumer{c}, nil
	}
	return nil, nil
}

func newTestPassword(tb testing.TB) *onePassword {
	tb.Helper()
	s := &onePassword{oneKey: *newTestKey()}
	s.key = Credential{Type: TypeBasicAuth, ID: "u1", ConsumerID: "u1", IsActive: true, PasswordBcrypt: hashOf(tb, "secret")}
	s.named = map[string]*Consumer{"alice": &s.owner}
	return s
}

func TestAuthenticatePassword(t *testing.T) {
	t.Parallel()
	broken := errors.New("store is away")
	tests := map[string]struct {
		name, password string
		change         func(*onePassword)
		want           error
	}{
		"by name":             {name: "alice", password: "secret"},
		"by id":               {name: "u1", password: "secret"},
		"wrong":               {name: "alice", password: "Secret", want: ErrUnauthorized},
		"empty":               {name: "alice", want: ErrUnauthorized},
		"unknown":             {name: "bob", password: "secret", want: ErrUnauthorized},
		"inactive credential": {name: "alice", password: "secret", change: func(s *onePassword) { s.key.IsActive = false }, want: ErrUnauthorized},
		"inactive owner":      {name: "alice", password: "secret", change: func(s *onePassword) { s.owner.IsActive = false }, want: ErrUnauthorized},
		"inactive owner's id": {name: "u1", password: "secret", change: func(s *onePassword) { s.owner.IsActive = false }, want: ErrUnauthorized},
		"no hash":             {name: "alice", password: "", change: func(s *onePassword) { s.key.PasswordBcrypt = "" }, want: ErrUnauthorized},
		"store away":          {name: "alice", password: "secret", change: func(s *onePassword) { s.fail = broken }, want: broken},
		"an id before a name": {name: "u1", password: "secret", change: func(s *onePassword) {
			s.named["u1"] = &Consumer{ID: "u2", Username: "u1", IsActive: true}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newTestPassword(t)
			if tt.change != nil {
				tt.change(store)
			}
			s := newTestService(t, store)
			for range 2 { // the second time from memory
				who, cred, err := s.AuthenticatePassword(t.Context(), TypeBasicAuth, tt.name, tt.password)
				if !errors.Is(err, tt.want) || tt.want == nil && (who.ID != "u1" || cred.ID != "u1") {
					t.Errorf("AuthenticatePassword = %v, %v, %v, want error %v", who, cred, err, tt.want)
				}
			}
		})
	}
}

// TestPasswordEndsWithItsHash: what was right once is not remembered beyond a change, nor for ever.
func TestPasswordEndsWithItsHash(t *testing.T) {
	t.Parallel()
	store := newTestPassword(t)
	clock := time.Unix(1_700_000_000, 0)
	s, err := New(store, Options{BcryptCost: 4, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(password string) bool {
		_, _, err := s.AuthenticatePassword(t.Context(), TypeBasicAuth, "alice", password)
		return err == nil
	}
	remembered := func() bool {
		_, ok := s.passwords.right.Get(s.passwords.right.Key(store.key.PasswordBcrypt, "secret"), clock)
		return ok
	}
	if remembered() || !ask("secret") || !remembered() {
		t.Fatal("the right password is not remembered")
	}
	if ask("wrong") {
		t.Error("a wrong password is right after the right one")
	}
	clock = clock.Add(passwordLife)
	if remembered() || !ask("secret") {
		t.Error("it is remembered too long, or not compared anew")
	}
	store.key.PasswordBcrypt = hashOf(t, "new")
	if ask("secret") || !ask("new") {
		t.Error("the old password outlives its hash")
	}
	store.key.IsActive = false
	if ask("new") {
		t.Error("a remembered password wakes an inactive credential")
	}
}

// TestPasswordsAreBounded: few are compared at a time, others wait until they leave, too many are told so.
func TestPasswordsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPasswords(4)
		for range cap(p.running) {
			p.running <- struct{}{} // as if every turn was taken
		}
		if n := cap(p.running); n > max(1, runtime.GOMAXPROCS(0)/2) {
			t.Errorf("%d comparisons may run at a time", n)
		}
		ctx, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		waiting := cap(p.queue)
		for i := range waiting {
			group.Go(func() {
				if _, err := p.match(ctx, p.unknown, string(rune('a'+i)), time.Now()); !errors.Is(err, context.Canceled) {
					t.Errorf("who left got %v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := p.match(t.Context(), p.unknown, "one more", time.Now()); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many got %v", err)
		}
		leave()
		group.Wait()
		synctest.Wait()
		if len(p.queue) != 0 {
			t.Errorf("%d places are taken after all left", len(p.queue))
		}
		<-p.running
		if ok, err := p.match(t.Context(), hashOf(t, "x"), "x", time.Now()); !ok || err != nil {
			t.Errorf("after that: %v, %v", ok, err)
		}
	})
}

// TestUnknownCostsAsMuch: the hash that stands for nobody has the usual cost and never matches.
func TestUnknownCostsAsMuch(t *testing.T) {
	t.Parallel()
	for _, cost := range []int{4, 10} {
		hash := []byte(newPasswords(cost).unknown)
		if got, err := bcrypt.Cost(hash); got != cost || err != nil {
			t.Errorf("cost %d, %v, want %d", got, err, cost)
		}
		// Any other error would come before the costly part.
		if err := bcrypt.CompareHashAndPassword(hash, []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			t.Errorf("comparing: %v", err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	for _, cost := range []int{bcrypt.MinCost, bcrypt.DefaultCost} {
		p := newPasswords(cost)
		hash, err := HashPassword("secret", cost)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("cold", func(b *testing.B) {
			for b.Loop() {
				if ok, _ := p.compare(b.Context(), hash, "secret"); !ok {
					b.Fatal("refused")
				}
			}
		})
		b.Run("warm", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, _ := p.match(b.Context(), hash, "secret", time.Unix(1, 0)); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
