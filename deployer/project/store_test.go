package project_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

func TestStore(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in, want string
		settings offline.StoreSettings
		password *project.SecretKey
	}{
		"by default": {in: "", settings: offline.StoreSettings{Kind: "file"}},
		"memory":     {in: "store: memory\n  replicas: 1", settings: offline.StoreSettings{Kind: "memory"}},
		"unknown":    {in: "store: etcd", want: `egk8s.yaml:5:10: unknown store "etcd"`},
		"internal": {
			in:       "store: {redis: {mode: internal}}",
			settings: offline.StoreSettings{Kind: "redis", URL: "redis://shop-redis:6379"},
			password: &project.SecretKey{Secret: "shop-redis", Key: "password"},
		},
		"internal with a Secret": {
			in:       "store: {redis: {mode: internal, secret: {secret: s, key: k}, image: i, size: 5Gi, storageClass: fast}}",
			settings: offline.StoreSettings{Kind: "redis", URL: "redis://shop-redis:6379"},
			password: &project.SecretKey{Secret: "s", Key: "k"},
		},
		"external": {
			in:       "store: {redis: {mode: external, url: 'rediss://user@redis.shared:6380/2', secret: {secret: s, key: k}}}",
			settings: offline.StoreSettings{Kind: "redis", URL: "rediss://user@redis.shared:6380/2"},
			password: &project.SecretKey{Secret: "s", Key: "k"},
		},
		"external of the configuration": {in: "store: {redis: {mode: external}}", settings: offline.StoreSettings{Kind: "redis"}},
		"no mode":                       {in: "store: {redis: {}}", want: `egk8s.yaml:5:18: unknown mode ""`},
		"internal with a url": {
			in: "store: {redis: {mode: internal, url: 'redis://r'}}", want: `egk8s.yaml:5:40: an internal Redis has no url`,
		},
		"external with a size": {
			in: "store: {redis: {mode: external, size: 1Gi}}", want: `egk8s.yaml:5:18: image, size and storageClass are an internal Redis's`,
		},
		"no quantity": {in: "store: {redis: {mode: internal, size: big}}", want: `egk8s.yaml:5:41: "big" is not a quantity`},
		"a password in the url": {
			in: "store: {redis: {mode: external, url: 'redis://u:p@r'}}", want: `egk8s.yaml:5:40: the URL holds a password`,
		},
		"no Redis":    {in: "store: {redis: {mode: external, url: 'http://r'}}", want: `egk8s.yaml:5:40: this is not the URL of a Redis`},
		"no database": {in: "store: {redis: {mode: external, url: 'redis://r/x'}}", want: `egk8s.yaml:5:40: "x" is no number of a database`},
		"consumers": {
			in: "store: {redis: {mode: internal}}\n  consumers: config/c.yml", want: `egk8s.yaml:6:14: consumers come from a file, and store is redis`,
		},
		"a Secret without key": {
			in: "store: {redis: {mode: internal, secret: {secret: s}}}", want: "egk8s.yaml:5:43: the key of the Secret is missing",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := "spec:\n  " + tt.in + "\n"
			if tt.in == "" {
				spec = ""
			}
			p, problems := parse(t, head+spec, project.Options{})
			if tt.want != "" {
				if len(problems) != 1 || problems[0] != tt.want {
					t.Errorf("problems %v, want %s", problems, tt.want)
				}
				return
			}
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(tt.settings, p.Settings(nil).Store); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.password, p.RedisPassword()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
