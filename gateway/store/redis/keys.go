package redis

import (
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
)

// layout names the keys of Express Gateway 1.16.11 below its namespace.
type layout struct{ namespace string }

func (l layout) key(what, id string) string { return l.namespace + "-" + what + ":" + id }

// consumer is the hash of a user or an application.
func (l layout) consumer(kind consumer.Kind, id string) string { return l.key(string(kind), id) }

// named is the set of the ids of consumers that have one name.
func (l layout) named(kind consumer.Kind, name string) string {
	if kind == consumer.KindApplication {
		return l.key("application-name", name)
	}
	return l.key("username", name)
}

// owned is the set of the ids of the applications of a user.
func (l layout) owned(userID string) string { return l.key("user-applications", userID) }

// credential is the hash of a credential. Of types that a consumer has any number of it is also, with the
// consumer's id, the set of their ids.
func (l layout) credential(t consumer.CredentialType, id string) string { return l.key(string(t), id) }

// scopes is the hash whose fields are all scopes.
func (l layout) scopes() string { return l.namespace + "-scope" }

// scoped is the hash whose fields are the keys of the credentials that have a scope.
func (l layout) scoped(scope string) string { return l.key("scope-credentials", scope) }

// token is the hash of a token.
func (l layout) token(kind consumer.TokenKind, id string) string {
	if kind == consumer.RefreshToken {
		return l.key("refresh-token", id)
	}
	return l.key("access-token", id)
}

// issued is the hash of the ids of a consumer's tokens and their expiry.
func (l layout) issued(kind consumer.TokenKind, consumerID string) string {
	if kind == consumer.RefreshToken {
		return l.key("consumer-refresh-tokens", consumerID)
	}
	return l.key("consumer-access-tokens", consumerID)
}

// code is the hash of an authorization code.
func (l layout) code(id string) string { return l.key("auth-code", id) }

// credentialTypes are in the order of lists of credentials that are equally old.
func credentialTypes() []consumer.CredentialType {
	return []consumer.CredentialType{consumer.TypeKeyAuth, consumer.TypeJWT, consumer.TypeBasicAuth, consumer.TypeOAuth2}
}

// keyed tells the types of which a consumer has any number, each with a key id of its own.
func keyed(t consumer.CredentialType) bool { return t == consumer.TypeKeyAuth || t == consumer.TypeJWT }

// credentialOf reads type and id out of a credential's key.
func (l layout) credentialOf(key string) (t consumer.CredentialType, id string, ok bool) {
	for _, t := range credentialTypes() {
		if id, ok := strings.CutPrefix(key, l.credential(t, "")); ok {
			return t, id, true
		}
	}
	return "", "", false
}

// pattern matches the keys that begin with a text, whatever its characters.
func pattern(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(prefix) + "*"
}
