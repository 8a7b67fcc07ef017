package render

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/charts"
)

// renderChart renders the chart with the values of this release.
func (r *Rendered) renderChart(in Input) error {
	c, err := LoadChart(in.Version)
	if err != nil {
		return err
	}
	r.Chart, r.Values = c, values(in, r)
	files, err := execute(c, r.Values, in.Project.Name, in.Namespace)
	if err != nil {
		return fmt.Errorf("render chart: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		objects, err := parse(files[name])
		if err != nil {
			return fmt.Errorf("render chart: %s: %w", name, err)
		}
		r.Objects = append(r.Objects, objects...)
	}
	slices.SortStableFunc(r.Objects, compare)
	return nil
}

// LoadChart reads the chart that egk8s carries. version becomes its appVersion.
func LoadChart(version string) (*chart.Chart, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(charts.FS, ChartName, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := charts.FS.ReadFile(name)
		files = append(files, &loader.BufferedFile{Name: strings.TrimPrefix(name, ChartName+"/"), Data: data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read chart: %w", err)
	}
	c, err := loader.LoadFiles(files)
	if err != nil {
		return nil, fmt.Errorf("read chart: %w", err)
	}
	if version != "" {
		c.Metadata.AppVersion = version
	}
	return c, nil
}

// helmLog guards the standard logger, which Helm's packages write to.
var helmLog sync.Mutex //nolint:gochecknoglobals // the logger that it guards is global, too

// execute runs Helm's engine with its log silenced: what it would say there is no user's business.
func execute(c *chart.Chart, values map[string]any, name, namespace string) (map[string]string, error) {
	helmLog.Lock()
	defer helmLog.Unlock()
	before := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(before)
	options := chartutil.ReleaseOptions{Name: name, Namespace: namespace, Revision: 1, IsInstall: true}
	capabilities := chartutil.DefaultCapabilities.Copy()
	toRender, err := chartutil.ToRenderValues(c, values, options, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(c, toRender)
	if err != nil {
		return nil, err
	}
	return files, nil
}

func parse(text string) ([]*unstructured.Unstructured, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var objects []*unstructured.Unstructured
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		content := map[string]any{}
		encoded, err := yaml.YAMLToJSON(document)
		if err == nil {
			err = json.Unmarshal(encoded, &content)
		}
		if err != nil {
			return nil, err
		}
		if len(content) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: content})
		}
	}
}

// compare orders objects as they are applied: what others refer to comes first.
func compare(a, b *unstructured.Unstructured) int {
	order := []string{"PersistentVolumeClaim", "ServiceAccount", "ConfigMap", "Secret", "Service", "NetworkPolicy", "PodDisruptionBudget", "Deployment"}
	return cmp.Or(
		cmp.Compare(slices.Index(order, a.GetKind()), slices.Index(order, b.GetKind())),
		strings.Compare(a.GetName(), b.GetName()),
	)
}

var notLabel = regexp.MustCompile(`[^-A-Za-z0-9_.]+`)

// labelValue makes a version fit to be the value of a label.
func labelValue(version string) string {
	version = notLabel.ReplaceAllString(version, "_")
	return strings.Trim(version[:min(len(version), 63)], "-_.")
}
