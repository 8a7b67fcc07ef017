package deviation

func admin() []Deviation { //nolint:funlen // a table
	return []Deviation{
		{
			ID:    "admin-client-errors",
			There: "a mistake of the client is a 500 (a missing field, an unknown scope, a body that is not JSON)",
			Here:  "the same text with 400, 404 or 409; a body over 100 kB is 413",
			Cases: []string{
				"admin-app-create-bad-uri", "admin-app-create-no-name", "admin-app-create-no-user", "admin-bad-json",
				"admin-cred-no-type", "admin-cred-scope-add-unknown", "admin-cred-unknown-type", "admin-scope-bad-body",
				"admin-token-unknown", "admin-user-create-minimal-missing", "admin-user-update-unknown-field", "model-users-custom",
			},
		},
		{
			ID:    "admin-scope-delete",
			There: "deleting a scope that does not exist answers 204",
			Here:  "404",
			Cases: []string{"admin-scope-delete-unknown"},
		},
		{
			ID:    "admin-rename",
			There: "an application that was renamed is found by its old name only",
			Here:  "by its new name only",
			Cases: []string{"admin-app-update-renamed-lookup"},
		},
		{
			ID:    "admin-ambiguous-name",
			There: "two applications of one name: 500 when asked by name",
			Here:  "409, which says to use the id",
		},
		{
			ID:    "admin-key-taken",
			There: "a key id that exists is taken over by the new credential",
			Here:  "409",
		},
		{
			ID:    "admin-unknown-scopes",
			There: "`PUT …/scopes` accepts scopes that do not exist",
			Here:  "400 `One or more scopes don't exist`",
		},
		{
			ID:    "admin-pages",
			There: "a page of users may be empty and say that it is the last",
			Here:  "pages are full until the last one, with at most 1000 entries; nobody is skipped when others are removed meanwhile",
		},
		{
			ID: "admin-config-writes",
			There: "changing the configuration rewrites `gateway.config.yml`: comments and formatting are lost, and of changes at the same time " +
				"some are lost too",
			Here: "only the entry's own lines change; changes wait for each other; a change that does not load is refused with 422",
		},
		{
			ID:    "admin-read-after-write",
			There: "a change of the configuration counts about two seconds after its answer; a read meanwhile shows the old state",
			Here:  "it counts when it is answered",
			Cases: []string{"admin-read-after-write"},
		},
		{
			ID:    "admin-read-only",
			There: "on a configuration that cannot be written every change is a 500",
			Here:  "409, which says where the change belongs",
		},
		{
			ID:    "admin-cross-site",
			There: "a page in a browser can post a form to the Admin API on localhost",
			Here:  "requests of other sites' pages are refused with 403",
		},
		{
			ID:    "admin-file-store",
			There: "users and credentials live in Redis",
			Here:  "or in a file (see [consumers.yml](reference/consumers.md)), which is read-only for the Admin API",
		},
		{
			ID:    "redis-away",
			There: "without Redis key-auth answers 401 after 11 s",
			Here:  "credentials and tokens used before go on; others get 503 with `Retry-After` at once",
		},
		{
			ID:    "redis-tokens",
			There: "expired and revoked tokens and unused codes stay in Redis for ever",
			Here:  "they go when they expire or are revoked",
		},
	}
}
