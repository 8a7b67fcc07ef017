package offline

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/manifest"
)

// Settings are what egk8s.yaml adds to the user's files; Encode writes them as the gateway reads them.
type Settings = config.Settings

// ListenAddresses are host:port; an empty one leaves the file's or the default address.
type ListenAddresses = config.ListenAddresses

// TLSFiles are the files of one certificate.
type TLSFiles = config.TLSFiles

// StoreSettings say where users and credentials live.
type StoreSettings = config.StoreSettings

// DrainSettings are in seconds.
type DrainSettings = config.DrainSettings

// The file names that egk8s adds to the user's files.
const (
	SettingsName = config.SettingsName
	ManifestName = manifest.Name
)

// The kinds of stores.
const (
	StoreFile   = config.StoreFile
	StoreMemory = config.StoreMemory
	StoreRedis  = config.StoreRedis
)

// Entry is one file of a configuration.
type Entry = manifest.Entry

// File describes a file of the ConfigMap by its content.
func File(path string, content []byte) Entry { return manifest.File(path, content) }

// SecretFile describes a file that lives in the named Secret.
func SecretFile(path string, content []byte, secret string) Entry {
	return manifest.SecretFile(path, content, secret)
}

// Manifest writes the manifest of the entries and returns it with its digest, the name of the configuration.
func Manifest(entries []Entry) (text []byte, digest string, err error) {
	text, err = manifest.Build(entries)
	if err != nil {
		return nil, "", err
	}
	return text, manifest.Digest(text), nil
}

// Entries reads what Manifest wrote.
func Entries(text []byte) ([]Entry, error) { return manifest.Parse(text) }
