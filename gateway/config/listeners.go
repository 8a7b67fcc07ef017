package config

import (
	"fmt"
	"math"

	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// listeners reads http, https and admin.
func (l *loader) listeners(t *tree) {
	if c, ok := t.top().get("http"); ok && truthy(c.value) {
		listener := l.listener(t, c, "http")
		l.cfg.HTTP = &listener
	}
	if c, ok := t.top().get("https"); ok && truthy(c.value) {
		l.https(t, c)
	}
	// EG: no admin section, no Admin API; a section without a port gets 9876 by the schema.
	if c, ok := t.top().get("admin"); ok && truthy(c.value) {
		listener := l.listener(t, c, "admin")
		l.cfg.Admin = &listener
	}
}

// listener reads port and bind address. Without a port the system picks one, as Node does.
func (l *loader) listener(t *tree, c child, section string) Listener {
	out := Listener{Pos: t.childSpot(c).Position}
	if port, ok := c.get("port"); ok {
		out.Pos = t.childSpot(port).Position
		out.Port = l.port(t, port, section)
	}
	if host, ok := c.get("host"); ok {
		if section == "admin" {
			out.Host = text(host.value)
		} else {
			l.report(t.childSpot(host), diag.Warning, diag.Problem{
				Code: "ignored-key", Message: section + ".host has no effect: Express Gateway reads hostname",
				Suggestion: "hostname", Label: "ignored",
			})
		}
	}
	if hostname, ok := c.get("hostname"); ok && truthy(hostname.value) {
		out.Host = text(hostname.value)
		if section == "admin" {
			l.report(t.childSpot(hostname), diag.Warning, diag.Problem{
				Code: "deprecated-key", Message: "admin.hostname is deprecated", Suggestion: "host",
			})
		}
	}
	return out
}

func (l *loader) port(t *tree, c child, section string) int {
	port, ok := c.value.(float64)
	if !ok {
		return 0 // unknown outside of the pod, or already reported
	}
	if port != math.Trunc(port) || port < 0 || port > math.MaxUint16 {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{Code: "invalid-value", Message: section + ".port must be a whole number from 0 to 65535"})
		return 0
	}
	return int(port)
}

// pairOrItem is the place of an element's value.
func (t *tree) pairOrItem(c child) spot {
	if c.pair != nil {
		return t.pairSpot(c.pair)
	}
	return t.valueSpot(c.node)
}

func (l *loader) https(t *tree, c child) {
	tls, ok := c.get("tls")
	if !ok || !truthy(tls.value) {
		if l.settings == nil || len(l.settings.TLS) == 0 {
			l.report(t.childSpot(c), diag.Warning, diag.Problem{
				Code: "https-without-tls", Message: "https has no tls, so nothing listens on its port",
				Hint: "name certificates in https.tls, or take the section out",
			})
			return
		}
	}
	out := &TLSListener{Listener: l.listener(t, c, "https")}
	if options, ok := c.get("options"); ok {
		out.Options, _ = options.value.(map[string]any)
	}
	for _, entry := range children(tls.node, tls.value) {
		cert := Certificate{Name: entry.name, Pos: t.childSpot(entry).Position}
		cert.Key = l.certificateFile(t, entry, "key")
		cert.Cert = l.certificateFile(t, entry, "cert")
		if ca, ok := entry.get("ca"); ok {
			cert.CA = texts(ca.value)
		}
		out.Certificates = append(out.Certificates, cert)
	}
	l.cfg.HTTPS = out
}

// certificateFile reads key or cert; the reference stops at start without it, though its schema lets it pass.
func (l *loader) certificateFile(t *tree, entry child, name string) string {
	file, ok := entry.get(name)
	if _, replaced := l.settingsTLS(entry.name); replaced {
		return text(file.value)
	}
	if !ok || !truthy(file.value) {
		l.report(t.childSpot(entry), diag.Error, diag.Problem{
			Code: "missing-key", Message: fmt.Sprintf("https.tls.%s needs %q, the path of a PEM file", entry.name, name),
		})
	}
	return text(file.value)
}

func (l *loader) settingsTLS(name string) (TLSFiles, bool) {
	if l.settings == nil {
		return TLSFiles{}, false
	}
	files, ok := l.settings.TLS[name]
	return files, ok
}

// text is a scalar as a string; a value that is only known in the pod as it was written.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return schema.FormatNumber(v)
	case bool:
		return fmt.Sprint(v)
	case schema.Unknown:
		return v.Text
	default:
		return ""
	}
}

// texts is a scalar or a list of scalars as strings.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return nil
		}
		return []string{text(v)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = text(e)
	}
	return out
}

// known tells whether a value is known here.
func known(v any) bool {
	_, unknown := v.(schema.Unknown)
	return !unknown
}
