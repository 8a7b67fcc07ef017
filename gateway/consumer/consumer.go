// Package consumer holds users, applications, credentials and scopes: their rules and
// invariants as in Express Gateway 1.16.11, with no storage and no HTTP.
package consumer

import "time"

// Kind tells a user from an application.
type Kind string

// The kinds of consumers.
const (
	KindUser        Kind = "user"
	KindApplication Kind = "application"
)

// Consumer is who calls: a user or an application.
type Consumer struct {
	Kind     Kind
	ID       string // uuid v4
	Username string // of a user
	Name     string // of an application
	UserID   string // owner of an application
	IsActive bool
	// Properties are all other fields of the model, as given (firstname, lastname, email, redirectUri, …).
	Properties           map[string]any
	CreatedAt, UpdatedAt time.Time
}

// CredentialType is one of Express Gateway's credential types.
type CredentialType string

// The credential types.
const (
	TypeBasicAuth CredentialType = "basic-auth"
	TypeKeyAuth   CredentialType = "key-auth"
	TypeJWT       CredentialType = "jwt"
	TypeOAuth2    CredentialType = "oauth2"
)

// Credential proves who a consumer is. Which secret field is set depends on its type and store.
type Credential struct {
	Type            CredentialType
	ID              string // keyId of key-auth and jwt; the consumer's id of basic-auth and oauth2
	ConsumerID      string
	IsActive        bool
	Scopes          []string // nil: none were given
	KeySecret       string   // clear text, as Express Gateway keeps it; empty where only the hash is known
	KeySecretSHA256 []byte   // 32 bytes; the file store knows only this
	PasswordBcrypt  string
	// Properties are all other fields of the model (autoGeneratePassword, passwordKey, …).
	Properties map[string]any
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// DisplayName is the username of a user or the name of an application.
func (c *Consumer) DisplayName() string {
	if c.Kind == KindApplication {
		return c.Name
	}
	return c.Username
}
