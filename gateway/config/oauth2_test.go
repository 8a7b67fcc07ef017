package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
)

func TestOAuth2Settings(t *testing.T) {
	t.Parallel()
	defaults := config.OAuth2{AccessLife: 12 * time.Minute, RefreshLife: 12 * time.Minute, CodeLife: 5 * time.Minute}
	for name, tt := range map[string]struct {
		system   string
		change   func(*config.OAuth2)
		warnings int
	}{
		"defaults": {},
		"lives": {
			system: "accessTokens: {timeToExpiry: 1000}\nrefreshTokens: {timeToExpiry: '2500'}\nauthorizationCodes: {timeToExpiry: 3}\n",
			change: func(o *config.OAuth2) {
				o.AccessLife, o.RefreshLife, o.CodeLife = time.Second, 2500*time.Millisecond, 3*time.Millisecond
			},
		},
		"a life that no clock holds": {
			system: "accessTokens: {timeToExpiry: 1e300}\nrefreshTokens: {timeToExpiry: -1}\n", change: func(*config.OAuth2) {},
		},
		"session": {
			system: "session: {secret: [a, '', b], name: sid, cookie: {maxAge: 5000, secure: true}}\n",
			change: func(o *config.OAuth2) {
				o.SessionSecrets, o.SessionCookie, o.SessionLife, o.SecureCookie = []string{"a", "b"}, "sid", 5*time.Second, true
			},
		},
		"one secret": {
			system: "session: {secret: keyboard cat, resave: false}\n",
			change: func(o *config.OAuth2) { o.SessionSecrets = []string{"keyboard cat"} },
		},
		"jwt": {
			system: "accessTokens: {tokenType: jwt, issuer: eg, audience: [a, b], subject: s, secretOrPrivateKey: k}\n",
			change: func(o *config.OAuth2) {
				o.JWT = &config.JWTTokens{Issuer: "eg", Audience: []string{"a", "b"}, Subject: "s", Algorithm: "HS256", Secret: "k"}
			},
		},
		"jwt without half of it": {
			system: "accessTokens: {tokenType: jwt, issuer: eg, algorithm: RS256, secretOrPrivateKeyFile: k.pem}\n",
			change: func(o *config.OAuth2) {
				o.JWT = &config.JWTTokens{Issuer: "eg", Algorithm: "RS256", SecretFile: "k.pem"}
			},
			warnings: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{
				"gateway.config.yml": "policies: []\n", "system.config.yml": "db: {redis: {emulate: true}}\n" + tt.system,
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg, problems := config.Inspect(dir, config.Options{})
			want := defaults
			if tt.change != nil {
				tt.change(&want)
			}
			if diff := cmp.Diff(want, cfg.System.OAuth2); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			found := 0
			for _, p := range problems {
				if p.Code == "jwt-tokens-incomplete" {
					found++
				}
			}
			if found != tt.warnings {
				t.Errorf("%d warnings, want %d: %v", found, tt.warnings, problems)
			}
		})
	}
}
