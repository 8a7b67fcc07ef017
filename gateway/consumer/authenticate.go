package consumer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
)

// ErrUnauthorized is matched by every error that says "these are no valid credentials",
// and by no error that says "could not find out".
var ErrUnauthorized = errors.New("unauthorized")

// UnauthorizedError is a refused credential. Its reason is for the log, never for the client.
type UnauthorizedError struct{ Reason string }

// Error returns the reason.
func (e *UnauthorizedError) Error() string { return "unauthorized: " + e.Reason }

// Is matches ErrUnauthorized.
func (e *UnauthorizedError) Is(target error) bool { return target == ErrUnauthorized }

// AuthenticateKey finds who holds the key-auth credential keyID with secret keySecret.
//
// An unknown key, a wrong secret, a deactivated key or a deactivated owner gives an error that
// matches ErrUnauthorized; any other error means that the store could not answer. Scopes are not
// looked at: see Credential.HasScopes. What is returned is shared: do not change it.
func (s *Service) AuthenticateKey(ctx context.Context, keyID, keySecret string) (*Consumer, *Credential, error) {
	cred, err := s.store.Credential(ctx, TypeKeyAuth, keyID)
	if errors.Is(err, ErrNotFound) {
		sameSecret(keySecret, make([]byte, sha256.Size)) // an unknown id costs as much as a wrong secret
		return nil, nil, &UnauthorizedError{Reason: "unknown key id"}
	}
	if err != nil {
		return nil, nil, err
	}
	if !sameSecret(keySecret, cred.KeySecretSHA256) {
		return nil, nil, &UnauthorizedError{Reason: "wrong secret"}
	}
	return s.holder(ctx, cred)
}

// Holder finds who holds a credential that needs no secret, since something else proved it: the id of a
// jwt credential stands in a signed token. Errors and what is returned are as AuthenticateKey's.
func (s *Service) Holder(ctx context.Context, t CredentialType, id string) (*Consumer, *Credential, error) {
	cred, err := s.store.Credential(ctx, t, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, &UnauthorizedError{Reason: "unknown credential id"}
	}
	if err != nil {
		return nil, nil, err
	}
	return s.holder(ctx, cred)
}

// holder finds the owner of a credential; both must be active.
func (s *Service) holder(ctx context.Context, cred *Credential) (*Consumer, *Credential, error) {
	if !cred.IsActive {
		return nil, nil, &UnauthorizedError{Reason: "credential is not active"}
	}
	owner, err := s.activeConsumer(ctx, cred.ConsumerID)
	if err != nil {
		return nil, nil, err
	}
	return owner, cred, nil
}

// AuthenticatePassword finds who has the basic-auth or oauth2 credential of the consumer named by
// username, user id or application id. Errors and what is returned are as AuthenticateKey's; ErrBusy
// is one of those that say nothing about the password. Who is unknown costs one comparison at the
// usual cost of bcrypt, so that time does not tell who exists.
func (s *Service) AuthenticatePassword(ctx context.Context, t CredentialType, name, password string) (*Consumer, *Credential, error) {
	cred, err := s.passwordOf(ctx, t, name)
	if err != nil {
		return nil, nil, err
	}
	hash := s.passwords.unknown
	if cred != nil {
		hash = cred.PasswordBcrypt
	}
	right, err := s.passwords.match(ctx, hash, password, s.now())
	switch {
	case err != nil:
		return nil, nil, err
	case cred == nil:
		return nil, nil, &UnauthorizedError{Reason: "unknown consumer, or one without a password"}
	case !right:
		return nil, nil, &UnauthorizedError{Reason: "wrong password"}
	}
	return s.holder(ctx, cred)
}

// passwordOf is nil without an error when there is no such credential.
// EG: an id comes before a username, but for one whose owner is not active.
func (s *Service) passwordOf(ctx context.Context, t CredentialType, name string) (*Credential, error) {
	owner, err := present(s.store.Consumer(ctx, name))
	if err != nil {
		return nil, err
	}
	if owner == nil || !owner.IsActive {
		named, err := s.store.Named(ctx, KindUser, name)
		if err != nil || len(named) == 0 {
			return nil, err
		}
		owner = named[0]
	}
	return present(s.store.Credential(ctx, t, owner.ID))
}

// activeConsumer finds a consumer that may act now.
func (s *Service) activeConsumer(ctx context.Context, id string) (*Consumer, error) {
	owner, err := s.store.Consumer(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, &UnauthorizedError{Reason: "the credential's owner does not exist"}
	}
	if err != nil {
		return nil, err
	}
	if !owner.IsActive {
		return nil, &UnauthorizedError{Reason: "the credential's owner is not active"}
	}
	return owner, nil
}

// sameSecret compares in constant time over SHA-256. A secret of usual length stays on the stack.
func sameSecret(secret string, want []byte) bool {
	var buf [128]byte
	got := sha256.Sum256(append(buf[:0], secret...))
	return subtle.ConstantTimeCompare(got[:], want) == 1
}

// HasScopes tells whether the credential carries every one of scopes.
func (c Credential) HasScopes(scopes []string) bool {
	for _, want := range scopes {
		if !slices.Contains(c.Scopes, want) {
			return false
		}
	}
	return true
}
