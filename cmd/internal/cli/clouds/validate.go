package clouds

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/gateway/diag"
)

func newValidate(o *Options) *cobra.Command {
	return &cobra.Command{
		Use: "validate [FILE]", Short: "Check cloud profiles", Args: app.MaxArgs(1),
		Long: "Check a profile's file as if it stood in .egk8s/clouds; without FILE all profiles. Every mistake is reported\n" +
			"with file, line and column.",
		Example: "  egk8s clouds validate\n  egk8s clouds validate lke.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.File = args[0]
			}
			return o.validate()
		},
	}
}

func (o *Options) validate() error {
	var profiles *cloud.Profiles
	var problems diag.Problems
	if o.File == "" {
		profiles, problems = o.Clouds(o.dir())
	} else {
		if _, err := os.Stat(o.File); err != nil {
			return &exit.UsageError{Message: err.Error()}
		}
		folder := filepath.Dir(o.File)
		profiles, problems = cloud.Builtin(cloud.Folder{FS: only{os.DirFS(folder), filepath.Base(o.File)}, Path: folder})
	}
	if err := problems.Err(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.App.IO.Out, "valid: %d profiles\n", len(profiles.Names()))
	return err
}

// only is a folder of which one file is seen.
type only struct {
	fs.FS
	name string
}

// Glob implements fs.GlobFS.
func (o only) Glob(string) ([]string, error) { return []string{o.name}, nil }
