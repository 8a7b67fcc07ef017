package consumer

import (
	"math/big"

	"github.com/google/uuid"
)

const alphabet62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// NewKey returns a random key id or key secret: a version 4 uuid in base 62, always 22 characters,
// as Express Gateway makes them (122 random bits).
func NewKey() string {
	return base62(uuid.New())
}

// base62 writes 16 bytes as one number of 22 digits.
func base62(id [16]byte) string {
	var (
		n     = new(big.Int).SetBytes(id[:])
		base  = big.NewInt(int64(len(alphabet62)))
		digit = new(big.Int)
		out   [22]byte
	)
	for i := len(out) - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = alphabet62[digit.Int64()]
	}
	return string(out[:])
}
