package admin

import (
	"maps"
	"net/http"

	"egk8s.dev/egk8s/gateway/consumer"
)

func (a *api) credentialRoutes() []route {
	return []route{
		on("POST", "/credentials", a.createCredential),
		on("GET", "/credentials", func(c call) (reply, error) {
			list, err := a.Consumers.Credentials(c, "")
			return ok2(map[string]any{"credentials": credentialsJSON(list)}, err)
		}),
		on("GET", "/credentials/:consumer", a.listCredentials),
		on("GET", "/credentials/:type/:id", func(c call) (reply, error) {
			cred, err := a.Consumers.Credential(c, kindOf(c), c.params["id"])
			if isMissing(err) {
				return ok(null{})
			}
			if err != nil {
				return reply{}, err
			}
			return ok(storedJSON(cred))
		}),
		on("PUT", "/credentials/:type/:id/status", func(c call) (reply, error) {
			active := c.body["status"] == true
			changed, err := a.Consumers.SetCredentialActive(c, kindOf(c), c.params["id"], active)
			if err != nil {
				return reply{}, err
			}
			return status(changed, active)
		}),
		on("PUT", "/credentials/:type/:id/scopes/:scope", func(c call) (reply, error) {
			return reply{status: http.StatusNoContent},
				a.Consumers.AddCredentialScopes(c, kindOf(c), c.params["id"], c.params["scope"])
		}),
		on("DELETE", "/credentials/:type/:id/scopes/:scope", func(c call) (reply, error) {
			return reply{status: http.StatusNoContent},
				a.Consumers.RemoveCredentialScopes(c, kindOf(c), c.params["id"], c.params["scope"])
		}),
		on("PUT", "/credentials/:type/:id/scopes", func(c call) (reply, error) {
			scopes, err := scopesOf(c)
			if err != nil {
				return reply{}, err
			}
			return reply{status: http.StatusNoContent}, a.Consumers.SetCredentialScopes(c, kindOf(c), c.params["id"], scopes)
		}),
		on("DELETE", "/tokens/:token", func(c call) (reply, error) {
			if err := a.Tokens.Revoke(c, c.params["token"]); err != nil {
				return reply{}, err
			}
			return ok([][2]any{{nil, 1}, {nil, 1}, {nil, 1}}) // EG: what Redis says to its three commands
		}),
	}
}

func kindOf(c call) consumer.CredentialType { return consumer.CredentialType(c.params["type"]) }

func (a *api) createCredential(c call) (reply, error) {
	id := c.text("consumerId")
	if id == "" {
		return reply{}, &badRequestError{"invalid username"}
	}
	owner, err := a.Consumers.FindConsumer(c, id)
	if isMissing(err) {
		return reply{}, &statusError{http.StatusUnprocessableEntity, "No consumer found with id: " + id}
	}
	if err != nil {
		return reply{}, err
	}
	fields, isObject := c.body["credential"].(map[string]any)
	if !isObject && c.body["credential"] != nil {
		return reply{}, &badRequestError{"credential must be an object"}
	}
	ask := consumer.NewCredential{Type: consumer.CredentialType(c.text("type")), Fields: fields}
	cred, generated, err := a.Consumers.CreateCredential(c, owner.ID, ask)
	if err != nil {
		return reply{}, err
	}
	out := credentialJSON(cred)
	if generated != "" {
		name, _ := cred.Properties["passwordKey"].(string)
		out[name] = generated
	}
	return ok(out)
}

func (a *api) listCredentials(c call) (reply, error) {
	owner, err := a.Consumers.FindConsumer(c, c.params["consumer"])
	if isMissing(err) {
		return reply{http.StatusNotFound, map[string]any{}}, nil
	}
	if err != nil {
		return reply{}, err
	}
	list, err := a.Consumers.Credentials(c, owner.ID)
	return ok2(map[string]any{"credentials": credentialsJSON(list)}, err)
}

func credentialsJSON(list []*consumer.Credential) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, cred := range list {
		out[i] = storedJSON(cred)
	}
	return out
}

// storedJSON is a credential as it is shown later: with its type, without how its password was made.
func storedJSON(cred *consumer.Credential) map[string]any {
	out := credentialJSON(cred)
	delete(out, "autoGeneratePassword")
	delete(out, "passwordKey")
	out["type"] = cred.Type
	return out
}

// credentialJSON shows a credential as Express Gateway does: the secret of a key, where it is known,
// and never a password or a hash.
func credentialJSON(cred *consumer.Credential) map[string]any {
	out := maps.Clone(cred.Properties)
	if out == nil {
		out = map[string]any{}
	}
	out["isActive"], out["id"] = cred.IsActive, cred.ID
	if cred.Scopes != nil {
		out["scopes"] = cred.Scopes
	}
	if cred.Type == consumer.TypeKeyAuth || cred.Type == consumer.TypeJWT {
		out["keyId"], out["consumerId"] = cred.ID, cred.ConsumerID
		if cred.KeySecret != "" {
			out["keySecret"] = cred.KeySecret
		}
		if cred.Scopes == nil {
			out["scopes"] = nil
		}
	}
	setDate(out, "createdAt", cred.CreatedAt)
	setDate(out, "updatedAt", cred.UpdatedAt)
	return out
}
