package config

import (
	"errors"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strconv"

	"egk8s.dev/egk8s/gateway/diag"
)

// loadSettings takes the settings of the options, else those of the folder.
func (l *loader) loadSettings() {
	if l.opts.Settings != nil {
		l.settings = l.opts.Settings
		if err := l.settings.validate(); err != nil {
			l.problem(diag.Problem{Code: "settings", Severity: diag.Error, Message: err.Error()})
		}
		return
	}
	content, err := l.files.ReadFile(SettingsName)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var settings Settings
	if err == nil {
		settings, err = ParseSettings(content)
	}
	if err != nil {
		l.problem(diag.Problem{Code: "settings", Severity: diag.Error, Position: diag.Position{File: SettingsName}, Message: err.Error()})
		return
	}
	l.settings = &settings
}

// settingsFile names where the settings came from; empty when the caller gave them.
func (l *loader) settingsFile() string {
	if l.opts.Settings != nil {
		return ""
	}
	return SettingsName
}

// applySettings moves the listeners and adds certificates. Upstreams were put in when the file was read.
func (l *loader) applySettings() {
	if l.settings == nil {
		return
	}
	l.cfg.Settings = *l.settings
	if l.cfg.HTTP != nil {
		l.cfg.HTTP.move(l.settings.Listen.HTTP)
	}
	if l.cfg.Admin != nil {
		l.cfg.Admin.move(l.settings.Listen.Admin)
	}
	if l.cfg.HTTPS == nil {
		if len(l.settings.TLS) > 0 {
			l.problem(diag.Problem{
				Code: "tls-without-https", Severity: diag.Error, Position: diag.Position{File: l.settingsFile()},
				Message: "certificates are given, but the gateway file has no https section", Hint: "add https with a port to gateway.config.yml",
			})
		}
		return
	}
	l.cfg.HTTPS.move(l.settings.Listen.HTTPS)
	for _, name := range slices.Sorted(maps.Keys(l.settings.TLS)) {
		cert := Certificate{Name: name, Key: l.settings.TLS[name].Key, Cert: l.settings.TLS[name].Cert}
		i := slices.IndexFunc(l.cfg.HTTPS.Certificates, func(c Certificate) bool { return c.Name == name })
		if i < 0 {
			l.cfg.HTTPS.Certificates = append(l.cfg.HTTPS.Certificates, cert)
			continue
		}
		cert.Pos, cert.CA = l.cfg.HTTPS.Certificates[i].Pos, l.cfg.HTTPS.Certificates[i].CA
		l.cfg.HTTPS.Certificates[i] = cert
	}
}

// move sets the address, when one is given.
func (ln *Listener) move(address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return // empty: stay; others were refused with the settings
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		ln.Host, ln.Port = host, int(n)
	}
}
