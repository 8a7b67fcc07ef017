package consumer

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"
)

// NewCredential is what CreateCredential is asked for.
type NewCredential struct {
	Type CredentialType
	// Fields are keyId and keySecret, or password or secret, scopes and whatever the model knows.
	Fields map[string]any
}

// CreateCredential gives a consumer a credential. What is not given is generated: key id and secret,
// or the password, which is returned here once and never again. A key id exists once; of basic-auth
// and oauth2 a consumer has one, which must be inactive to be replaced.
func (s *Service) CreateCredential(ctx context.Context, consumerID string, ask NewCredential) (cred *Credential, generated string, err error) {
	if ask.Type == "" || consumerID == "" {
		return nil, "", mistake(Invalid, "Invalid credentials")
	}
	model := s.Models().Credentials[ask.Type]
	if model == nil {
		return nil, "", mistake(Invalid, "Invalid credential type: %s", ask.Type)
	}
	scopes, err := newScopes(model, ask.Fields)
	if err != nil {
		return nil, "", err
	}
	fields := maps.Clone(ask.Fields)
	delete(fields, "scopes")
	if fields, err = model.Check(fields); err != nil {
		return nil, "", err
	}
	now := s.now()
	cred = &Credential{
		Type: ask.Type, ConsumerID: consumerID, IsActive: true, Scopes: scopes, CreatedAt: now, UpdatedAt: now,
	}
	if ask.Type.keyed() {
		err = fillKey(cred, fields)
	} else {
		generated, err = s.fillPassword(cred, model, fields)
	}
	if err != nil {
		return nil, "", err
	}
	if err := s.update(ctx, func(tx Tx) error { return insert(ctx, tx, cred) }); err != nil {
		return nil, "", err
	}
	return cred, generated, nil
}

// keyed tells the types of which a consumer has any number, each with a key id of its own.
func (t CredentialType) keyed() bool { return t == TypeKeyAuth || t == TypeJWT }

func insert(ctx context.Context, tx Tx, cred *Credential) error {
	if err := scopesExist(ctx, tx, cred.Scopes); err != nil {
		return err
	}
	old, err := present(tx.Credential(ctx, cred.Type, cred.ID))
	if err != nil {
		return err
	}
	if old != nil && (old.IsActive || cred.Type.keyed()) {
		return mistake(Conflict, "Credential already exists and is active")
	}
	return tx.PutCredential(ctx, cred)
}

// newScopes reads the scopes asked for, or the model's default ones.
func newScopes(model *Model, fields map[string]any) ([]string, error) {
	if !model.Has("scopes") {
		return nil, nil
	}
	given := fields["scopes"]
	if given == nil {
		if model.Requires("scopes") {
			return nil, mistake(Invalid, "scopes are required")
		}
		given = model.Default("scopes")
	}
	return ScopeList(given)
}

// ScopeList reads scopes as a request or a model gives them: absent, one or a list.
func ScopeList(v any) ([]string, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{x}, nil
	case []string:
		return x, nil
	case []any:
		out := make([]string, len(x))
		for i, one := range x {
			text, ok := one.(string)
			if !ok {
				return nil, mistake(Invalid, "scopes must be strings")
			}
			out[i] = text
		}
		return out, nil
	default:
		return nil, mistake(Invalid, "scopes must be a list of strings")
	}
}

// fillKey sets key id and secret, given or generated.
func fillKey(cred *Credential, fields map[string]any) error {
	for name, target := range map[string]*string{"keyId": &cred.ID, "keySecret": &cred.KeySecret} {
		switch given := asText(fields[name]).(type) {
		case nil:
			*target = NewKey()
		case string:
			if *target = given; given == "" {
				*target = NewKey()
			}
		default:
			return mistake(Invalid, "data.%s should be string", name)
		}
		delete(fields, name)
	}
	cred.KeySecretSHA256 = HashSecret(cred.KeySecret)
	cred.Properties = keep(fields)
	return nil
}

// asText turns a number or a truth value into its text, and leaves everything else as it is.
func asText(v any) any {
	switch x := v.(type) {
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	default:
		return v
	}
}

// HashSecret is what a key secret is compared by.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// keep drops the fields that the rules set themselves.
func keep(fields map[string]any) map[string]any {
	for _, name := range []string{"isActive", "id", "type", "consumerId", "createdAt", "updatedAt"} {
		delete(fields, name)
	}
	return fields
}

// fillPassword sets the hash of the password, which is returned when it was generated.
func (s *Service) fillPassword(cred *Credential, model *Model, fields map[string]any) (generated string, err error) {
	name, _ := model.Default("passwordKey").(string)
	password, ok := asText(fields[name]).(string)
	if !ok && fields[name] != nil {
		return "", mistake(Invalid, "data.%s should be string", name)
	}
	if password == "" {
		if auto, _ := model.Default("autoGeneratePassword").(bool); !auto {
			return "", mistake(Invalid, "%s is required", name)
		}
		password = uuid.NewString()
		generated = password
	}
	hash, err := HashPassword(password, s.cost)
	if err != nil {
		return "", err
	}
	delete(fields, name)
	cred.ID, cred.PasswordBcrypt, cred.Properties = cred.ConsumerID, hash, keep(fields)
	return generated, nil
}

// HashPassword returns the bcrypt hash of a password of at most 72 bytes.
func HashPassword(password string, cost int) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		return "", mistake(Invalid, "the password is longer than 72 bytes")
	}
	return string(hash), err
}

// Credential finds one credential.
func (s *Service) Credential(ctx context.Context, t CredentialType, id string) (*Credential, error) {
	return findCredential(ctx, s.store, t, id)
}

func findCredential(ctx context.Context, from Finder, t CredentialType, id string) (*Credential, error) {
	cred, err := from.Credential(ctx, t, id)
	if errors.Is(err, ErrNotFound) {
		return nil, mistake(Missing, "No credential found with id: %s", id)
	}
	return cred, err
}

// Credentials lists the credentials of a consumer; an empty id lists all.
func (s *Service) Credentials(ctx context.Context, consumerID string) ([]*Credential, error) {
	return s.store.Credentials(ctx, consumerID)
}

// SetCredentialActive activates or deactivates a credential and tells whether that changed anything.
func (s *Service) SetCredentialActive(ctx context.Context, t CredentialType, id string, active bool) (changed bool, err error) {
	err = s.update(ctx, func(tx Tx) error {
		cred, err := findCredential(ctx, tx, t, id)
		if err != nil {
			return err
		}
		if changed = cred.IsActive != active; !changed {
			return nil
		}
		next := *cred
		next.IsActive, next.UpdatedAt = active, s.now()
		return tx.PutCredential(ctx, &next)
	})
	return changed, err
}

// AddCredentialScopes adds existing scopes to a credential.
func (s *Service) AddCredentialScopes(ctx context.Context, t CredentialType, id string, scopes ...string) error {
	return s.changeScopes(ctx, t, id, func(tx Tx, have []string) ([]string, error) {
		return append(slices.Clone(scopes), without(have, scopes...)...), scopesExist(ctx, tx, scopes)
	})
}

// RemoveCredentialScopes takes scopes from a credential; one that it lacks is no error.
func (s *Service) RemoveCredentialScopes(ctx context.Context, t CredentialType, id string, scopes ...string) error {
	return s.changeScopes(ctx, t, id, func(_ Tx, have []string) ([]string, error) { return without(have, scopes...), nil })
}

// SetCredentialScopes replaces the scopes of a credential by existing ones.
func (s *Service) SetCredentialScopes(ctx context.Context, t CredentialType, id string, scopes []string) error {
	return s.changeScopes(ctx, t, id, func(tx Tx, _ []string) ([]string, error) {
		return slices.Clone(scopes), scopesExist(ctx, tx, scopes)
	})
}

func (s *Service) changeScopes(ctx context.Context, t CredentialType, id string, change func(Tx, []string) ([]string, error)) error {
	return s.update(ctx, func(tx Tx) error {
		cred, missing := findCredential(ctx, tx, t, id)
		var have []string
		if missing == nil {
			have = cred.Scopes
		}
		scopes, err := change(tx, have) // an unknown scope is told before an unknown credential
		if err != nil {
			return err
		}
		if missing != nil {
			return missing
		}
		return s.putScopes(ctx, tx, cred, scopes)
	})
}
