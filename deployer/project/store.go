package project

import (
	"net/url"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/offline"
)

// Store says where users, credentials and tokens live: one of the names, or a Redis.
type Store struct {
	Kind  string `json:"-" short:"true"` // file or memory; empty when Redis is set
	Redis *Redis `json:"redis,omitempty"`
}

// Redis is the Redis of a release.
type Redis struct {
	// Mode is internal: egk8s runs one beside the gateway; or external: there is one.
	Mode string `json:"mode"`
	// URL of an external one: redis:// or rediss://, host:port, perhaps a user and the number of a database. Empty:
	// that of system.config.yml.
	URL string `json:"url,omitempty"`
	// Secret holds the password. An internal Redis without one gets a password that egk8s makes.
	Secret *SecretKey `json:"secret,omitempty"`
	// Image, Size and StorageClass are an internal one's.
	Image        string `json:"image,omitempty"`
	Size         string `json:"size,omitempty"`
	StorageClass string `json:"storageClass,omitempty"`
}

// The modes of a Redis.
const (
	RedisInternal = "internal"
	RedisExternal = "external"
)

// An internal Redis that the project says nothing of.
const (
	// DefaultRedisImage runs redis-server as user 999; the last series under the BSD licence.
	DefaultRedisImage = "docker.io/library/redis:7.2-alpine"
	DefaultRedisSize  = "1Gi"
	// RedisPort is that of its Service.
	RedisPort = 6379
	// RedisPasswordKey is the key of the Secret that egk8s makes.
	RedisPasswordKey = "password"
)

// InternalRedis is the Redis that runs beside the gateway, with its defaults; nil: there is none.
func (p *Project) InternalRedis() *Redis {
	r := p.Spec.Store.Redis
	if r == nil || r.Mode != RedisInternal {
		return nil
	}
	out := *r
	out.Image, out.Size = or(out.Image, DefaultRedisImage), or(out.Size, DefaultRedisSize)
	if out.Secret == nil {
		out.Secret = &SecretKey{Secret: p.RedisName(), Key: RedisPasswordKey}
	}
	return &out
}

// RedisName is the name of the objects of an internal Redis.
func (p *Project) RedisName() string { return p.Name + "-redis" }

// RedisPassword is where the gateway gets the password of its Redis from; nil: from the configuration, or there is none.
func (p *Project) RedisPassword() *SecretKey {
	if r := p.InternalRedis(); r != nil {
		return r.Secret
	}
	if r := p.Spec.Store.Redis; r != nil {
		return r.Secret
	}
	return nil
}

// storeSettings are the store as the gateway in the pod reads it.
func (p *Project) storeSettings() offline.StoreSettings {
	r := p.Spec.Store.Redis
	switch {
	case r == nil:
		return offline.StoreSettings{Kind: p.Spec.Store.Kind}
	case r.Mode == RedisInternal:
		u := url.URL{Scheme: "redis", Host: p.RedisName() + ":" + strconv.Itoa(RedisPort)}
		return offline.StoreSettings{Kind: StoreRedis, URL: u.String()}
	default:
		return offline.StoreSettings{Kind: StoreRedis, URL: r.URL}
	}
}

func (c *checker) store() {
	s := c.p.Spec.Store
	if s.Redis == nil {
		if s.Kind != StoreFile && s.Kind != StoreMemory {
			c.fail("spec.store", "store", "file, memory, or {redis: {mode: internal}}", "unknown store %q", s.Kind)
		}
		return
	}
	const at = "spec.store.redis"
	if c.p.Spec.Consumers != "" {
		c.fail("spec.consumers", "store-contradiction", "leave consumers out: egk8s users and egk8s credentials write to Redis; or leave store out",
			"consumers come from a file, and store is redis")
	}
	switch r := s.Redis; r.Mode {
	case RedisInternal:
		if r.URL != "" {
			c.fail(at+".url", "store-contradiction", "leave url out, or set mode: external", "an internal Redis has no url")
		}
		if r.Size != "" && !quantity.MatchString(r.Size) {
			c.fail(at+".size", "quantity", "as 1Gi", "%q is not a quantity", r.Size)
		}
		if len(c.p.RedisName()) > MaxName {
			c.fail("metadata.name", "name", "", "metadata.name has %d characters; with an internal Redis at most %d are possible",
				len(c.p.Name), MaxName-len("-redis"))
		}
	case RedisExternal:
		if r.Image != "" || r.Size != "" || r.StorageClass != "" {
			c.fail(at, "store-contradiction", "leave them out, or set mode: internal", "image, size and storageClass are an internal Redis's")
		}
		if r.URL != "" {
			c.redisURL(at+".url", r.URL)
		}
	default:
		c.fail(at+".mode", "store", "internal: egk8s runs one beside the gateway; external: there is one", "unknown mode %q", r.Mode)
	}
	if ref := s.Redis.Secret; ref != nil {
		c.secret(at+".secret", *ref)
	}
}

func (c *checker) redisURL(path, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
		c.fail(path, "redis-url", "as redis://redis.shared.svc:6379, or rediss:// with TLS", "this is not the URL of a Redis")
		return
	}
	if _, has := u.User.Password(); has {
		c.fail(path, "redis-url", "put it into a Secret: secret: {secret: NAME, key: KEY}", "the URL holds a password")
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if n, err := strconv.Atoi(db); err != nil || n < 0 {
			c.fail(path, "redis-url", "as redis://host:6379/0", "%q is no number of a database", db)
		}
	}
}
