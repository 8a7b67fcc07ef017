package config

import "strings"

// pluginHint says what to use instead of a policy that plugins of Express Gateway are known to bring; empty: nothing
// is known of it. docs/reference/plugins.md has the same table with what is lost.
func pluginHint(name string) string {
	use := ""
	switch strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name)) {
	case "keycloak", "keycloakprotect", "auth0", "jwks", "jwtjwks", "oidc", "openidconnect", "okta", "cognito", "firebase":
		use = `use "jwt" with oidcIssuer or jwksUri, and "scopes" for roles`
	case "scope", "jwtscopes", "jwtscope", "checkscopes":
		use = `use "scopes"`
	case "introspection", "introspectionv2", "introspectionv3", "oauth2introspection":
		use = `use "oauth2-introspect", or "forward-auth" where it asks in a way of its own`
	case "metrics", "metricscollector", "metricsreporter", "prometheus":
		use = "take it out: the gateway has /metrics for Prometheus"
	case "customlogger", "requestlogger", "lifecyclelogger", "logger", "winston", "morgan":
		use = `use "log" or the access log`
	case "moesif":
		use = "take it out: the access log and /metrics say who asked what, without bodies"
	case "bodymodifier", "bodytransformer", "headermodifier":
		use = `use "request-transformer" and "response-transformer"`
	case "bodyparser", "jsonparser":
		use = "take it out: policies and conditions parse the body where they need it"
	case "openapivalidator", "openapivalidation", "swaggervalidator", "requestvalidator":
		use = `use the condition "json-schema" with the schemas of the bodies`
	case "headerverification", "rsasignaturevalidation", "hmac", "signatureverification", "customauth", "auth", "authentication", "gatekeeper":
		use = `use "forward-auth" with a service that runs its code`
	case "aggregation", "aggregator", "rsasignaturesigner":
		use = "let a service behind \"proxy\" do its work"
	case "ipwhitelist", "ipblacklist", "iprestriction", "ipallowlist", "whitelist":
		use = `use "ip-filter"`
	case "urlrewrite":
		use = `use "rewrite"`
	default:
		return ""
	}
	return "a plugin's code cannot run here: " + use + " (docs/reference/plugins.md)"
}
