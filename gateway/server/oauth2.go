package server

import (
	"fmt"
	"slices"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/oauth2"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// openOAuth2 makes the authorization server. It lives as long as the process: tokens and sessions outlive a
// reload, and EG reads system.config.yml once, too. Tokens stay in the memory of the process, also where
// users and credentials come from a file, unless they are in Redis.
func (g *Gateway) openOAuth2(cfg *config.Config) error {
	settings := cfg.System.OAuth2
	store := g.consumers.tokens
	if store == nil {
		store = memory.NewTokens(0)
	}
	g.tokens = consumer.NewTokens(g.consumers.service, store, consumer.TokenLife{
		Access: settings.AccessLife, Refresh: settings.RefreshLife, Code: settings.CodeLife,
	})
	var err error
	g.oauth2, err = oauth2.New(oauth2.Options{
		Consumers: g.consumers.service, Tokens: g.tokens, Settings: settings, Log: g.log,
	})
	if err != nil {
		return fmt.Errorf("open authorization server: %w", err)
	}
	return nil
}

// warnOAuth2 says, once, what does not work as it stands, as soon as a configuration lists the policy.
func (g *Gateway) warnOAuth2(cfg *config.Config) {
	if g.oauth2 == nil || !slices.Contains(cfg.Policies, "oauth2") {
		return
	}
	g.oauth2Warned.Do(func() {
		for _, warning := range g.oauth2.Warnings() {
			g.log.Warn("oauth2: " + warning)
		}
		if g.env.pod() && g.consumers.tokens == nil {
			g.log.Warn("oauth2: tokens and codes are known to this replica only; run one, or use access tokens of type jwt and no codes")
		}
	})
}
