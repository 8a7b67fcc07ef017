package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
)

// reply is what a route answers: a status with JSON, or without a body when json is nil.
type reply struct {
	status int
	json   any
}

func ok(v any) (reply, error) { return reply{http.StatusOK, v}, nil }

func empty(status int) (reply, error) { return reply{status: status}, nil }

// null is the JSON null, which Express Gateway answers for an unknown credential.
type null struct{}

// MarshalJSON returns null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// encode writes JSON as Express Gateway does: without a line end.
func encode(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode admin answer: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// write sends the reply. What can be read again has an entity tag, so that a client can ask whether it
// changed, and change it only if not.
func (p reply) write(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	if p.json == nil {
		w.WriteHeader(p.status)
		return
	}
	body, err := encode(p.json)
	if err != nil {
		log.ErrorContext(r.Context(), "admin request failed", "error", err)
		text(w, http.StatusInternalServerError, "admin API error")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if p.status == http.StatusOK && !changes(r.Method) {
		tag := etagOf(body)
		w.Header().Set("ETag", tag)
		if none := r.Header.Get("If-None-Match"); none != "" && listed(strings.ReplaceAll(none, "W/", ""), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body)
}

// text answers a message in Express Gateway's content type, made harmless for a browser.
func text(w http.ResponseWriter, status int, message string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(message)) //nolint:gosec // the policy above lets a browser run nothing of it
}

// cannot answers an unknown route or method as Express does: 404 for both.
func cannot(w http.ResponseWriter, r *http.Request) {
	text(w, http.StatusNotFound, fmt.Sprintf(
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n"+
			"<body>\n<pre>Cannot %s %s</pre>\n</body>\n</html>\n",
		html.EscapeString(r.Method), html.EscapeString(r.URL.EscapedPath())))
}

// statusError is an answer that a route decided itself.
type statusError struct {
	status  int
	message string // empty: no body
}

func (e *statusError) Error() string { return e.message }

// fail answers an error: the client's mistakes with their text, everything else as 500 with a log line.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	var (
		own      *statusError
		mistake  *consumer.Error
		bad      *badRequestError
		tooLarge *http.MaxBytesError
		invalid  *InvalidConfigError
		readOnly *ReadOnlyConfigError
	)
	switch {
	case errors.As(err, &own) && own.message == "":
		w.WriteHeader(own.status)
	case errors.As(err, &own):
		text(w, own.status, own.message)
	case errors.As(err, &mistake):
		text(w, statusOf(mistake.Class), mistake.Message)
	case errors.As(err, &bad):
		text(w, http.StatusBadRequest, bad.message)
	case errors.As(err, &tooLarge):
		text(w, http.StatusRequestEntityTooLarge, "request entity too large")
	case errors.As(err, &invalid):
		text(w, http.StatusUnprocessableEntity, invalid.Message)
	case errors.As(err, &readOnly), errors.Is(err, consumer.ErrReadOnly):
		text(w, http.StatusConflict, err.Error())
	case errors.Is(err, consumer.ErrUnavailable):
		a.Logger.ErrorContext(r.Context(), "admin request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "1")
		text(w, http.StatusServiceUnavailable, "consumers are not available now")
	default:
		a.Logger.ErrorContext(r.Context(), "admin request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		text(w, http.StatusInternalServerError, "admin API error")
	}
}

func statusOf(c consumer.Class) int {
	switch c {
	case consumer.Missing:
		return http.StatusNotFound
	case consumer.Conflict:
		return http.StatusConflict
	case consumer.Invalid:
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

// status is the answer of every status change.
func status(changed, active bool) (reply, error) {
	word := map[[2]bool]string{
		{true, true}: "Activated", {true, false}: "Deactivated", {false, true}: "Active", {false, false}: "Inactive",
	}[[2]bool{changed, active}]
	return ok(map[string]string{"status": word})
}

// setDate adds a time in the form of a JavaScript Date, or nothing when it is not known.
func setDate(out map[string]any, name string, t time.Time) {
	if !t.IsZero() {
		out[name] = t.UTC().Format("Mon Jan 02 2006 15:04:05") + " GMT+0000 (Coordinated Universal Time)"
	}
}
