package oauth2

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"

	"egk8s.dev/egk8s/gateway/message"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed pages/style.css
var style string

//go:embed pages/icon.svg
var icon string

func parsePages() (*template.Template, error) {
	pages, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	return pages, nil
}

// page sends a page that only the user sees: kept nowhere, shown in no frame, without scripts.
func (s *Server) page(x *message.Exchange, name, formTargets string, data any) error {
	return s.render(x, 200, name, formTargets, data)
}

// problem sends a page that says what is wrong.
func (s *Server) problem(x *message.Exchange, status int, text string) error {
	return s.render(x, status, "problem", "'none'", text)
}

func (s *Server) render(x *message.Exchange, status int, name, formTargets string, data any) error {
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name+".html", data); err != nil {
		return fmt.Errorf("show page: %w", err)
	}
	noStore(x)
	h := x.Response.Header
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "+
		"frame-ancestors 'none'; form-action "+formTargets)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer a browser would send the form with Origin: null
	x.Response.SendHTML(status, body.String())
	return nil
}

// file answers with a file that is part of the program.
func file(contentType, body string) Handler {
	return func(_ context.Context, x *message.Exchange) error {
		x.Response.Header.Set("Cache-Control", "public, max-age=3600")
		x.Response.Header.Set("X-Content-Type-Options", "nosniff")
		x.Response.Send(200, contentType, body)
		return nil
	}
}
