package admin

// note is what the description of the API says of a route beside its path.
type note struct {
	summary string
	status  []int
	body    string // schema of the request's
	paged   bool
}

// notes are those of every route, by method and path.
func notes() map[string]note {
	all := map[string]note{
		"GET /scopes":           {summary: "list scopes", status: []int{200}},
		"POST /scopes":          {summary: "create scopes", status: []int{201}, body: "Scopes"},
		"GET /scopes/:scope":    {summary: "tell whether a scope exists", status: []int{200}},
		"PUT /scopes/:scope":    {summary: "create a scope", status: []int{201}},
		"DELETE /scopes/:scope": {summary: "remove a scope, also from credentials", status: []int{204}},

		"GET /credentials":                            {summary: "list credentials", status: []int{200}},
		"POST /credentials":                           {summary: "create a credential; a generated password is shown once", status: []int{200}, body: "Credential"},
		"GET /credentials/:consumer":                  {summary: "list the credentials of a consumer", status: []int{200}},
		"GET /credentials/:type/:id":                  {summary: "show a credential; null when there is none", status: []int{200}},
		"DELETE /tokens/:token":                       {summary: "revoke an access or refresh token", status: []int{200}},
		"GET /policies":                               {summary: "list the policies that pipelines may use", status: []int{200}},
		"PUT /policies/:name":                         {summary: "allow a policy", status: []int{200}},
		"DELETE /policies/:name":                      {summary: "disallow a policy", status: []int{204}},
		"GET /schemas":                                {summary: "list the schemas of policies, conditions and models", status: []int{200}},
		"GET /schemas/:param":                         {summary: "show schemas by type, or one by its $id", status: []int{200}},
		"GET /openapi.json":                           {summary: "describe this API", status: []int{200}},
		"PUT /credentials/:type/:id/status":           {summary: "activate or deactivate a credential", status: []int{200}, body: "Status"},
		"PUT /credentials/:type/:id/scopes":           {summary: "replace the scopes of a credential", status: []int{204}, body: "Scopes"},
		"PUT /credentials/:type/:id/scopes/:scope":    {summary: "give a credential a scope", status: []int{204}},
		"DELETE /credentials/:type/:id/scopes/:scope": {summary: "take a scope from a credential", status: []int{204}},
	}
	for path, words := range map[string][3]string{"/users": {"users", "a user", "User"}, "/apps": {"applications", "an application", "App"}} {
		all["GET "+path] = note{summary: "list " + words[0], status: []int{200}, paged: true}
		all["POST "+path] = note{summary: "create " + words[1], status: []int{200}, body: words[2]}
		all["GET "+path+"/:id"] = note{summary: "show " + words[1] + ", by name or id", status: []int{200}}
		all["PUT "+path+"/:id"] = note{summary: "change fields of " + words[1], status: []int{200}, body: "Fields"}
		all["DELETE "+path+"/:id"] = note{summary: "remove " + words[1] + " with all that belongs to it", status: []int{204}}
		all["PUT "+path+"/:id/status"] = note{summary: "activate or deactivate " + words[1], status: []int{200}, body: "Status"}
	}
	for path, what := range map[string]string{"/api-endpoints": "API endpoint", "/service-endpoints": "service endpoint", "/pipelines": "pipeline"} {
		all["GET "+path] = note{summary: "show every " + what, status: []int{200}}
		all["GET "+path+"/:name"] = note{summary: "show one " + what, status: []int{200}}
		all["PUT "+path+"/:name"] = note{summary: "set one " + what, status: []int{201, 204}, body: "Entry"}
		all["DELETE "+path+"/:name"] = note{summary: "remove one " + what, status: []int{204}}
	}
	return all
}
