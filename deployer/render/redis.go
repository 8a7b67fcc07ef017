package render

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"egk8s.dev/egk8s/deployer/project"
)

// makeRedisSecret makes the password of an internal Redis out of the salt, which stays the same from deploy to
// deploy and stands nowhere but in Secrets. Without a salt of its own the output would hold a password that
// everybody can work out, so there is none then: who applies such output makes the Secret.
func (r *Rendered) makeRedisSecret(in Input) {
	redis := in.Project.InternalRedis()
	if redis == nil || in.Project.Spec.Store.Redis.Secret != nil || len(in.Salt) == 0 {
		return
	}
	mac := hmac.New(sha256.New, in.Salt)
	mac.Write([]byte("password of " + in.Namespace + "/" + redis.Secret.Secret))
	password := hex.EncodeToString(mac.Sum(nil))
	r.Names.RedisSecret = redis.Secret.Secret
	r.Config = append(r.Config, object(in, "Secret", redis.Secret.Secret, RoleRedis, map[string]any{
		"type": "Opaque", "data": map[string]any{project.RedisPasswordKey: base64.StdEncoding.EncodeToString([]byte(password))},
	}))
}

// redisValues are the chart's for the Redis of a release.
func redisValues(p *project.Project) map[string]any {
	out := map[string]any{"enabled": false}
	if ref := p.RedisPassword(); ref != nil {
		out["secret"], out["key"] = ref.Secret, ref.Key
	}
	if redis := p.InternalRedis(); redis != nil {
		out["enabled"], out["image"], out["size"], out["storageClass"] = true, redis.Image, redis.Size, redis.StorageClass
	}
	return out
}

// RedisName is the name of the Redis of a release: of its Deployment, Service, volume claim and Secret.
func RedisName(release string) string { return release + "-redis" }

// RedisLabels select the pods of the Redis of a release.
func RedisLabels(release string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": "egk8s-redis", "app.kubernetes.io/instance": release}
}
