package server

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/store/redis"
)

func TestRedisOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		db, crypto map[string]any
		want       redis.Options
		fails      bool
	}{
		"nothing": {want: redis.Options{Addresses: []string{"localhost:6379"}, CipherKey: "sensitiveKey"}},
		"all": {
			db:     map[string]any{"host": "r", "port": 7000.0, "username": "u", "password": "p", "db": 3.0},
			crypto: map[string]any{"cipherKey": "c"},
			want:   redis.Options{Addresses: []string{"r:7000"}, Username: "u", Password: "p", DB: 3, CipherKey: "c"},
		},
		"port as text": {db: map[string]any{"port": "7000"}, want: redis.Options{Addresses: []string{"localhost:7000"}, CipherKey: "sensitiveKey"}},
		"sentinels": {
			db:   map[string]any{"name": "m", "sentinels": []any{map[string]any{"host": "s1"}, map[string]any{"host": "s2", "port": 1.0}}},
			want: redis.Options{Addresses: []string{"s1:26379", "s2:1"}, Master: "m", CipherKey: "sensitiveKey"},
		},
		"socket":         {db: map[string]any{"path": "/s"}, want: redis.Options{Addresses: []string{"/s"}, CipherKey: "sensitiveKey"}},
		"no number":      {db: map[string]any{"db": "x"}, fails: true},
		"other cipher":   {crypto: map[string]any{"algorithm": "des"}, fails: true},
		"no CA file":     {db: map[string]any{"tls": map[string]any{"caFile": "missing.pem"}}, fails: true},
		"no certificate": {db: map[string]any{"tls": map[string]any{"certFile": "missing.pem"}}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.want.Namespace = "EG"
			got, err := redisOptions(systemSection{"db": map[string]any{"redis": tt.db}, "crypto": tt.crypto}, "EG")
			if (err != nil) != tt.fails {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); !tt.fails && diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
