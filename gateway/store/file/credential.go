package file

import (
	"encoding/hex"
	"slices"

	"golang.org/x/crypto/bcrypt"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
)

// credentialKeys are the keys of an entry by its type.
func credentialKeys(t consumer.CredentialType) []string {
	switch t {
	case consumer.TypeKeyAuth:
		return []string{"type", "consumer", "isActive", "scopes", "keyId", "keySecretSHA256"}
	case consumer.TypeJWT:
		return []string{"type", "consumer", "isActive", "scopes", "keyId"}
	case consumer.TypeBasicAuth, consumer.TypeOAuth2:
		return []string{"type", "consumer", "isActive", "scopes", "passwordBcrypt"}
	default:
		return nil
	}
}

func types() []string {
	return []string{
		string(consumer.TypeKeyAuth), string(consumer.TypeBasicAuth), string(consumer.TypeJWT), string(consumer.TypeOAuth2),
	}
}

func (b *builder) readCredential(v value) {
	name, ok := b.need(v, "type", "a credential")
	if !ok {
		return
	}
	t := consumer.CredentialType(name)
	known := credentialKeys(t)
	if known == nil {
		p := b.add("unknown-type", v.get("type").pos, "%q is not a credential type", name)
		p.Suggestion = diag.Suggest(name, types())
		return
	}
	known = b.plainSecrets(v, known)
	b.keys(v, known, "a field of "+name+" credentials")
	owner, ok := b.need(v, "consumer", "a credential")
	if !ok {
		return
	}
	c := &consumer.Credential{Type: t, IsActive: b.active(v), Scopes: b.credentialScopes(v)}
	if c.ConsumerID, ok = b.consumer(v, owner); !ok {
		return
	}
	if b.secret(v, c) && b.once(name+" credential", c.ID, v.pos) {
		b.credentials = append(b.credentials, c)
	}
}

// plainSecrets refuses secrets in clear text and returns known with their names, so that they are
// not reported a second time.
func (b *builder) plainSecrets(v value, known []string) []string {
	for _, name := range []string{"keySecret", "password", "secret"} {
		if f := v.get(name); f != nil {
			b.plainSecret(name, *f)
			known = append(known, name)
		}
	}
	return known
}

func (b *builder) plainSecret(name string, v value) {
	p := b.add("plain-secret", v.pos, "%s stands here in clear text", name)
	field, kind := "keySecretSHA256", "key-auth"
	if name != "keySecret" {
		field, kind = "passwordBcrypt", "basic-auth"
	}
	p.Label = "this file is read by people and kept in version control"
	p.Hint = "write " + field + " instead; `egk8s credentials hash --type " + kind + "` gives its value"
}

// secret reads the id and what proves it.
func (b *builder) secret(v value, c *consumer.Credential) bool {
	switch c.Type {
	case consumer.TypeBasicAuth, consumer.TypeOAuth2:
		c.ID = c.ConsumerID
		hash, ok := b.need(v, "passwordBcrypt", "a "+string(c.Type)+" credential")
		if !ok {
			return false
		}
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			b.add("bad-hash", v.get("passwordBcrypt").pos, "passwordBcrypt is not a bcrypt hash")
			return false
		}
		c.PasswordBcrypt = hash
		return true
	default:
		id, ok := b.need(v, "keyId", "a "+string(c.Type)+" credential")
		c.ID = id
		if !ok || c.Type == consumer.TypeJWT {
			return ok
		}
		text, ok := b.need(v, "keySecretSHA256", "a key-auth credential")
		if !ok {
			return false
		}
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != 32 {
			b.add("bad-hash", v.get("keySecretSHA256").pos, "keySecretSHA256 must be 64 hexadecimal digits")
			return false
		}
		c.KeySecretSHA256 = sum
		return true
	}
}

// credentialScopes reads scopes, which must all be in the scopes section. Absent gives nil.
func (b *builder) credentialScopes(v value) []string {
	list := v.get("scopes")
	if list == nil || list.form == isScalar && list.scalar == nil {
		return nil
	}
	if !b.is(*list, isList, "scopes") {
		return nil
	}
	out := []string{}
	for _, s := range list.list {
		if !b.is(s, isScalar, "a scope") {
			continue
		}
		if !slices.Contains(b.scopes, s.text) {
			p := b.add("unknown-scope", s.pos, "there is no scope %q", s.text)
			p.Suggestion = diag.Suggest(s.text, b.scopes)
			p.Hint = "add it to the scopes section"
			continue
		}
		out = append(out, s.text)
	}
	return out
}

// consumer finds whom a credential belongs to: by id, else by username or application name,
// which must then be the only one.
func (b *builder) consumer(v value, nameOrID string) (id string, ok bool) {
	if c := b.byID[nameOrID]; c != nil {
		return c.ID, true
	}
	named := b.byName[nameOrID]
	switch len(named) {
	case 1:
		return named[0].ID, true
	case 0:
		p := b.add("unknown-consumer", v.get("consumer").pos, "there is no user or application %q", nameOrID)
		p.Suggestion = diag.Suggest(nameOrID, b.names(consumer.KindUser, consumer.KindApplication))
	default:
		p := b.add("ambiguous-consumer", v.get("consumer").pos, "%d consumers are called %q", len(named), nameOrID)
		p.Hint = "give the one that is meant an id and write that id here"
	}
	return "", false
}
