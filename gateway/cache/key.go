package cache

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// Key names a value without telling what it was made of: an HMAC under a key that only this process
// knows. Nobody can find two secrets with one key, nor a secret for a key that leaked.
type Key [sha256.Size]byte

func (k Key) number() uint64 { return binary.LittleEndian.Uint64(k[:]) }

// hasher makes keys. It is safe for concurrent use.
type hasher struct {
	pool *sync.Pool // of *scratch
}

type scratch struct {
	mac hash.Hash
	buf []byte
}

func newHasher() hasher {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // it never fails
	return hasher{&sync.Pool{New: func() any { return &scratch{mac: hmac.New(sha256.New, secret)} }}}
}

// Key returns the key of parts in order. Where one part ends matters: "ab", "c" differs from "a", "bc".
func (h hasher) Key(parts ...string) (k Key) {
	s := h.pool.Get().(*scratch) //nolint:forcetypeassert // nothing else is put there
	s.buf = s.buf[:0]
	for _, part := range parts {
		s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(len(part)))
		s.buf = append(s.buf, part...)
	}
	s.mac.Reset()
	s.mac.Write(s.buf)
	clear(s.buf) // it held secrets
	s.buf = s.mac.Sum(s.buf[:0])
	copy(k[:], s.buf)
	h.pool.Put(s)
	return k
}
