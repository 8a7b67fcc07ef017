package migrate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// around is what stands beside the config folder and tells how Express Gateway was run.
type around struct {
	compose    []composeService
	objects    []object
	plugins    []string // packages of package.json that are plugins, sorted
	dockerfile *dockerfile
	env        []variables // the nearest to a cluster first
	unread     []unread
}

// variables are those that one file gives to the gateway.
type variables struct {
	file    string
	values  map[string]string
	secrets map[string][2]string // NAME -> Secret and key
}

// unread is a file that could not be read.
type unread struct{ file, why string }

// object is one Kubernetes object of a manifest.
type object struct {
	file, kind, name string
	content          map[string]any
}

// dockerfile is what a Dockerfile says of the image.
type dockerfile struct {
	file, base string
	env        map[string]string
	exposes    []string
}

const maxBeside = 1 << 20

// lookAround reads the files beside the config folder. A file that is not what its name says is told of, and no error.
func lookAround(root string) (*around, error) {
	a := &around{}
	a.packageJSON(root)
	if err := a.manifests(root); err != nil {
		return nil, err
	}
	for _, o := range a.objects {
		if v, ok := gatewayEnv(o); ok {
			a.env = append(a.env, v)
		}
	}
	a.readCompose(root)
	a.readDockerfile(root)
	a.dotEnv(root)
	return a, nil
}

func (a *around) read(root, name string) ([]byte, bool) {
	file := filepath.Join(root, name)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBeside {
		a.unread = append(a.unread, unread{name, "it is no file of at most 1 MiB"})
		return nil, false
	}
	data, err := os.ReadFile(file)
	if err != nil {
		a.unread = append(a.unread, unread{name, "it cannot be read"})
	}
	return data, err == nil
}

func (a *around) packageJSON(root string) {
	data, ok := a.read(root, "package.json")
	if !ok {
		return
	}
	var doc struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		a.unread = append(a.unread, unread{"package.json", err.Error()})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Dependencies)) {
		if strings.Contains(name, "express-gateway-plugin-") {
			a.plugins = append(a.plugins, name)
		}
	}
}

// manifests reads the Kubernetes objects of the folders that people keep them in.
func (a *around) manifests(root string) error {
	for _, folder := range []string{".", "k8s", "kubernetes", "kube", "manifests", "deploy", "deployment", ".k8s"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && folder == "." {
			return fmt.Errorf("read %s: %w", root, err)
		}
		for _, entry := range entries {
			name := entry.Name()
			if entry.IsDir() || !slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(name)) || strings.HasPrefix(name, "docker-compose") {
				continue
			}
			file := filepath.ToSlash(filepath.Join(folder, name))
			if data, ok := a.read(root, file); ok && bytes.Contains(data, []byte("apiVersion:")) {
				a.decode(file, data)
			}
		}
	}
	return nil
}

func (a *around) decode(file string, data []byte) {
	dec := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var content map[string]any
		err := dec.Decode(&content)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			a.unread = append(a.unread, unread{file, "it is no YAML: a template perhaps"})
			return
		}
		kind, _ := content["kind"].(string)
		meta, _ := content["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		if kind != "" && name != "" && content["spec"] != nil || kind == "ConfigMap" || kind == "Secret" {
			a.objects = append(a.objects, object{file: file, kind: kind, name: name, content: content})
		}
	}
}

var dockerEnv = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|\S*)`)

func (a *around) readDockerfile(root string) {
	data, ok := a.read(root, "Dockerfile")
	if !ok {
		return
	}
	d := &dockerfile{file: "Dockerfile", env: map[string]string{}}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToUpper(word) {
		case "FROM":
			d.base, _, _ = strings.Cut(rest, " ")
		case "EXPOSE":
			d.exposes = append(d.exposes, strings.Fields(rest)...)
		case "ENV":
			if name, value, ok := strings.Cut(rest, " "); ok && !strings.Contains(name, "=") {
				d.env[name] = strings.TrimSpace(value)
				continue
			}
			for _, pair := range dockerEnv.FindAllStringSubmatch(rest, -1) {
				d.env[pair[1]] = strings.Trim(pair[2], `"`)
			}
		}
	}
	a.dockerfile = d
	a.env = append(a.env, variables{file: d.file, values: d.env})
}

// dotEnv reads .env, which people keep beside a compose file.
func (a *around) dotEnv(root string) {
	data, ok := a.read(root, ".env")
	if !ok {
		return
	}
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line := strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export ")
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			values[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	a.env = append(a.env, variables{file: ".env", values: values})
}
