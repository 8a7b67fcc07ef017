package message

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID returns a random uuid (version 4) in base 62: 22 characters or, rarely, fewer.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails, and where the kernel can, it takes no system call
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	var buf [22]byte
	i := len(buf)
	for hi != 0 || lo != 0 {
		var rest uint64
		hi, rest = hi/62, hi%62
		lo, rest = bits.Div64(rest, lo, 62)
		i--
		buf[i] = base62[rest]
	}
	return string(buf[i:])
}
