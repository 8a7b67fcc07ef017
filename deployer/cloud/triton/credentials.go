package triton

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Credentials say which CloudAPI, which account, and by which key.
type Credentials struct {
	URL      string
	Account  string
	User     string // of the account (RBAC); empty: the account itself
	ActAs    string // account to act for; empty: Account
	KeyID    string // fingerprint: MD5 (aa:bb:…, with or without "MD5:") or SHA256:…; empty: that of Material
	Material string // the private key, or the path of its file; empty: the agent's, then those in ~/.ssh
	Insecure bool   // do not check the server's certificate
	Source   string // where they were found: "the environment", "profile NAME"
}

// String leaves the key out.
func (c Credentials) String() string {
	return fmt.Sprintf("account %s at %s, from %s", c.Account, c.URL, c.Source)
}

// GoString leaves the key out.
func (c Credentials) GoString() string { return c.String() }

// NoCredentialsError says that there are no credentials, and what is missing of those that are half there.
type NoCredentialsError struct {
	Missing []string // variables; empty: there is nothing at all
}

func (e *NoCredentialsError) Error() string {
	if len(e.Missing) == 0 {
		return "no credentials for CloudAPI"
	}
	return "the credentials for CloudAPI are not complete: " + strings.Join(e.Missing, ", ") + " not set"
}

// Hint says how to give some.
func (e *NoCredentialsError) Hint() string {
	return "set TRITON_URL, TRITON_ACCOUNT and TRITON_KEY_ID, or TRITON_PROFILE to a profile of the triton command"
}

// Environment is what credentials are looked for in.
type Environment struct {
	Lookup func(string) (string, bool)
	Home   string // folder with .triton and .ssh
}

// first returns the first variable that is set and not empty.
func (e Environment) first(names ...string) string {
	for _, name := range names {
		if value, ok := e.Lookup(name); ok && value != "" {
			return value
		}
	}
	return ""
}

// Find looks for credentials as the triton command does: the profile that TRITON_PROFILE names, else the variables
// TRITON_* (or SDC_*), else the current profile of the command. Variables win over a current profile, so that a pipeline
// needs nothing else. Without any it returns a NoCredentialsError.
func Find(env Environment) (Credentials, error) {
	name := env.first("TRITON_PROFILE")
	if name != "" && name != "env" {
		return env.profile(name)
	}
	found, missing, err := env.variables()
	if err != nil || len(missing) == 0 {
		return found, err
	}
	const asked = 2 // half of them are there: it is meant
	if len(missing) < asked || name == "env" {
		return Credentials{}, &NoCredentialsError{Missing: missing}
	}
	current, err := env.currentProfile()
	if err != nil || current == "" || current == "env" {
		return Credentials{}, errors.Join(err, &NoCredentialsError{})
	}
	return env.profile(current)
}

func (e Environment) variables() (Credentials, []string, error) {
	c := Credentials{
		URL: e.first("TRITON_URL", "SDC_URL"), Account: e.first("TRITON_ACCOUNT", "SDC_ACCOUNT"),
		User: e.first("TRITON_USER", "SDC_USER"), ActAs: e.first("TRITON_ACT_AS"),
		KeyID: e.first("TRITON_KEY_ID", "SDC_KEY_ID"), Material: e.first("TRITON_KEY_MATERIAL", "SDC_KEY_MATERIAL"),
		Source: "the environment",
	}
	var missing []string
	for _, v := range []struct{ name, value string }{
		{"TRITON_URL", c.URL},
		{"TRITON_ACCOUNT", c.Account},
		{"TRITON_KEY_ID", c.KeyID + c.Material},
	} {
		if v.value == "" {
			missing = append(missing, v.name)
		}
	}
	insecure, err := boolean(e.first("TRITON_TLS_INSECURE", "SDC_TLS_INSECURE"))
	if err != nil {
		return c, missing, fmt.Errorf("read TRITON_TLS_INSECURE: %w", err)
	}
	c.Insecure = insecure
	return c, missing, nil
}

// boolean reads what the triton command reads: true, false, 1, 0; anything else is a mistake.
func boolean(s string) (bool, error) {
	if s == "" {
		return false, nil
	}
	return strconv.ParseBool(strings.ToLower(s))
}

// currentProfile is the profile of "triton profile set"; empty: there is none.
func (e Environment) currentProfile() (string, error) {
	var config struct {
		Profile string `json:"profile"`
	}
	file := filepath.Join(e.Home, ".triton", "config.json")
	switch err := readJSON(file, &config); {
	case errors.Is(err, fs.ErrNotExist), e.Home == "":
		return "", nil
	case err != nil:
		return "", err
	default:
		return config.Profile, nil
	}
}

func (e Environment) profile(name string) (Credentials, error) {
	folder := filepath.Join(e.Home, ".triton", "profiles.d")
	var p struct {
		URL      string `json:"url"`
		Account  string `json:"account"`
		User     string `json:"user"`
		KeyID    string `json:"keyId"`
		ActAs    string `json:"actAsAccount"`
		Insecure bool   `json:"insecure"`
	}
	file := filepath.Join(folder, name+".json")
	if strings.ContainsAny(name, `/\`) {
		return Credentials{}, fmt.Errorf("TRITON_PROFILE %q is no name of a profile", name)
	}
	switch err := readJSON(file, &p); {
	case errors.Is(err, fs.ErrNotExist):
		return Credentials{}, fmt.Errorf("there is no profile %q of the triton command in %s; known: %s", name, folder, strings.Join(profiles(folder), ", "))
	case err != nil:
		return Credentials{}, err
	}
	for _, field := range []struct{ name, value string }{{"url", p.URL}, {"account", p.Account}, {"keyId", p.KeyID}} {
		if field.value == "" {
			return Credentials{}, fmt.Errorf("%s has no %q", file, field.name)
		}
	}
	return Credentials{
		URL: p.URL, Account: p.Account, User: p.User, ActAs: p.ActAs, KeyID: p.KeyID, Insecure: p.Insecure,
		Material: e.first("TRITON_KEY_MATERIAL", "SDC_KEY_MATERIAL"), Source: "profile " + name,
	}, nil
}

func profiles(folder string) []string {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return []string{"none"}
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	slices.Sort(files)
	return files
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}
