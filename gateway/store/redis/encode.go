package redis

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
)

// hash is the value of a hash; nil: there is none.
type hash = map[string]string

// dateLayout is JavaScript's Date.prototype.toString without the name of the zone behind it.
const dateLayout = "Mon Jan 02 2006 15:04:05 GMT-0700"

func formatDate(t time.Time) string {
	return t.UTC().Format(dateLayout) + " (Coordinated Universal Time)"
}

// parseDate gives the zero time for what it cannot read.
func parseDate(text string) time.Time {
	date, _, _ := strings.Cut(text, " (")
	t, err := time.Parse(dateLayout, date)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// setDates leaves out what is not known.
func setDates(h hash, created, updated time.Time) {
	if !created.IsZero() {
		h["createdAt"] = formatDate(created)
	}
	if !updated.IsZero() {
		h["updatedAt"] = formatDate(updated)
	}
}

// property is a value as Express Gateway's Redis client writes it: as JavaScript's String gives it. A list
// or an object, of which that leaves nothing usable, is written as JSON.
func property(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		text, err := json.Marshal(x)
		if err != nil {
			return ""
		}
		return string(text)
	}
}

func setProperties(h hash, properties map[string]any) {
	for name, value := range properties {
		if _, own := h[name]; !own {
			h[name] = property(value)
		}
	}
}

// properties are the fields of a hash but those named; all are texts.
func properties(h hash, but ...string) map[string]any {
	var out map[string]any
	for name, value := range h {
		if slices.Contains(but, name) {
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out[name] = value
	}
	return out
}

func encodeConsumer(c *consumer.Consumer) hash {
	h := hash{"isActive": strconv.FormatBool(c.IsActive), "id": c.ID}
	if c.Kind == consumer.KindApplication {
		h["name"], h["userId"] = c.Name, c.UserID
	} else {
		h["username"] = c.Username
	}
	setDates(h, c.CreatedAt, c.UpdatedAt)
	setProperties(h, c.Properties)
	return h
}

func decodeConsumer(kind consumer.Kind, id string, h hash) *consumer.Consumer {
	c := &consumer.Consumer{
		Kind: kind, ID: id, IsActive: h["isActive"] == "true",
		CreatedAt: parseDate(h["createdAt"]), UpdatedAt: parseDate(h["updatedAt"]),
	}
	if kind == consumer.KindApplication {
		c.Name, c.UserID = h["name"], h["userId"]
		c.Properties = properties(h, "isActive", "id", "name", "userId", "createdAt", "updatedAt")
		return c
	}
	c.Username = h["username"]
	c.Properties = properties(h, "isActive", "id", "username", "createdAt", "updatedAt")
	return c
}

// secretHashField holds the SHA-256 of a key secret that nobody knows in clear text, as it comes from a
// consumers.yml. Express Gateway does not know the field.
const secretHashField = "keySecretSHA256"

// passwordField is where a hash of a type has the bcrypt hash.
func passwordField(t consumer.CredentialType) string {
	if t == consumer.TypeOAuth2 {
		return "secret"
	}
	return "password"
}

func encodeCredential(c *consumer.Credential) hash {
	h := hash{"isActive": strconv.FormatBool(c.IsActive)}
	setDates(h, c.CreatedAt, c.UpdatedAt)
	if !keyed(c.Type) {
		h[passwordField(c.Type)] = c.PasswordBcrypt
		if c.Scopes != nil {
			h["scopes"] = encodeScopes(c.Scopes)
		}
		setProperties(h, c.Properties)
		return h
	}
	h["id"], h["keyId"], h["consumerId"], h["scopes"] = c.ID, c.ID, c.ConsumerID, encodeScopes(c.Scopes)
	h["keySecret"] = c.KeySecret
	if c.KeySecret == "" {
		// Express Gateway takes a key without a secret where there is none to compare with.
		h["keySecret"] = consumer.NewKey()
		h[secretHashField] = hex.EncodeToString(c.KeySecretSHA256)
	}
	setProperties(h, c.Properties)
	return h
}

func decodeCredential(t consumer.CredentialType, id string, h hash) *consumer.Credential {
	c := &consumer.Credential{
		Type: t, ID: id, ConsumerID: id, IsActive: h["isActive"] == "true", Scopes: decodeScopes(h["scopes"]),
		CreatedAt: parseDate(h["createdAt"]), UpdatedAt: parseDate(h["updatedAt"]),
	}
	if !keyed(t) {
		c.PasswordBcrypt = h[passwordField(t)]
		c.Properties = properties(h, "isActive", "scopes", "createdAt", "updatedAt", "id", "type", "consumerId", passwordField(t))
		return c
	}
	c.ConsumerID = h["consumerId"]
	c.Properties = properties(h, "isActive", "scopes", "createdAt", "updatedAt", "id", "type", "consumerId",
		"keyId", "keySecret", secretHashField)
	if text, hashed := h[secretHashField]; hashed {
		if sum, err := hex.DecodeString(text); err == nil && len(sum) > 0 {
			c.KeySecretSHA256 = sum
		}
		return c
	}
	if c.KeySecret = h["keySecret"]; c.KeySecret != "" {
		c.KeySecretSHA256 = consumer.HashSecret(c.KeySecret)
	}
	return c
}

// encodeScopes is a JSON list, or the text null when none were given.
func encodeScopes(scopes []string) string { return property(scopes) }

// decodeScopes gives nil for what is no list of texts.
func decodeScopes(text string) []string {
	var scopes []string
	if json.Unmarshal([]byte(text), &scopes) != nil {
		return nil
	}
	return scopes
}
