// Package file serves consumers from consumers.yml: declared, kept in version control, without any
// plain secret. The running gateway reads it and never writes it; a changed file is taken over in place.
//
//	users:        [{username: alice, firstname: A, lastname: L}]
//	applications: [{name: shop, user: alice}]
//	credentials:
//	- {type: key-auth, consumer: alice, keyId: k1, keySecretSHA256: 2bb8…, scopes: [read]}
//	scopes: [read]
//
// A user or application without an id gets one derived from its name: the same in every replica.
package file

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// sizeLimit bounds what is read, after unpacking.
const sizeLimit = 64 << 20

// Options say where consumers come from.
type Options struct {
	// Path is consumers.yml; when it does not exist the same path with .gz behind it is read.
	Path string
	// Optional makes a file that is missing at first count as an empty one; it may appear later.
	// A file that vanishes is an error all the same, and what it held is served on.
	Optional bool
	// Models validate users and applications; nil: Express Gateway's own.
	Models *consumer.Models
	// Where tells who tries to write where the change belongs; empty: consumers.yml.
	Where string
	// Interval is how often Watch looks; 0: every 2 seconds.
	Interval time.Duration
	// Now is the clock of Status.Since; nil: time.Now.
	Now func() time.Time
	// OnChange is called by Watch after each reload, good or bad; it may be nil.
	OnChange func(Status)
}

// Status says what is served.
type Status struct {
	// Digest is the SHA-256 in hex of the bytes that were loaded, after unpacking.
	Digest string
	Count  Count
	Since  time.Time // when they were loaded
	// Problems are those of a newer file that was refused, or warnings about the served one.
	Problems diag.Problems
}

// Store is a consumer.Store over a file. It reads as a memory store does.
type Store struct {
	opts Options

	served atomic.Pointer[served]

	mu      sync.Mutex // one reload at a time; guards what follows
	seen    sighting
	pending sighting
}

type served struct {
	*memory.Store
	status Status
}

// sighting is a file as it was met: where the path led to, and what was there.
type sighting struct {
	real string
	sum  [sha256.Size]byte
}

// Open loads the file. A file that is not right is an error of type diag.Problems.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts.Where = cmp.Or(opts.Where, "consumers.yml and deploy it")
	opts.Interval = cmp.Or(opts.Interval, 2*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{opts: opts}
	raw, at, err := s.look()
	if err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	if err := s.load(ctx, raw, at); err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	if problems := s.Status().Problems; problems.HasErrors() {
		return nil, problems
	}
	return s, nil
}

// Status says what is served now, and what is wrong with a newer file.
func (s *Store) Status() Status { return s.served.Load().status }

// Watch looks at the file until ctx ends, and takes over what changed. Its error is ctx's.
func (s *Store) Watch(ctx context.Context) error {
	ticker := time.NewTicker(s.opts.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		changed, err := s.Reload(ctx)
		if err != nil {
			s.refuse(diag.Problems{{
				Code: "consumers-unreadable", Severity: diag.Error,
				Position: diag.Position{File: s.opts.Path}, Message: err.Error(),
				Hint: "the consumers loaded before are served on",
			}})
		}
		if (changed || err != nil) && s.opts.OnChange != nil {
			s.opts.OnChange(s.Status())
		}
	}
}

// Reload looks at the file once and tells whether anything was taken over or refused.
//
// A path that leads elsewhere than before (Kubernetes swaps a link) is taken at once; a file that
// changed in place must look the same twice, since its writer may not be done. A file that is not
// right leaves the consumers as they were and shows in Status.
func (s *Store) Reload(ctx context.Context) (changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, at, err := s.look()
	if err != nil {
		return false, err
	}
	if at == s.seen {
		s.pending = sighting{}
		return false, nil
	}
	if at.real == s.seen.real && at != s.pending {
		s.pending = at
		return false, nil
	}
	return true, s.load(ctx, raw, at)
}

// SetModels reads the file again by other models; nil: Express Gateway's own. Where it does not follow them, the
// consumers stay as they were and Status tells why.
func (s *Store) SetModels(ctx context.Context, models *consumer.Models) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Models = models
	raw, at, err := s.look()
	if err != nil {
		return err
	}
	return s.load(ctx, raw, at)
}

// look reads the file's bytes as they are.
func (s *Store) look() ([]byte, sighting, error) {
	var at sighting
	for _, path := range []string{s.opts.Path, s.opts.Path + ".gz"} {
		real, err := filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, at, err
		}
		raw, err := os.ReadFile(real)
		if errors.Is(err, fs.ErrNotExist) {
			continue // swapped away meanwhile
		}
		at = sighting{real: real, sum: sha256.Sum256(raw)}
		return raw, at, err
	}
	if s.opts.Optional && s.seen.sum == ([sha256.Size]byte{}) {
		return nil, sighting{real: s.opts.Path}, nil
	}
	return nil, at, &fs.PathError{Op: "open", Path: s.opts.Path, Err: fs.ErrNotExist}
}

// load replaces what is served, or keeps it and notes the problems.
func (s *Store) load(ctx context.Context, raw []byte, at sighting) error {
	s.seen, s.pending = at, sighting{}
	text, found, problems := s.read(raw)
	if found == nil {
		s.refuse(problems)
		return nil
	}
	store, err := found.store(ctx)
	if err != nil {
		return err
	}
	next := &served{Store: store}
	next.status = Status{Digest: Digest(text), Count: found.count(), Since: s.opts.Now(), Problems: problems}
	s.served.Store(next)
	return nil
}

// read unpacks and reads a file; contents are nil when it is not right.
func (s *Store) read(raw []byte) ([]byte, *contents, diag.Problems) {
	text, err := unpack(raw)
	if err != nil {
		return nil, nil, diag.Problems{{
			Code: "invalid-gzip", Severity: diag.Error, Position: diag.Position{File: s.opts.Path}, Message: err.Error(),
		}}
	}
	found, problems := read(s.opts.Path, text, s.opts.Models)
	return text, found, problems
}

// refuse notes what is wrong with a newer file and goes on serving.
func (s *Store) refuse(problems diag.Problems) {
	next := &served{Store: memory.New()}
	if now := s.served.Load(); now != nil {
		*next = *now
	}
	next.status.Problems = problems
	s.served.Store(next)
}

// store puts the contents into a store of their own.
func (c *contents) store(ctx context.Context) (*memory.Store, error) {
	return memory.Build(func(tx consumer.Tx) error {
		for _, scope := range c.scopes {
			if err := tx.PutScope(ctx, scope); err != nil {
				return err
			}
		}
		for _, one := range c.consumers {
			if err := tx.PutConsumer(ctx, one); err != nil {
				return err
			}
		}
		for _, cred := range c.credentials {
			if err := tx.PutCredential(ctx, cred); err != nil {
				return err
			}
		}
		return nil
	})
}

// Digest is the SHA-256 in hex of a consumers file, unpacked.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// unpack returns the text of a file that may be compressed with gzip.
func unpack(raw []byte) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		return raw, nil
	}
	unzip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(unzip, sizeLimit+1))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if len(text) > sizeLimit {
		return nil, fmt.Errorf("unpack: more than %d MiB", sizeLimit>>20)
	}
	return text, nil
}
