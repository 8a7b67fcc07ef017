package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// SettingsName is the file in which egk8s writes its own settings, beside the user's files.
const SettingsName = "egk8s.settings.json"

// SettingsVersion is the apiVersion of SettingsName.
const SettingsVersion = "egk8s.dev/v1alpha1"

// Settings are what egk8s.yaml adds to the user's files for running in a pod. The deployer writes them,
// the gateway reads them; they are one file of the manifest, hence part of the digest.
type Settings struct {
	APIVersion string `json:"apiVersion"`
	// Upstreams replaces the URL or URLs of a service endpoint, by its name.
	Upstreams map[string]string `json:"upstreams,omitempty"`
	// TrustedProxies are the networks (CIDR) or addresses whose X-Forwarded-For and PROXY protocol count.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// Listen overrides the addresses of the user's file: effective only where the file has the section.
	Listen ListenAddresses `json:"listen,omitzero"`
	// TLS are certificates by SNI glob ("default" answers the rest); they replace entries of https.tls.
	TLS map[string]TLSFiles `json:"tls,omitempty"`
	// Store says where users and credentials live.
	Store StoreSettings `json:"store,omitzero"`
	// Drain is how the gateway ends, in seconds.
	Drain DrainSettings `json:"drain,omitzero"`
	// AccessLog says which requests are logged: "on", "errors" or "off"; empty: on.
	AccessLog string `json:"accessLog,omitempty"`
	// Limits bound what clients may send.
	Limits LimitSettings `json:"limits,omitzero"`
}

// ListenAddresses are host:port; empty ones leave the file's or the default address.
type ListenAddresses struct {
	HTTP    string `json:"http,omitempty"`
	HTTPS   string `json:"https,omitempty"`
	Admin   string `json:"admin,omitempty"`
	Status  string `json:"status,omitempty"`
	Metrics string `json:"metrics,omitempty"`
}

// TLSFiles are the files of one certificate; they are read again when they change.
type TLSFiles struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// The kinds of stores.
const (
	StoreFile   = "file"
	StoreMemory = "memory"
	StoreRedis  = "redis"
)

// StoreSettings say where users and credentials live. An empty Kind leaves the choice to system.config.yml.
type StoreSettings struct {
	Kind string `json:"kind,omitempty"`
	// Path is the consumers file of kind "file": absolute, or relative to the working directory.
	Path string `json:"path,omitempty"`
	// URL of kind "redis": redis:// or rediss://, without a password, which comes from EGK8S_REDIS_PASSWORD. Empty: the
	// Redis of system.config.yml.
	URL string `json:"url,omitempty"`
}

// DrainSettings are in seconds: the gateway serves on for Delay, then waits at most Timeout for requests in flight.
type DrainSettings struct {
	Delay   int `json:"delay,omitempty"`
	Timeout int `json:"timeout,omitempty"`
}

// LimitSettings bound what clients may send, and how long they may take for it, in bytes and seconds. What is
// 0 has its default.
type LimitSettings struct {
	HeaderBytes int   `json:"headerBytes,omitempty"`
	Headers     int   `json:"headers,omitempty"`
	TargetBytes int   `json:"targetBytes,omitempty"`
	BodyBytes   int64 `json:"bodyBytes,omitempty"`   // by default without bound
	Connections int   `json:"connections,omitempty"` // by default without bound
	Streams     int   `json:"streams,omitempty"`     // of one HTTP/2 connection

	HeaderTimeout int `json:"headerTimeout,omitempty"` // for a whole head
	BodyTimeout   int `json:"bodyTimeout,omitempty"`   // for the next part of a body
	IdleTimeout   int `json:"idleTimeout,omitempty"`   // between requests
	WriteTimeout  int `json:"writeTimeout,omitempty"`  // to take something of an answer
}

// Encode writes the settings as the gateway reads them: the same settings give the same bytes.
func (s Settings) Encode() ([]byte, error) {
	s.APIVersion = SettingsVersion
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("write %s: %w", SettingsName, err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("write %s: %w", SettingsName, err)
	}
	return b.Bytes(), nil
}

// ParseSettings reads what Encode wrote. An unknown key or version is an error:
// the file was made by a newer egk8s than this gateway.
func ParseSettings(text []byte) (Settings, error) {
	var s Settings
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("read %s: %w", SettingsName, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Settings{}, fmt.Errorf("read %s: more than one value", SettingsName)
	}
	if s.APIVersion != SettingsVersion {
		return Settings{}, fmt.Errorf("read %s: apiVersion is %q, this gateway knows %q", SettingsName, s.APIVersion, SettingsVersion)
	}
	if err := s.validate(); err != nil {
		return Settings{}, fmt.Errorf("read %s: %w", SettingsName, err)
	}
	return s, nil
}
