package consumer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"

	"golang.org/x/crypto/bcrypt"
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
// looked at: see Credential.HasScopes. What is returned is shared: do not change its maps and slices.
func (s *Service) AuthenticateKey(ctx context.Context, keyID, keySecret string) (Consumer, Credential, error) {
	cred, err := s.store.Credential(ctx, TypeKeyAuth, keyID)
	if errors.Is(err, ErrNotFound) {
		sameSecret(keySecret, make([]byte, sha256.Size)) // an unknown id costs as much as a wrong secret
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "unknown key id"}
	}
	if err != nil {
		return Consumer{}, Credential{}, err
	}
	if !sameSecret(keySecret, cred.KeySecretSHA256) {
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "wrong secret"}
	}
	if !cred.IsActive {
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "credential is not active"}
	}
	owner, err := s.activeConsumer(ctx, cred.ConsumerID)
	if err != nil {
		return Consumer{}, Credential{}, err
	}
	return *owner, *cred, nil
}

// AuthenticatePassword finds who has the basic-auth or oauth2 credential of the consumer named by
// username, user id or application id. Errors are as AuthenticateKey's; one bcrypt comparison is
// made in every case, so that time does not tell who exists.
func (s *Service) AuthenticatePassword(ctx context.Context, t CredentialType, name, password string) (Consumer, Credential, error) {
	cred, err := s.passwordOf(ctx, t, name)
	if err != nil {
		return Consumer{}, Credential{}, err
	}
	hash := unknownPassword
	if cred != nil {
		hash = cred.PasswordBcrypt
	}
	switch err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)); {
	case cred == nil:
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "unknown consumer, or one without a password"}
	case err != nil:
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "wrong password"}
	case !cred.IsActive:
		return Consumer{}, Credential{}, &UnauthorizedError{Reason: "credential is not active"}
	}
	owner, err := s.activeConsumer(ctx, cred.ConsumerID)
	if err != nil {
		return Consumer{}, Credential{}, err
	}
	return *owner, *cred, nil
}

// unknownPassword is a hash at the default cost that no password of ours has.
const unknownPassword = "$2a$10$AAAAAAAAAAAAAAAAAAAAAOAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// passwordOf is nil without an error when there is no such credential.
func (s *Service) passwordOf(ctx context.Context, t CredentialType, name string) (*Credential, error) {
	owner, err := present(s.FindConsumer(ctx, name))
	if owner == nil || err != nil {
		return nil, err
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
