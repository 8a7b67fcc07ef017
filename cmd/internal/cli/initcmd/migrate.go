package initcmd

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer/migrate"
	"egk8s.dev/egk8s/deployer/project"
)

// page is where the findings are written to.
const page = "MIGRATION.md"

// migrate reads the folder of Express Gateway, when there is one, and asks for what it does not tell.
func (o *Options) migrate(ctx context.Context) error {
	if err := o.checkMigration(); err != nil {
		return err
	}
	from := o.From
	if o.adopted {
		from = filepath.Join(o.Dir, "config")
	}
	if from == "" {
		return nil
	}
	opts := migrate.Options{Name: o.Name, Upstreams: o.Upstreams, MoveSecrets: o.MoveSecrets}
	var err error
	if o.migration, err = migrate.Read(from, opts); err != nil {
		return &exit.UsageError{Message: err.Error()}
	}
	if o.Yes || o.App.IO.NoInput || o.App.IO.CI() || !o.askMore() {
		return nil
	}
	if err := o.askMigration(ctx); err != nil {
		return err
	}
	opts.Upstreams, opts.MoveSecrets = o.Upstreams, o.MoveSecrets
	o.migration, err = migrate.Read(from, opts)
	return err
}

func (o *Options) checkMigration() error {
	switch {
	case o.adopted && o.From != "":
		return &exit.UsageError{
			Message: "nothing was written: " + filepath.Join(o.Dir, "config") + " has a gateway config already",
			Hint:    []string{"leave --from out to take it as it is, or choose another folder"},
		}
	case o.MoveSecrets && o.From == "":
		return &exit.UsageError{Message: "--move-secrets changes copied files only: it needs --from"}
	}
	for name, address := range o.Upstreams {
		if err := checkURL(address); err != nil {
			return &exit.UsageError{Message: fmt.Sprintf("--upstream %s=%s: %v", name, address, err)}
		}
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no URL such as http://customers.shop.svc:8080", text)
	}
	return nil
}

// askMore tells whether there is anything to ask.
func (o *Options) askMore() bool {
	return len(o.migration.Open) > 0 || o.movable()
}

func (o *Options) movable() bool {
	return o.migration.InlineSecrets > 0 && !o.MoveSecrets && o.From != ""
}

// askMigration asks for the addresses of service endpoints that lead to this machine, and whether to move secrets.
func (o *Options) askMigration(ctx context.Context) error {
	p := o.prompt()
	for _, u := range o.migration.Open {
		if _, told := o.Upstreams[u.Name]; told {
			continue
		}
		later := func(text string) error {
			if text == "" {
				return nil
			}
			return checkURL(text)
		}
		question := fmt.Sprintf("Where is the service endpoint %s in the cluster? The file says %s (empty: later)", u.Name, u.URL)
		address, err := p.Checked(ctx, question, "", "--upstream", later)
		if err != nil {
			return err
		}
		if address != "" {
			if o.Upstreams == nil {
				o.Upstreams = map[string]string{}
			}
			o.Upstreams[u.Name] = address
		}
	}
	if !o.movable() {
		return nil
	}
	question := fmt.Sprintf("%d secrets stand in the files. Put them into .env, and ${NAME} in their place?", o.migration.InlineSecrets)
	var err error
	o.MoveSecrets, err = p.Confirm(ctx, question, "--move-secrets")
	return err
}

// copied are the files that a migration brings: none of config/ where they are in place already.
func (o *Options) copied() []project.NewFile {
	if o.migration == nil {
		return nil
	}
	files := append(slices.Clone(o.migration.Files), project.NewFile{Path: page, Data: o.migration.Page(o.Name)})
	if !o.adopted {
		return files
	}
	there := existing(o.Dir, files)
	return slices.DeleteFunc(files, func(f project.NewFile) bool {
		return strings.HasPrefix(f.Path, "config/") && slices.Contains(there, f.Path)
	})
}

// findings adds what needs the owner, and how many findings there are of each kind.
func (o *Options) findings(b *strings.Builder) {
	if o.migration == nil {
		return
	}
	count := map[migrate.Verdict]int{}
	for _, f := range o.migration.Findings {
		count[f.Verdict]++
		if f.Verdict != migrate.NeedsYou {
			continue
		}
		at := ""
		if f.At != "" {
			at = f.At + ": "
		}
		fmt.Fprintf(b, "Needs you  %s%s: %s\n", at, f.Subject, f.Text)
	}
	var parts []string
	for _, v := range []migrate.Verdict{migrate.NeedsYou, migrate.Mapped, migrate.Better, migrate.Works} {
		if count[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	fmt.Fprintf(b, "Found    %s: %s\n", strings.Join(parts, ", "), filepath.Join(o.Dir, page))
}
