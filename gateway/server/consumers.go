package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/ratelimit"
	"egk8s.dev/egk8s/gateway/store/file"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// consumersName is the consumers file beside the configuration, when no settings name another one.
const consumersName = "consumers.yml"

// consumers are the users and credentials of a running gateway.
type consumers struct {
	service *consumer.Service
	// watch follows changes until its context ends; nil: there is nothing to follow.
	watch func(context.Context) error
	// follow makes changed models count.
	follow func(context.Context, *consumer.Models) error
	// status returns the digest of what is loaded and what is wrong with a newer file; nil: no file.
	status func() (string, diag.Problems)
	// tokens keeps tokens and codes; nil: the memory of the process does.
	tokens consumer.TokenStore
	// limits counts for all replicas; nil: each counts on its own.
	limits ratelimit.Source
	// reached tells whether the store answered yet; nil: it is here.
	reached func() bool
	// collect prints metrics; nil: there are none.
	collect func(*strings.Builder)
}

// openConsumers opens the store that the configuration asks for.
//
// In a pod the settings of egk8s decide. Standalone a consumers.yml beside the configuration is served;
// else system.config.yml decides: its Redis, or the emulation of one, a store in memory.
func (g *Gateway) openConsumers(ctx context.Context, cfg *config.Config, read config.FileReader) (*consumers, error) {
	models, err := readModels(read)
	if err != nil {
		return nil, err
	}
	path := cfg.Settings.Store.Path
	if path == "" {
		path = filepath.Join(g.opts.ConfigDir, consumersName)
	}
	switch {
	case cfg.Settings.Store.Kind == config.StoreFile, cfg.Settings.Store.Kind == "" && exists(path):
		return openFile(ctx, path, models, cfg)
	case cfg.Settings.Store.Kind == config.StoreRedis, cfg.Settings.Store.Kind == "" && !cfg.System.RedisEmulate:
		return openRedis(cfg, models, g.env.redisPassword)
	}
	service, err := consumer.New(memory.New(), consumer.Options{Models: models, BcryptCost: cfg.System.SaltRounds})
	if err != nil {
		return nil, fmt.Errorf("open consumers: %w", err)
	}
	return &consumers{service: service, follow: func(_ context.Context, models *consumer.Models) error {
		service.SetModels(models)
		return nil
	}}, nil
}

func openFile(ctx context.Context, path string, models *consumer.Models, cfg *config.Config) (*consumers, error) {
	// A Secret that is not there yet counts as no consumers: it may be mounted later.
	store, err := file.Open(ctx, file.Options{Path: path, Optional: cfg.Settings.Store.Path != "", Models: models})
	if err != nil {
		return nil, err
	}
	service, err := consumer.New(store, consumer.Options{Models: models, BcryptCost: cfg.System.SaltRounds})
	if err != nil {
		return nil, fmt.Errorf("open consumers: %w", err)
	}
	follow := func(ctx context.Context, models *consumer.Models) error {
		service.SetModels(models)
		return store.SetModels(ctx, models)
	}
	return &consumers{service: service, watch: store.Watch, follow: follow, status: func() (string, diag.Problems) {
		s := store.Status()
		return s.Digest, s.Problems
	}}, nil
}

// readModels reads models/*.json; files that are missing are Express Gateway's own.
func readModels(read config.FileReader) (*consumer.Models, error) {
	files := map[string][]byte{}
	for _, name := range consumer.ModelFiles() {
		text, err := read.ReadFile("models/" + name)
		if err == nil {
			files[name] = text
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read model: %w", err)
		}
	}
	models, err := consumer.ParseModels(files)
	if err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	return models, nil
}

func exists(path string) bool {
	for _, p := range []string{path, path + ".gz"} {
		if _, err := os.Stat(p); err == nil {
			return true
		}
	}
	return false
}

// folder reads the files of a configuration without manifest.
type folder string

// ReadFile reads one file by its slash-separated path.
func (f folder) ReadFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}
