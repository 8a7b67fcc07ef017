package deviation

func oauth2() []Deviation { //nolint:funlen // a table
	return []Deviation{
		{
			ID: "oauth-sessions",
			There: "a login lives in the memory of the one process, or in a session store of npm; `session.secret` signs its random id, and the " +
				"templates come with a known one",
			Here: "it lives in an encrypted cookie that every replica with the same `session.secret` reads; a secret of less than 16 characters " +
				"is not used, and a warning says so; `storeProvider` is not read",
			Notice: "storeProvider is not read: logins live in an encrypted cookie, which session.secret protects",
		},
		{
			ID:    "oauth-forms",
			There: "the login and the consent can be sent by a page of another site; the button Cancel allows",
			Here:  "a browser must bring the token of the form that it was shown; the button Deny denies; pages cannot be framed",
		},
		{
			ID:    "oauth-url-fields",
			There: "`POST /login` and the consent take their fields from the URL, too",
			Here:  "from the body only: a URL is logged",
		},
		{
			ID:    "oauth-no-redirect",
			There: "a client without `redirectUri` gets as far as the consent, which then is a 500",
			Here:  "403; so does a `redirectUri` that a browser would run, such as `javascript:`",
		},
		{
			ID:    "oauth-pkce",
			There: "`code_challenge` is not read",
			Here:  "PKCE with method `S256` (RFC 7636): a code with a challenge needs its verifier, one without refuses any",
		},
		{
			ID:    "oauth-shared-tokens",
			There: "a client that asks without scopes may get a token that was made for other scopes or for a user",
			Here:  "only equal grants (client, user, scopes) share a token while it is valid",
		},
		{
			ID: "oauth-scope-url",
			There: "`scope` in the URL of a token request is compared with the client's scopes in place of that in the body, which the token gets: " +
				"a client gets any scope",
			Here: "both must be the client's; so must those of a refresh token, still",
		},
		{
			ID:    "oauth-refresh",
			There: "whoever is a client and knows the id of a refresh token can use it; its secret and its client are not looked at",
			Here:  "403 `invalid_grant` but for the client and the secret that it was made for",
		},
		{
			ID:    "oauth-inactive-user",
			There: "a token that was got by a user's password goes on when the user is deactivated",
			Here:  "it stops",
		},
		{
			ID:     "oauth-jwt-life",
			There:  "JSON Web Tokens live for `timeToExpiry` seconds",
			Here:   "milliseconds, as for opaque tokens, and as `expires_in` says",
			Notice: "JSON Web Tokens live for timeToExpiry milliseconds; Express Gateway takes it for seconds",
		},
		{
			ID:    "oauth-jwt-ways",
			There: "with `tokenType: jwt` the implicit grant still gives an opaque token, and the policy forgets its `passThrough`",
			Here:  "a JSON Web Token, and `passThrough` counts",
		},
		{
			ID:    "oauth-body-token",
			There: "the policy finds `access_token` in a body only behind a step that parsed the body",
			Here:  "in any form of up to 100 kB",
		},
		{
			ID:    "oauth-token-request",
			There: "a parameter of the token request that is no text ends in a 500; a client secret with a colon never works",
			Here:  "400 `invalid_request`; it works",
		},
		{
			ID:    "oauth-revoke",
			There: "the Admin API revokes access tokens only",
			Here:  "refresh tokens, too",
		},
	}
}
