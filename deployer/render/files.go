package render

import (
	"encoding/base64"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

// Files returns the configuration files that config objects hold, as the manifest among them lists them. Without
// a manifest there are none; a file whose object is missing is left out.
func Files(objects []*unstructured.Unstructured) ([]project.File, error) {
	secrets := map[string]*unstructured.Unstructured{}
	var config *unstructured.Unstructured
	for _, u := range objects {
		_, listed, _ := unstructured.NestedString(u.Object, "binaryData", offline.ManifestName)
		switch {
		case u.GetKind() == "Secret":
			secrets[u.GetName()] = u
		case listed:
			config = u
		}
	}
	if config == nil {
		return nil, nil
	}
	manifest, err := content(config, "binaryData", offline.ManifestName)
	if err != nil {
		return nil, err
	}
	entries, err := offline.Entries(manifest)
	if err != nil {
		return nil, fmt.Errorf("read config of %s: %w", config.GetName(), err)
	}
	var files []project.File
	for _, e := range entries {
		from, field := config, "binaryData"
		if e.Secret != "" {
			from, field = secrets[e.Secret], "data"
		}
		if from == nil {
			continue
		}
		data, err := content(from, field, key(e.Path))
		if err != nil {
			return nil, err
		}
		files = append(files, project.File{Path: e.Path, Data: data, Secret: e.Secret != ""})
	}
	return files, nil
}

func content(u *unstructured.Unstructured, field, key string) ([]byte, error) {
	text, _, err := unstructured.NestedString(u.Object, field, key)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", u.GetKind(), u.GetName(), err)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s/%s: %w", key, u.GetKind(), u.GetName(), err)
	}
	return data, nil
}
