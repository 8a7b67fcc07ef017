package offline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"egk8s.dev/egk8s/gateway/store/file"
)

// addScopes adds the scopes that the file lacks to its scopes section.
func addScopes(text []byte, scopes []string) ([]byte, error) {
	for _, scope := range scopes {
		next, err := file.AppendScope(text, scope)
		if err != nil {
			return nil, err
		}
		text = next
	}
	return text, nil
}

// replaceFile writes a file in one step: a reader sees the old or the new one, never a part. Its mode
// is kept; a new file is readable by its owner only. A link stays a link.
func replaceFile(path string, text []byte) error {
	mode := fs.FileMode(0o600)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".consumers-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(mode), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
