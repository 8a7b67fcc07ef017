package offline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/store/file"
)

// ConsumerCount says how much a consumers file holds.
type ConsumerCount = file.Count

// CheckConsumers reads consumers.yml (or its packed form) as the gateway will, with the edited
// models that stand in a folder models beside it. The digest is what a replica shows as
// consumersDigest once it has loaded this file: the SHA-256 in hex of its unpacked bytes. A file
// that cannot be read is a problem too.
func CheckConsumers(path string) (digest string, count ConsumerCount, problems diag.Problems) {
	models, err := modelsBeside(path)
	if err != nil {
		return "", count, unreadable(path, err)
	}
	store, err := file.Open(context.Background(), file.Options{Path: path, Models: models})
	if errors.As(err, &problems) {
		return "", count, problems
	}
	if err != nil {
		return "", count, unreadable(path, err)
	}
	status := store.Status()
	return status.Digest, status.Count, status.Problems
}

func unreadable(path string, err error) diag.Problems {
	return diag.Problems{{
		Code: "consumers-unreadable", Severity: diag.Error, Position: diag.Position{File: path}, Message: err.Error(),
	}}
}

// modelsBeside reads the models that lie beside a file; those that do not are Express Gateway's own.
func modelsBeside(path string) (*consumer.Models, error) {
	files := map[string][]byte{}
	for _, name := range consumer.ModelFiles() {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "models", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return consumer.ParseModels(files)
}

// CredentialTypes are the types of credentials that a consumers file can hold.
func CredentialTypes() []string {
	return []string{
		string(consumer.TypeKeyAuth), string(consumer.TypeBasicAuth), string(consumer.TypeJWT), string(consumer.TypeOAuth2),
	}
}

// NewCredential asks for a credential.
type NewCredential struct {
	Type     string // one of CredentialTypes; empty: key-auth
	Consumer string // username, application name, or id
	KeyID    string // of key-auth and jwt; empty: generated
	Secret   string // key secret or password; empty: generated
	Scopes   []string
	// CreateUser adds the user when the file has nobody of that name.
	CreateUser bool
}

// Credential is what AddCredential made. The secret is shown to the user once and stored nowhere.
type Credential struct {
	Type, Consumer, KeyID, Secret string
	// Entry is the line that was added to the file.
	Entry string
	// UserAdded tells that the user was added too.
	UserAdded bool
}

// AddCredential appends a credential to a consumers file, which is made when it does not exist.
// Comments, order and every other byte stay. A file that would not be right afterwards is left as
// it was, and the error is a diag.Problems.
func AddCredential(path string, ask NewCredential) (Credential, error) {
	made, entry, err := newCredential(ask)
	if err != nil {
		return Credential{}, err
	}
	models, err := modelsBeside(path)
	if err != nil {
		return Credential{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Credential{}, err
	}
	if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return Credential{}, fmt.Errorf("add to %s: the file is packed with gzip; unpack it first", path)
	}
	if text, err = addScopes(text, ask.Scopes); err != nil {
		return Credential{}, err
	}
	next, err := file.Append(text, "credentials", entry)
	if err != nil {
		return Credential{}, err
	}
	_, problems := file.Check(path, next, models)
	if ask.CreateUser && onlyUnknownConsumer(problems) {
		if next, err = file.Append(next, "users", newUser(ask.Consumer, models.Users)); err != nil {
			return Credential{}, err
		}
		made.UserAdded = true
		_, problems = file.Check(path, next, models)
	}
	if problems.HasErrors() {
		return Credential{}, problems
	}
	return made, replaceFile(path, next)
}

// newUser is the entry of a user: the name stands in every field that the model requires.
func newUser(name string, model *consumer.Model) file.Entry {
	user := file.Entry{{Key: "username", Value: name}}
	for _, required := range model.Required() {
		if required != "username" {
			user = append(user, file.Field{Key: required, Value: name})
		}
	}
	return user
}

// onlyUnknownConsumer tells that nothing is wrong but that a consumer does not exist.
func onlyUnknownConsumer(problems diag.Problems) bool {
	return problems.HasErrors() && !slices.ContainsFunc(problems, func(p diag.Problem) bool {
		return p.Severity == diag.Error && p.Code != "unknown-consumer"
	})
}

// newCredential generates what was not given.
func newCredential(ask NewCredential) (Credential, file.Entry, error) {
	kind := cmp.Or(ask.Type, string(consumer.TypeKeyAuth))
	made := Credential{Type: kind, Consumer: ask.Consumer}
	if ask.Consumer == "" {
		return made, nil, errors.New("a credential needs a consumer: a username, the name of an application, or an id")
	}
	var entry file.Entry
	switch t := consumer.CredentialType(kind); t {
	case consumer.TypeKeyAuth:
		made.KeyID, made.Secret = cmp.Or(ask.KeyID, consumer.NewKey()), cmp.Or(ask.Secret, consumer.NewKey())
		entry = file.KeyCredential(t, ask.Consumer, made.KeyID, made.Secret, ask.Scopes)
	case consumer.TypeJWT:
		made.KeyID = cmp.Or(ask.KeyID, consumer.NewKey())
		entry = file.KeyCredential(t, ask.Consumer, made.KeyID, "", ask.Scopes)
	case consumer.TypeBasicAuth, consumer.TypeOAuth2:
		made.Secret = cmp.Or(ask.Secret, consumer.NewKey())
		hash, err := consumer.HashPassword(made.Secret, bcryptCost)
		if err != nil {
			return made, nil, err
		}
		entry = file.PasswordCredential(t, ask.Consumer, hash, ask.Scopes)
	default:
		return made, nil, unknownType(kind)
	}
	made.Entry = entry.String()
	return made, entry, nil
}

// bcryptCost is Express Gateway's crypto.saltRounds.
const bcryptCost = 10

func unknownType(kind string) error {
	if near := diag.Suggest(kind, CredentialTypes()); near != "" {
		return fmt.Errorf("%q is not a credential type (did you mean %q?)", kind, near)
	}
	return fmt.Errorf("%q is not a credential type; known are %v", kind, CredentialTypes())
}

// HashSecret returns the field of a consumers file that holds the hash of a secret of this type, and the hash.
func HashSecret(kind, secret string) (field, hash string, err error) {
	switch consumer.CredentialType(cmp.Or(kind, string(consumer.TypeKeyAuth))) {
	case consumer.TypeKeyAuth:
		return "keySecretSHA256", file.HashKey(secret), nil
	case consumer.TypeBasicAuth, consumer.TypeOAuth2:
		hash, err = consumer.HashPassword(secret, bcryptCost)
		return "passwordBcrypt", hash, err
	case consumer.TypeJWT:
		return "", "", errors.New("a jwt credential has no secret in consumers.yml: only its keyId is looked at")
	default:
		return "", "", unknownType(kind)
	}
}
