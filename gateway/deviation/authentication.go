package deviation

func authentication() []Deviation {
	return []Deviation{
		{
			ID:    "password-colon",
			There: "a password or a key secret with a colon never works; of a password only what stands before its first colon is looked at",
			Here:  "it works, and a password is all that stands behind the user name's colon",
			Cases: []string{"basic-colon-password"},
		},
		{
			ID:    "basic-scheme",
			There: "`basic-auth` takes every scheme whose name contains `Basic`, such as `XBasic`",
			Here:  "401, but for `Basic` in any case",
		},
		{
			ID:    "password-flood",
			There: "every password is compared at once, at the cost of bcrypt, so that wrong ones can take the whole process",
			Here: "at most half of the cores compare, the others wait and stop when their client is gone; when too many wait, the answer is 503. " +
				"A right password is remembered for five minutes, as long as its credential does not change",
		},
		{
			ID:    "jwt-scopes",
			There: "the policy `jwt` does not enforce the scopes of an endpoint",
			Here: "the same, with a warning when loading, unless its action says `enforceScopes: true`: then they must be in the token's claim " +
				"`scope` (or `scopes`) or in its credential, else the answer is 403",
			Notice: "jwt does not look at the scopes of the endpoint, as in Express Gateway; enforceScopes: true makes it",
		},
		{
			ID: "jwt-strict",
			There: "a token may have critical header fields, header fields that occur twice, or a payload that is no object; where `algorithms` " +
				"names both kinds, a public key also counts as the secret of an HMAC",
			Here: "such tokens are refused",
		},
		{
			ID:    "jwt-subject",
			There: "a good token whose `sub` is no text is a 500 where a credential must exist",
			Here:  "401",
		},
		{
			ID: "jwt-key",
			There: "an empty key file makes everybody's tokens good; with a PEM that cannot be read, or an RSA key below 1024 bits, the gateway " +
				"starts, and refuses or accepts what comes",
			Here: "refused when loading; a key that none of the `algorithms` fits is a warning",
		},
		{
			ID:     "token-id",
			There:  "a claim `id` of a token, or of the answer about one, becomes the backend's `eg-consumer-id`, which else names consumers",
			Here:   "`eg-consumer-id` names consumers only",
			Notice: "eg-consumer-id names consumers only, not the id that a token claims",
		},
		{
			ID: "introspection",
			There: "the answer about a token counts for every `oauth2-introspect` step, whomever that would ask; redirects are followed; " +
				"answers may be of any size and, once they began, take any time; one whose `scope` is a list ends the process",
			Here: "it counts for the same endpoint and authorization only; a redirect is a failure; an answer of more than 256 kB is one too, and " +
				"so is one that is not there, whole, after `timeout` (at most a minute). Who asks for one token at a time shares one question. " +
				"The texts of a list are scopes",
		},
	}
}
