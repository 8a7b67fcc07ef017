package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// tokens are the digests of the bearer tokens that may use the Admin API; none: everybody may who reaches it.
type tokens [][sha256.Size]byte

func newTokens(list []string) tokens {
	out := make(tokens, 0, len(list))
	for _, one := range list {
		out = append(out, sha256.Sum256([]byte(one)))
	}
	return out
}

// who names the token of a request for the audit: the beginning of its digest, from which nobody gets the token.
// The request is refused when ok is false. Every token is compared, so that time does not tell which one is near.
func (t tokens) who(r *http.Request) (name string, ok bool) {
	if len(t) == 0 {
		return "", true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for _, one := range t {
		found |= subtle.ConstantTimeCompare(sum[:], one[:])
	}
	if found == 0 || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return "token " + hex.EncodeToString(sum[:4]), true
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="Admin API"`)
	text(w, http.StatusUnauthorized, "the Admin API wants a token: Authorization: Bearer TOKEN")
}

// audit writes one line for each change that was asked for, with what came of it. Values of the body are left out, and
// tokens in paths, since secrets stand there.
func (a *api) audit(r *http.Request, who string, route route, params map[string]string, body map[string]any, status int) {
	parts := slices.Clone(route.parts)
	for i, part := range parts {
		if name, isParam := strings.CutPrefix(part, ":"); isParam {
			parts[i] = params[name]
			if name == "token" {
				parts[i], _, _ = strings.Cut(parts[i], "|")
			}
		}
	}
	level, message := slog.LevelInfo, "admin change"
	if status >= http.StatusBadRequest {
		level, message = slog.LevelWarn, "admin change refused"
	}
	a.Logger.LogAttrs(r.Context(), level, message,
		slog.String("method", r.Method), slog.String("target", "/"+strings.Join(parts, "/")), slog.Int("status", status),
		slog.Any("fields", slices.Sorted(maps.Keys(body))), slog.String("client", r.RemoteAddr), slog.String("by", who))
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController, which MaxBytesReader uses.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
