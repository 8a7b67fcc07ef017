package render

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// shown is how many digits of a digest a name shows.
const shown = 10

// fixedSalt names Secrets in output that holds their content in the clear.
const fixedSalt = "egk8s render"

// NewSalt returns 16 random bytes.
func NewSalt() []byte {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: the runtime ends the program instead
	return salt
}

// makeConfig makes the config objects, and the names that the chart gets.
func (r *Rendered) makeConfig(in Input) error {
	settings, err := in.Project.Settings(in.Report).Encode()
	if err != nil {
		return fmt.Errorf("render settings: %w", err)
	}
	files := append([]project.File{{Path: offline.SettingsName, Data: settings}}, in.Files.Config...)
	if problems := checkKeys(files); len(problems) > 0 {
		return problems
	}
	public, secret := map[string]any{}, map[string]any{}
	for _, f := range files {
		if f.Secret {
			secret[key(f.Path)] = base64.StdEncoding.EncodeToString(f.Data)
			continue
		}
		public[key(f.Path)] = base64.StdEncoding.EncodeToString(f.Data)
	}
	salt := in.Salt
	if len(salt) == 0 {
		salt = []byte(fixedSalt)
	}
	if len(secret) > 0 {
		r.Names.Secret = in.Project.Name + "-secret-" + keyedDigest(salt, files)[:shown]
		secret[SaltKey] = base64.StdEncoding.EncodeToString(salt)
	}
	if r.Manifest, r.Digest, err = offline.Manifest(entries(files, r.Names.Secret)); err != nil {
		return fmt.Errorf("render config: %w", err)
	}
	r.Names.ConfigMap = in.Project.Name + "-config-" + r.Digest[:shown]
	public[offline.ManifestName] = base64.StdEncoding.EncodeToString(r.Manifest)
	r.Config = append(r.Config, object(in, "ConfigMap", r.Names.ConfigMap, RoleConfig, map[string]any{
		"immutable": true, "binaryData": public,
	}))
	if r.Names.Secret != "" {
		r.Config = append(r.Config, object(in, "Secret", r.Names.Secret, RoleSecret, map[string]any{
			"immutable": true, "type": "Opaque", "data": secret,
		}))
	}
	if c := in.Files.Consumers; c != nil {
		r.Names.ConsumersSecret = in.Project.Name + "-consumers"
		r.Config = append(r.Config, object(in, "Secret", r.Names.ConsumersSecret, RoleConsumers, map[string]any{
			"type": "Opaque", "data": map[string]any{c.Path: base64.StdEncoding.EncodeToString(c.Data)},
		}))
	}
	r.makeRedisSecret(in)
	return nil
}

func entries(files []project.File, secret string) []offline.Entry {
	list := make([]offline.Entry, 0, len(files))
	for _, f := range files {
		if f.Secret {
			list = append(list, offline.SecretFile(f.Path, f.Data, secret))
			continue
		}
		list = append(list, offline.File(f.Path, f.Data))
	}
	return list
}

// keyedDigest names the secret files: equal contents give the equal name, and without the salt nothing
// can be guessed from it.
func keyedDigest(salt []byte, files []project.File) string {
	mac := hmac.New(sha256.New, salt)
	for _, f := range files {
		if f.Secret {
			_, _ = fmt.Fprintf(mac, "%s\x00%d\x00", f.Path, len(f.Data))
			mac.Write(f.Data)
		}
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// key is the name of a file in a ConfigMap or Secret, whose keys cannot have a slash.
func key(path string) string { return strings.ReplaceAll(path, "/", "__") }

var validKey = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

// checkKeys refuses paths that no key can stand for, or two paths for which one key would stand.
func checkKeys(files []project.File) diag.Problems {
	var problems diag.Problems
	seen := map[string]string{key(offline.ManifestName): offline.ManifestName, SaltKey: SaltKey}
	for _, f := range files {
		k := key(f.Path)
		problem := diag.Problem{
			Code: "file-name", Severity: diag.Error, Position: diag.Position{File: f.Path}, Hint: "rename the file",
		}
		if !validKey.MatchString(k) {
			problem.Message = "the file's name has characters that a Kubernetes object cannot hold: letters, digits, - . _ and / are possible"
			problems = append(problems, problem)
			continue
		}
		if other, twice := seen[k]; twice {
			problem.Message = fmt.Sprintf("the files %s and %s would have the same key in a Kubernetes object", other, f.Path)
			problems = append(problems, problem)
		}
		seen[k] = f.Path
	}
	return problems
}

func object(in Input, kind, name, role string, content map[string]any) *unstructured.Unstructured {
	labels := map[string]any{ConfigLabel: role}
	for k, v := range in.Project.Spec.Labels {
		labels[k] = v
	}
	for k, v := range CommonLabels(in.Project.Name, in.Version) {
		labels[k] = v
	}
	if role != RoleConsumers && role != RoleRedis {
		delete(labels, "app.kubernetes.io/version") // named by its content: another version must not change it
	}
	content["apiVersion"], content["kind"] = "v1", kind
	content["metadata"] = map[string]any{"name": name, "labels": labels}
	return &unstructured.Unstructured{Object: content}
}
