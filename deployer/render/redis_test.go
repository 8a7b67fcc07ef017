package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/render"
)

func withRedis(in render.Input, r project.Redis) render.Input {
	p := *in.Project
	p.Spec.Store = project.Store{Redis: &r}
	p.Spec.Consumers = ""
	in.Project, in.Files.Consumers = &p, nil
	return in
}

// TestInternalRedis: a Redis with its volume, whose password stands in one Secret and nowhere else.
func TestInternalRedis(t *testing.T) {
	t.Parallel()
	in := withRedis(newTestInput(t, "generic"), project.Redis{Mode: project.RedisInternal, Image: "registry.example.com/redis:7", StorageClass: "fast"})
	r, again := mustRender(t, in), mustRender(t, in)
	secret := find(t, r.Config, "Secret", "shop-redis")
	password, _ := secret["data"].(map[string]any)["password"].(string)
	if len(password) < 64 || cmp.Diff(secret, find(t, again.Config, "Secret", "shop-redis")) != "" {
		t.Errorf("password %q, want a long one that stays", password)
	}
	in.Salt = []byte("another salt....")
	if other := find(t, mustRender(t, in).Config, "Secret", "shop-redis"); cmp.Diff(secret, other) == "" {
		t.Error("another release has the same password")
	}
	values, err := json.Marshal(r.Values)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.YAML, password) || strings.Contains(string(values), password) {
		t.Error("the record shows the password")
	}
	claim := find(t, r.Objects, "PersistentVolumeClaim", "shop-redis")
	if spec := claim["spec"].(map[string]any); spec["storageClassName"] != "fast" {
		t.Errorf("claim %v", spec)
	}
	find(t, r.Objects, "Service", "shop-redis")
	find(t, r.Objects, "PodDisruptionBudget", "shop-redis")
	text, err := json.Marshal(find(t, r.Objects, "Deployment", "shop-redis"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"image":"registry.example.com/redis:7"`, `"claimName":"shop-redis"`, `$(REDIS_PASSWORD)`, `"type":"Recreate"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Deployment has no %s\n%s", want, text)
		}
	}
	if selector := `"app.kubernetes.io/name":"egk8s-gateway","app.kubernetes.io/part-of"`; strings.Contains(string(text), `"selector":{"matchLabels":{"app.kubernetes.io/instance":"shop",`+selector) {
		t.Error("the gateway's Service selects the Redis")
	}
	gateway, err := json.Marshal(find(t, r.Objects, "Deployment", "shop"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"EGK8S_REDIS_PASSWORD","valueFrom":{"secretKeyRef":{"key":"password","name":"shop-redis"}}}`; !strings.Contains(string(gateway), want) {
		t.Errorf("the gateway does not get the password\n%s", gateway)
	}
}

// TestRedisWithoutSalt: what is rendered without a cluster holds no password that everybody can work out.
func TestRedisWithoutSalt(t *testing.T) {
	t.Parallel()
	in := withRedis(newTestInput(t, "generic"), project.Redis{Mode: project.RedisInternal})
	in.Salt = nil
	for _, o := range mustRender(t, in).Config {
		if o.GetKind() == "Secret" && o.GetName() == "shop-redis" {
			t.Error("there is a password")
		}
	}
}

func TestExternalRedis(t *testing.T) {
	t.Parallel()
	in := withRedis(newTestInput(t, "generic"), project.Redis{
		Mode: project.RedisExternal, URL: "redis://redis.shared", Secret: &project.SecretKey{Secret: "shared", Key: "pw"},
	})
	r := mustRender(t, in)
	for _, o := range r.Objects {
		if strings.HasSuffix(o.GetName(), "-redis") {
			t.Errorf("%s/%s: there is a Redis already", o.GetKind(), o.GetName())
		}
	}
	gateway, err := json.Marshal(find(t, r.Objects, "Deployment", "shop"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(gateway), `"secretKeyRef":{"key":"pw","name":"shared"}`) {
		t.Errorf("the gateway does not get the password\n%s", gateway)
	}
}

// TestPlainHelmRedis: with helm alone the Secret is the user's.
func TestPlainHelmRedis(t *testing.T) {
	t.Parallel()
	if _, err := helmTemplate(t, "shop", plainValues+"\nredis: {enabled: true}\n"); err == nil || !strings.Contains(err.Error(), "redis.secret") {
		t.Errorf("without a Secret: %v", err)
	}
	objects, err := helmTemplate(t, "shop", plainValues+"\nredis: {enabled: true, secret: mine, user: 0}\n")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(find(t, objects, "Deployment", "shop-redis"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "runAsUser") || strings.Contains(string(text), "fsGroup") {
		t.Errorf("user 0 leaves the choice to the platform\n%s", text)
	}
}
