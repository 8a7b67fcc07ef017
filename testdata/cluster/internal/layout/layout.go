// Package layout says where everything of egkube lies on disk.
package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
)

// CacheVariable is the environment variable that moves the cache.
const CacheVariable = "EGK8S_CLUSTER_CACHE"

// MarkerVariable is set, with the state folder as its value, in the environment
// of every process of a cluster, so that what is left of one can be found.
const MarkerVariable = "EGKUBE_STATE"

// Cache is the root folder of everything that egkube keeps: compiled programs,
// unpacked packages and, below clusters, the state of each cluster.
type Cache struct{ Dir string }

// DefaultCache is $EGK8S_CLUSTER_CACHE, else $XDG_CACHE_HOME/egk8s/cluster, else
// ~/.cache/egk8s/cluster, always absolute.
func DefaultCache(getenv func(string) string, home string) (Cache, error) {
	dir := getenv(CacheVariable)
	if dir == "" {
		base := getenv("XDG_CACHE_HOME")
		if base == "" {
			if home == "" {
				return Cache{}, errors.New("find the cache folder: no home folder is known; set " + CacheVariable)
			}
			base = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(base, "egk8s", "cluster")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Cache{}, fmt.Errorf("find the cache folder: %w", err)
	}
	return Cache{Dir: abs}, nil
}

// Build is the folder of the programs compiled under a key.
func (c Cache) Build(key string) string { return filepath.Join(c.Dir, "build", key) }

// Packages is the folder of unpacked distribution packages.
func (c Cache) Packages() string { return filepath.Join(c.Dir, "packages") }

// Clusters is the folder that holds one state folder for each cluster.
func (c Cache) Clusters() string { return filepath.Join(c.Dir, "clusters") }

// Cluster is the state folder of the cluster of that name.
func (c Cache) Cluster(name string) Cluster {
	return Cluster{Name: name, Dir: filepath.Join(c.Clusters(), name)}
}

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// CheckName refuses a cluster name that could not be part of a node's name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("cluster name %q: want 1 to 32 lower-case letters, digits and hyphens, not first or last a hyphen", name)
	}
	return nil
}

// Cluster is the state folder of one cluster.
type Cluster struct {
	Name string
	Dir  string
}

// ID is the name with a hash of the folder: unique on the machine, although two
// users may have clusters of one name.
func (c Cluster) ID() string {
	sum := sha256.Sum256([]byte(c.Dir))
	return c.Name + "-" + hex.EncodeToString(sum[:3])
}

// Kubeconfig is the administrator's kubeconfig.
func (c Cluster) Kubeconfig() string { return filepath.Join(c.Dir, "kubeconfig") }

// State is the file in which the daemon says how far it is.
func (c Cluster) State() string { return filepath.Join(c.Dir, "state.json") }

// Spec is the file in which up tells the daemon what to start.
func (c Cluster) Spec() string { return filepath.Join(c.Dir, "spec.json") }

// Log is the daemon's own log.
func (c Cluster) Log() string { return filepath.Join(c.Dir, "daemon.log") }

// Logs is the folder of the components' logs.
func (c Cluster) Logs() string { return filepath.Join(c.Dir, "logs") }

// PKI is the folder of certificates and keys.
func (c Cluster) PKI() string { return filepath.Join(c.Dir, "pki") }

// Data is the folder of what the components write.
func (c Cluster) Data() string { return filepath.Join(c.Dir, "data") }

// Node is the folder of a node's files and of its root file system.
func (c Cluster) Node(name string) string { return filepath.Join(c.Dir, "nodes", name) }

// Control is the name, inside the state folder, of the daemon's socket.
func (c Cluster) Control() string { return "control.sock" }

// Marker is the environment entry that every process of the cluster carries.
func (c Cluster) Marker() string { return MarkerVariable + "=" + c.Dir }

// Lock is the file that up and down hold while they work on the cluster; it lies
// beside the state folder, because that one is removed.
func (c Cluster) Lock() string { return c.Dir + ".lock" }
