package oauth2

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// sealer encrypts and authenticates what a client keeps for us (AES-256-GCM).
type sealer struct {
	keys []cipher.AEAD // the first one seals, all of them open
}

// minSecret is the length from which on a session secret is used. A sealed session can be tried against guesses
// for as long as one likes, and whoever guesses the secret is anybody. EG signs only a random session id
// with it, and its templates come with "keyboard cat".
const minSecret = 16

// strongSecrets are the secrets that seal; without any it is a random one.
func strongSecrets(secrets []string) (strong [][]byte, random bool) {
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			strong = append(strong, []byte(secret))
		}
	}
	if len(strong) > 0 {
		return strong, false
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	return [][]byte{secret}, true
}

// newSealer derives one key from each secret for one purpose.
func newSealer(secrets [][]byte, purpose string) (*sealer, error) {
	s := &sealer{}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "egk8s oauth2 "+purpose, 32)
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("open cipher: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("open cipher: %w", err)
		}
		s.keys = append(s.keys, aead)
	}
	return s, nil
}

// seal writes v as text that only open reads, and only with the same context.
func (s *sealer) seal(v any, context string) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	sealed := s.keys[0].Seal(nil, nil, plain, []byte(context)) //nolint:gosec // this AEAD makes a random nonce itself
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open reads what seal wrote into v, and tells whether it is whole and ours.
func (s *sealer) open(text, context string, v any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	for _, key := range s.keys {
		if plain, err := key.Open(nil, nil, sealed, []byte(context)); err == nil {
			return json.Unmarshal(plain, v) == nil
		}
	}
	return false
}
