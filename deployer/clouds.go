package deployer

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/gateway/diag"
)

// Clouds returns the cloud profiles: those that egk8s carries, over them the user's (egk8s/clouds in the folder of the
// user's settings), over them the project's (.egk8s/clouds). dir is the project's folder; empty: there is none. What is
// wrong with a file is a diag.Problems.
func Clouds(dir string) (*cloud.Profiles, diag.Problems) {
	var folders []cloud.Folder
	if settings, err := os.UserConfigDir(); err == nil {
		folders = append(folders, cloudFolder(filepath.Join(settings, "egk8s", "clouds")))
	}
	if dir != "" {
		folders = append(folders, cloudFolder(filepath.Join(dir, ".egk8s", "clouds")))
	}
	return cloud.Builtin(folders...)
}

func cloudFolder(path string) cloud.Folder { return cloud.Folder{FS: os.DirFS(path), Path: path} }

// Detection is what a cluster is and why.
type Detection struct {
	cloud.Resolution
	Candidates []cloud.Candidate
	Facts      cloud.Facts
	Unknown    []string // facts that could not be read, and why
}

// DetectOptions are the choices of Detect.
type DetectOptions struct {
	Dir     string // the project's folder; empty: none
	Cluster cluster.Config
	Offline bool // by the kubeconfig alone
	Timeout time.Duration
}

// Detect says which cloud a cluster is. It changes nothing.
func Detect(ctx context.Context, opts DetectOptions) (*Detection, error) {
	profiles, problems := Clouds(opts.Dir)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	client, err := cluster.Connect(opts.Cluster)
	if err != nil {
		return nil, err
	}
	facts := client.OfflineFacts()
	if !opts.Offline {
		ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
		defer cancel()
		if facts, err = client.Facts(ctx); err != nil {
			return nil, err
		}
	}
	res, err := profiles.Resolve("", facts.Facts)
	if err != nil {
		return nil, err
	}
	return &Detection{Resolution: res, Candidates: profiles.Detect(facts.Facts), Facts: facts.Facts, Unknown: facts.Unknown}, nil
}
