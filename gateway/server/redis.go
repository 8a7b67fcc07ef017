package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/store/redis"
)

// redisUnavailable is the code of the problem that Redis is away.
const redisUnavailable = "redis-unavailable"

// systemSection is an object of system.config.yml; nothing is as good as an empty one.
type systemSection map[string]any

func (s systemSection) section(name string) systemSection {
	m, _ := s[name].(map[string]any)
	return m
}

// text reads a text or a number.
func (s systemSection) text(name string) string {
	switch x := s[name].(type) {
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		return ""
	}
}

// openRedis keeps consumers and tokens in the Redis of the settings, or else of system.config.yml. It need not be there yet.
func openRedis(cfg *config.Config, models *consumer.Models, password string) (*consumers, error) {
	options, err := redisOptions(cfg.System.Raw, cfg.System.Namespace)
	if err == nil && cfg.Settings.Store.URL != "" {
		err = pointTo(&options, cfg.Settings.Store.URL)
	}
	if password != "" {
		options.Password = password
	}
	if err != nil {
		return nil, diag.Problems{{
			Code: "redis-settings", Severity: diag.Error, Position: diag.Position{File: "system.config.yml"}, Message: err.Error(),
		}}
	}
	store, err := redis.Open(options)
	if err != nil {
		return nil, err
	}
	service, err := consumer.New(store, consumer.Options{Models: models, BcryptCost: cfg.System.SaltRounds})
	if err != nil {
		return nil, fmt.Errorf("open consumers: %w", err)
	}
	return &consumers{
		service: service, tokens: store.Tokens(), watch: store.Watch, collect: store.WriteMetrics,
		reached: store.Reached, limits: store.Counters(),
		follow: func(_ context.Context, models *consumer.Models) error {
			service.SetModels(models)
			return nil
		},
		status: func() (string, diag.Problems) {
			problem := store.Problem()
			if problem == "" {
				return "", nil
			}
			return "", diag.Problems{{
				Code: redisUnavailable, Severity: diag.Warning, Position: diag.Position{File: "system.config.yml"},
				Message: "Redis at " + store.Where() + ": " + problem,
				Hint:    "consumers that are remembered go on; others get 503",
			}}
		},
	}, nil
}

// redisOptions reads db.redis and crypto as Express Gateway gives them to its Redis client.
func redisOptions(system systemSection, namespace string) (redis.Options, error) {
	db, crypto := system.section("db").section("redis"), system.section("crypto")
	o := redis.Options{
		Username: db.text("username"), Password: db.text("password"), Namespace: namespace,
		Master: db.text("name"), SentinelUsername: db.text("sentinelUsername"), SentinelPassword: db.text("sentinelPassword"),
		CipherKey: cmp.Or(crypto.text("cipherKey"), "sensitiveKey"),
	}
	if algorithm := cmp.Or(crypto.text("algorithm"), "aes256"); algorithm != "aes256" && algorithm != "aes-256-cbc" {
		return o, fmt.Errorf("crypto.algorithm %q is not known: tokens are encrypted with aes256", algorithm)
	}
	if text := db.text("db"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return o, fmt.Errorf("db.redis.db is no number of a database: %q", text)
		}
		o.DB = n
	}
	address := func(of systemSection, port string) string {
		return net.JoinHostPort(cmp.Or(of.text("host"), "localhost"), cmp.Or(of.text("port"), port))
	}
	if sentinels, _ := db["sentinels"].([]any); len(sentinels) > 0 && o.Master != "" {
		for _, one := range sentinels {
			m, _ := one.(map[string]any)
			o.Addresses = append(o.Addresses, address(m, "26379"))
		}
	} else {
		o.Master, o.Addresses = "", []string{cmp.Or(db.text("path"), address(db, "6379"))}
	}
	var err error
	o.TLS, err = redisTLS(db)
	return o, err
}

// pointTo makes the Redis of a URL the one to use. How its content is read stays.
func pointTo(o *redis.Options, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
		return errors.New("the store's url is not that of a Redis: redis://host:6379, or rediss:// with TLS")
	}
	o.Master, o.SentinelUsername, o.SentinelPassword = "", "", ""
	o.Addresses = []string{net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "6379"))}
	o.Username, o.DB = u.User.Username(), 0
	if db := strings.Trim(u.Path, "/"); db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return fmt.Errorf("the store's url names no database: %q", db)
		}
	}
	switch {
	case u.Scheme == "redis":
		o.TLS = nil
	case o.TLS == nil:
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	}
	return nil
}

// redisTLS reads db.redis.tls; nil: there is none. Files are relative to where the process runs, as EG's are.
func redisTLS(db systemSection) (*tls.Config, error) {
	if on, isBool := db["tls"].(bool); db["tls"] == nil || isBool && !on {
		return nil, nil
	}
	settings := db.section("tls")
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(settings.text("servername"), db.text("host"))}
	if file := settings.text("caFile"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("db.redis.tls.caFile: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("db.redis.tls.caFile: no certificate in %s", file)
		}
	}
	if cert, key := settings.text("certFile"), settings.text("keyFile"); cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("db.redis.tls.certFile, keyFile: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
