package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"egk8s.dev/egk8s/gateway/offline"
)

// ErrNoGateway is matched by the error of a folder that holds no gateway config.
var ErrNoGateway = errors.New("no gateway.config.yml, gateway.config.yaml or gateway.config.json in it, nor in a config folder below it")

// GatewayFolder finds Express Gateway's files: in dir, or in its folder config, where the generator of
// Express Gateway puts them.
func GatewayFolder(dir string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("read Express Gateway folder: %w", err)
	}
	for _, folder := range []string{dir, filepath.Join(dir, "config")} {
		for _, ext := range []string{".yml", ".yaml", ".json"} {
			if _, err := os.Stat(filepath.Join(folder, "gateway.config"+ext)); err == nil {
				return folder, nil
			}
		}
	}
	return "", fmt.Errorf("read Express Gateway folder %s: %w", dir, ErrNoGateway)
}

// Adopt reads what a gateway needs of a config folder of Express Gateway: the gateway and system config, the
// models and the files that these name. Express Gateway looks for those where it runs, in root, which the pod's config
// folder stands for: a name leads to the same file, in root or else in the config folder. Bytes and permissions are
// kept; it writes nothing.
func Adopt(folder, root string) ([]NewFile, error) {
	report, err := offline.Check(folder, offline.Options{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, pattern := range []string{"gateway.config.*", "system.config.*", "models/*.json"} {
		found, err := filepath.Glob(filepath.Join(escaped(folder), filepath.FromSlash(pattern)))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", folder, err)
		}
		for _, file := range found {
			name, err := filepath.Rel(folder, file)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", folder, err)
			}
			names = append(names, filepath.ToSlash(name))
		}
	}
	for _, name := range report.FileReferences {
		if filepath.IsLocal(filepath.FromSlash(name)) { // the others are told of by validate
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var files []NewFile
	for _, name := range slices.Compact(names) {
		f, err := adopted(folder, name)
		if errors.Is(err, fs.ErrNotExist) && slices.Contains(report.FileReferences, name) {
			f, err = adopted(root, name)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // told of by validate
		case err != nil:
			return nil, err
		default:
			files = append(files, f)
		}
	}
	return files, nil
}

func adopted(folder, name string) (NewFile, error) {
	file := filepath.Join(folder, filepath.FromSlash(name))
	info, err := os.Stat(file)
	if err != nil {
		return NewFile{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return NewFile{}, fmt.Errorf("copy %s: it is no file of at most 1 MiB", file)
	}
	data, err := os.ReadFile(file)
	return NewFile{Path: "config/" + name, Data: data, Mode: info.Mode().Perm()}, err
}

// escaped is a path in which filepath.Glob sees no wildcard.
func escaped(path string) string {
	var out []byte
	for i := range len(path) {
		if c := path[i]; c == '*' || c == '?' || c == '[' {
			out = append(out, '[', c, ']')
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// Deviations are one line for each way in which the gateway serves the files of a config folder otherwise than
// Express Gateway, with the first place and where to read more. shown stands for the folder in the lines.
func Deviations(folder, shown string) ([]string, error) {
	touched, err := offline.Deviations(folder)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, d := range touched {
		at := d.At[0]
		at.File = filepath.Join(shown, at.File)
		more := ""
		if n := len(d.At) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more)", n)
		}
		lines = append(lines, fmt.Sprintf("%s%s: %s: %s", at, more, d.Notice, d.Link()))
	}
	return lines, nil
}
