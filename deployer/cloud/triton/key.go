package triton

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Signer signs requests.
type Signer interface {
	// Algorithm is its name in an HTTP signature: rsa-sha256, ecdsa-sha256, ed25519-sha512.
	Algorithm() string
	// Fingerprint is the key's, as hexadecimal MD5 with colons: what CloudAPI knows it by.
	Fingerprint() string
	// Sign signs the text.
	Sign(text []byte) ([]byte, error)
}

// KeyError says why there is no key to sign with (the key itself is never part of it).
type KeyError struct {
	Message string
	Advice  string
}

func (e *KeyError) Error() string { return e.Message }

// Hint says what to do.
func (e *KeyError) Hint() string { return e.Advice }

// OpenSigner finds the private key: the material of the credentials, else a key of the agent, else one in ~/.ssh.
func OpenSigner(c Credentials, env Environment) (Signer, error) {
	if c.Material != "" {
		return fromMaterial(c)
	}
	if socket := env.first("SSH_AUTH_SOCK"); socket != "" {
		if s := fromAgent(socket, c.KeyID); s != nil {
			return s, nil
		}
	}
	s, err := fromFolder(filepath.Join(env.Home, ".ssh"), c.KeyID)
	if s != nil || err != nil {
		return s, err
	}
	return nil, &KeyError{
		Message: fmt.Sprintf("the private key %s is neither in ssh-agent nor in %s", c.KeyID, filepath.Join(env.Home, ".ssh")),
		Advice:  "ssh-add the key, or set TRITON_KEY_MATERIAL to it or to the path of its file",
	}
}

func fromMaterial(c Credentials) (Signer, error) {
	data, where := []byte(c.Material), "TRITON_KEY_MATERIAL"
	if !strings.Contains(c.Material, "-----BEGIN") {
		where = c.Material
		var err error
		if data, err = os.ReadFile(c.Material); err != nil {
			return nil, &KeyError{Message: fmt.Sprintf("read the key that TRITON_KEY_MATERIAL names: %v", err), Advice: "it takes a private key, or the path of one"}
		}
	}
	s, err := parseKey(data, where)
	if err != nil {
		return nil, err
	}
	if c.KeyID != "" && !s.matches(c.KeyID) {
		return nil, &KeyError{
			Message: fmt.Sprintf("the key of %s has the fingerprint %s, and TRITON_KEY_ID says %s", where, s.Fingerprint(), c.KeyID),
			Advice:  "let both name the same key, or leave TRITON_KEY_ID out",
		}
	}
	return s, nil
}

// fromFolder looks for the key with that fingerprint, by the public halves first: they need no passphrase.
func fromFolder(folder, id string) (Signer, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		const most = 64 << 10 // of a file that may be a key
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > most || strings.HasSuffix(e.Name(), ".pub") {
			continue
		}
		s, err := fromFile(filepath.Join(folder, e.Name()), id)
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// fromFile reads a file that may be the key.
func fromFile(file, id string) (Signer, error) {
	if public, err := os.ReadFile(file + ".pub"); err == nil {
		if key, _, _, _, err := ssh.ParseAuthorizedKey(public); err == nil && !matches(key, id) {
			return nil, nil
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "-----BEGIN") {
		return nil, nil //nolint:nilerr // what cannot be read is not the key
	}
	s, err := parseKey(data, file)
	switch {
	case err == nil && s.matches(id):
		return s, nil
	case err != nil && isPublicOf(file, data, id):
		return nil, err
	default:
		return nil, nil
	}
}

// isPublicOf tells whether the file, which needs a passphrase, is the key that is looked for.
func isPublicOf(file string, data []byte, id string) bool {
	_, err := ssh.ParseRawPrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		return false
	}
	key := locked.PublicKey
	if key == nil {
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			return false
		}
		if key, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
			return false
		}
	}
	return matches(key, id)
}

// keySigner signs with a private key in memory, or with the agent's.
type keySigner struct {
	public    ssh.PublicKey
	algorithm string
	sign      func([]byte) ([]byte, error)
}

func (s *keySigner) Algorithm() string                { return s.algorithm }
func (s *keySigner) Fingerprint() string              { return ssh.FingerprintLegacyMD5(s.public) }
func (s *keySigner) Sign(text []byte) ([]byte, error) { return s.sign(text) }
func (s *keySigner) matches(id string) bool           { return matches(s.public, id) }

func matches(key ssh.PublicKey, id string) bool {
	return strings.TrimPrefix(id, "MD5:") == ssh.FingerprintLegacyMD5(key) ||
		strings.TrimRight(id, "=") == ssh.FingerprintSHA256(key)
}

// parseKey reads a private key in PEM (PKCS #1, PKCS #8, SEC 1) or OpenSSH form.
func parseKey(data []byte, where string) (*keySigner, error) {
	raw, err := ssh.ParseRawPrivateKey(data)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, &KeyError{
			Message: fmt.Sprintf("the key of %s is protected by a passphrase", where),
			Advice:  "give it to ssh-agent with ssh-add, and leave TRITON_KEY_MATERIAL out",
		}
	}
	if err != nil {
		return nil, &KeyError{Message: fmt.Sprintf("the key of %s cannot be read", where), Advice: "it takes an RSA, ECDSA or Ed25519 key in PEM or OpenSSH form"}
	}
	if p, ok := raw.(*ed25519.PrivateKey); ok {
		raw = *p
	}
	private, ok := raw.(crypto.Signer)
	if !ok {
		return nil, &KeyError{Message: fmt.Sprintf("the key of %s is a %T", where, raw), Advice: "CloudAPI takes RSA, ECDSA and Ed25519 keys"}
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return nil, &KeyError{Message: fmt.Sprintf("the key of %s: %v", where, err), Advice: "CloudAPI takes RSA, ECDSA and Ed25519 keys"}
	}
	s := &keySigner{public: public}
	hash := crypto.SHA256
	switch key := private.(type) {
	case *rsa.PrivateKey:
		s.algorithm = "rsa-sha256"
	case *ecdsa.PrivateKey:
		hash = curveHash(key.Curve)
		s.algorithm = fmt.Sprintf("ecdsa-sha%d", hash.Size()*8)
	case ed25519.PrivateKey:
		hash = crypto.Hash(0) // it hashes by itself
		s.algorithm = "ed25519-sha512"
	default:
		return nil, &KeyError{Message: fmt.Sprintf("the key of %s is a %T", where, raw), Advice: "CloudAPI takes RSA, ECDSA and Ed25519 keys"}
	}
	s.sign = func(text []byte) ([]byte, error) {
		digest := text
		if hash != 0 {
			h := hash.New()
			h.Write(text)
			digest = h.Sum(nil)
		}
		return private.Sign(rand.Reader, digest, hash)
	}
	return s, nil
}

func curveHash(curve elliptic.Curve) crypto.Hash {
	switch size := curve.Params().BitSize; {
	case size > 384:
		return crypto.SHA512
	case size > 256:
		return crypto.SHA384
	default:
		return crypto.SHA256
	}
}

// fromAgent returns a signer that asks the agent each time; nil: it has no such key, or there is no agent.
func fromAgent(socket, id string) Signer {
	keys, err := askAgent(socket, func(a agent.ExtendedAgent) ([]*agent.Key, error) { return a.List() })
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(keys, func(k *agent.Key) bool {
		key, err := ssh.ParsePublicKey(k.Blob)
		return err == nil && matches(key, id)
	})
	if i < 0 {
		return nil
	}
	public, err := ssh.ParsePublicKey(keys[i].Blob)
	if err != nil {
		return nil
	}
	algorithm := map[string]string{
		ssh.KeyAlgoRSA: "rsa-sha256", ssh.KeyAlgoED25519: "ed25519-sha512",
		ssh.KeyAlgoECDSA256: "ecdsa-sha256", ssh.KeyAlgoECDSA384: "ecdsa-sha384", ssh.KeyAlgoECDSA521: "ecdsa-sha512",
	}[public.Type()]
	if algorithm == "" {
		return nil
	}
	var flags agent.SignatureFlags
	if public.Type() == ssh.KeyAlgoRSA {
		flags = agent.SignatureFlagRsaSha256
	}
	return &keySigner{public: public, algorithm: algorithm, sign: func(text []byte) ([]byte, error) {
		sig, err := askAgent(socket, func(a agent.ExtendedAgent) (*ssh.Signature, error) {
			return a.SignWithFlags(public, text, flags)
		})
		if err != nil {
			return nil, fmt.Errorf("sign with ssh-agent: %w", err)
		}
		return derSignature(sig)
	}}
}

func askAgent[T any](socket string, ask func(agent.ExtendedAgent) (T, error)) (T, error) {
	var none T
	conn, err := net.Dial("unix", socket) //nolint:noctx // a local socket; the agent may ask its user, who sets the time
	if err != nil {
		return none, err
	}
	defer func() { _ = conn.Close() }()
	return ask(agent.NewClient(conn))
}

// derSignature turns an ECDSA signature of SSH's form into that of everybody else; others are equal in both.
func derSignature(sig *ssh.Signature) ([]byte, error) {
	if !strings.HasPrefix(sig.Format, "ecdsa-") {
		return sig.Blob, nil
	}
	var pair struct{ R, S *big.Int }
	if err := ssh.Unmarshal(sig.Blob, &pair); err != nil {
		return nil, fmt.Errorf("read the agent's signature: %w", err)
	}
	return asn1.Marshal(pair)
}
