package oauth2

import (
	"net/url"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// isBrowser tells whether a browser sent the request: whatever is not one cannot be made to send a form by a page
// of somebody else, and need not have loaded ours.
func isBrowser(r *message.Request) bool {
	h := r.Header
	return h.Has("Origin") || h.Has("Sec-Fetch-Site") || h.Has("Referer") || strings.HasPrefix(h.Get("User-Agent"), "Mozilla/")
}

// isForeign tells whether a page of another site sent the request.
func isForeign(r *message.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host) // "null" has no host
}
