package config

import (
	"egk8s.dev/egk8s/gateway/diag"
)

// system reads what egk8s uses of the system file.
func (l *loader) system(t *tree) {
	top := t.top()
	out := &l.cfg.System
	out.Raw, _ = t.value.(map[string]any)
	out.Namespace, out.SaltRounds = "EG", 10
	db, _ := top.get("db")
	if redis, ok := db.get("redis"); ok {
		if emulate, ok := redis.get("emulate"); ok {
			out.RedisEmulate, _ = emulate.value.(bool)
		}
		if namespace, ok := redis.get("namespace"); ok {
			out.Namespace = text(namespace.value)
		}
		out.RedisHost = redisHost(redis)
	}
	crypto, _ := top.get("crypto")
	if rounds, ok := crypto.get("saltRounds"); ok {
		if n, isNumber := rounds.value.(float64); isNumber && n >= 1 {
			out.SaltRounds = int(n)
		}
	}
	l.oauth2(t)
	plugins, ok := top.get("plugins")
	if !ok {
		return
	}
	for _, p := range children(plugins.node, plugins.value) {
		out.Plugins = append(out.Plugins, p.name)
		if p.name == "rewrite" || p.name == "express-gateway-plugin-rewrite" {
			continue // built in
		}
		l.report(t.childSpot(p), diag.Warning, diag.Problem{
			Code: "plugin-not-loaded", Message: "plugin \"" + p.name + "\" is not loaded: Express Gateway's plugins are JavaScript",
			Label: "ignored",
		})
	}
}

// redisHost names the Redis of the file: its host, the first sentinel, or nothing.
func redisHost(redis child) string {
	if host, ok := redis.get("host"); ok && truthy(host.value) {
		return text(host.value)
	}
	if sentinels, ok := redis.get("sentinels"); ok {
		for _, s := range children(sentinels.node, sentinels.value) {
			if host, ok := s.get("host"); ok && truthy(host.value) {
				return text(host.value)
			}
		}
	}
	return ""
}
