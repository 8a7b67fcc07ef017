package redis

import (
	"egk8s.dev/egk8s/gateway/consumer"
)

// challengeField holds the PKCE challenge of a code, which Express Gateway does not know.
const challengeField = "codeChallenge"

// encodeToken writes a token. EG: who authorised a client by password stands in authenticatedUser, and such
// a token has no authType; who was sent to us stands in authenticatedUserId.
func (s *Store) encodeToken(t *consumer.Token) hash {
	h := hash{
		"id": t.ID, "tokenEncrypted": s.cipher.encrypt(t.Secret), "expiresAt": epoch(t.ExpiresAt),
		"consumerId": t.Grant.ConsumerID, "createdAt": formatDate(t.CreatedAt),
	}
	switch {
	case t.Grant.ByPassword:
		h["authenticatedUser"] = t.Grant.UserID
	case t.Grant.UserID != "":
		h["authenticatedUserId"] = t.Grant.UserID
	}
	if !t.Grant.ByPassword {
		h["authType"] = "oauth2"
	}
	if len(t.Grant.Scopes) > 0 {
		h["scopes"] = encodeScopes(t.Grant.Scopes)
	}
	if t.Grant.RedirectURI != "" {
		h["redirectUri"] = t.Grant.RedirectURI
	}
	return h
}

// decodeToken reads a token; consumer.ErrNotFound: there is none, or it is revoked.
func (s *Store) decodeToken(kind consumer.TokenKind, id string, h hash) (*consumer.Token, error) {
	if h["expiresAt"] == "" || h["archived"] != "" {
		return nil, consumer.ErrNotFound
	}
	secret, err := s.cipher.decrypt(h["tokenEncrypted"])
	if err != nil {
		return nil, err
	}
	grant := consumer.Grant{
		ConsumerID: h["consumerId"], UserID: h["authenticatedUserId"], RedirectURI: h["redirectUri"],
		Scopes: consumer.SortScopes(decodeScopes(h["scopes"])),
	}
	if user, byPassword := h["authenticatedUser"]; byPassword {
		grant.UserID, grant.ByPassword = user, true
	}
	return &consumer.Token{
		Kind: kind, Grant: grant, ID: id, Secret: secret, CreatedAt: parseDate(h["createdAt"]), ExpiresAt: instant(h["expiresAt"]),
		Credential: consumer.Credential{
			Type: consumer.TypeOAuth2, ID: grant.ConsumerID, ConsumerID: grant.ConsumerID, IsActive: true, Scopes: grant.Scopes,
		},
	}, nil
}

func encodeCode(c *consumer.Code) hash {
	h := hash{
		"id": c.ID, "consumerId": c.ConsumerID, "userId": c.UserID, "expiresAt": epoch(c.ExpiresAt),
		"createdAt": formatDate(c.CreatedAt),
	}
	if c.RedirectURI != "" {
		h["redirectUri"] = c.RedirectURI
	}
	if len(c.Scopes) > 0 {
		h["scopes"] = encodeScopes(c.Scopes)
	}
	if c.Challenge != "" {
		h[challengeField] = c.Challenge
	}
	return h
}

func decodeCode(id string, h hash) *consumer.Code {
	return &consumer.Code{
		ID: id, ConsumerID: h["consumerId"], UserID: h["userId"], RedirectURI: h["redirectUri"],
		Scopes: decodeScopes(h["scopes"]), Challenge: h[challengeField],
		CreatedAt: parseDate(h["createdAt"]), ExpiresAt: instant(h["expiresAt"]),
	}
}
