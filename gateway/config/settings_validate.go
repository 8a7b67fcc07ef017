package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

func (s Settings) validate() error {
	for _, name := range slices.Sorted(maps.Keys(s.Upstreams)) {
		if err := CheckUpstream(s.Upstreams[name]); err != nil {
			return fmt.Errorf("upstream %q: %w", name, err)
		}
	}
	for _, p := range s.TrustedProxies {
		if err := checkProxy(p); err != nil {
			return err
		}
	}
	if err := s.Listen.validate(); err != nil {
		return err
	}
	for name, files := range s.TLS {
		if files.Cert == "" || files.Key == "" {
			return fmt.Errorf("certificate %q: it needs cert and key", name)
		}
	}
	switch s.Store.Kind {
	case "", StoreFile, StoreMemory, StoreRedis:
	default:
		return fmt.Errorf("store %q: it must be %q, %q or %q", s.Store.Kind, StoreFile, StoreMemory, StoreRedis)
	}
	if err := s.Store.checkURL(); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "on", "errors", "off"}, s.AccessLog) {
		return fmt.Errorf("accessLog %q: it must be on, errors or off", s.AccessLog)
	}
	if n := s.Limits; min(n.HeaderBytes, n.Headers, n.TargetBytes, n.Connections, n.Streams,
		n.HeaderTimeout, n.BodyTimeout, n.IdleTimeout, n.WriteTimeout) < 0 || n.BodyBytes < 0 {
		return errors.New("limits cannot be negative")
	}
	if s.Drain.Delay < 0 || s.Drain.Timeout < 0 {
		return errors.New("drain: seconds cannot be negative")
	}
	return nil
}

// checkURL tells whether the URL is that of a Redis. It never quotes it: somebody may have put a password there.
func (s StoreSettings) checkURL() error {
	if s.URL == "" {
		return nil
	}
	u, err := url.Parse(s.URL)
	switch {
	case s.Kind != StoreRedis:
		return errors.New("store: url is for the kind redis")
	case err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss":
		return errors.New("store: the url is not that of a Redis: it must begin with redis:// or rediss:// and name a host")
	}
	if _, has := u.User.Password(); has {
		return errors.New("store: the url holds a secret, which belongs into the environment")
	}
	return nil
}

func (l ListenAddresses) validate() error {
	for _, address := range []string{l.HTTP, l.HTTPS, l.Admin, l.Status, l.Metrics} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("listen address %q: it must be host:port", address)
		}
	}
	return nil
}

// CheckUpstream tells whether a URL can replace a service endpoint's: http or https, with a host. It never quotes the URL's user or password.
func CheckUpstream(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("it must begin with http:// or https://")
	case u.Host == "":
		return errors.New("it names no host")
	default:
		return nil
	}
}

func checkProxy(p string) error {
	if _, err := netip.ParsePrefix(p); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(p); err == nil {
		return nil
	}
	return fmt.Errorf("trusted proxy %q: it must be a network such as 10.0.0.0/8, or an address", p)
}
