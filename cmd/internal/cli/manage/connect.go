package manage

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
)

// Options are the inputs and collaborators of every command here.
type Options struct {
	App *app.App

	Name      string
	AdminURL  string
	TokenFile string
	Headers   []string
	Timeout   time.Duration

	// Dial finds the pods of a release.
	Dial func(context.Context, deployer.ForwardOptions) (*deployer.Dialer, error)
}

// NewOptions returns the options that the commands of one group share.
func NewOptions(a *app.App) *Options { return &Options{App: a, Dial: deployer.OpenDialer} }

// Bind defines the flags that say which Admin API.
func (o *Options) Bind(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&o.Name, "name", "", "`NAME` of the release (default: the project's)")
	fs.StringVar(&o.AdminURL, "admin-url", "", "`URL` of an Admin API, instead of a release in the cluster")
	fs.StringVar(&o.TokenFile, "admin-token-file", "", "`FILE` with the token of the Admin API (default: $EGK8S_ADMIN_TOKEN)")
	fs.StringArrayVarP(&o.Headers, "header", "H", nil, "`'NAME: VALUE'` that every request carries (repeatable)")
	fs.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time limit of the whole run")
}

// with runs what a command does on a client, within the time limit.
func (o *Options) with(ctx context.Context, run func(context.Context, *client) error) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c, err := o.client()
	if err != nil {
		return err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1}
	c.http = &http.Client{
		Transport: transport,
		// A redirect would carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if c.base == nil {
		d, err := o.dialer(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		c.base, c.lost = &url.URL{Scheme: "http", Host: "localhost"}, d.Err
		transport.Proxy, transport.DialContext = nil, d.DialContext
	}
	defer transport.CloseIdleConnections()
	return run(ctx, c)
}

// client returns a client without its connection; its base is nil when the Admin API is in the cluster.
func (o *Options) client() (*client, error) {
	c := &client{header: http.Header{}, where: "the release's pod"}
	for _, line := range o.Headers {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, &exit.UsageError{Message: fmt.Sprintf("--header %q: want 'NAME: VALUE'", line)}
		}
		c.header.Add(name, strings.TrimSpace(value))
	}
	token, err := o.token()
	if err != nil {
		return nil, err
	}
	if token != "" && c.header.Get("Authorization") == "" {
		c.header.Set("Authorization", "Bearer "+token)
	}
	address := o.AdminURL
	if address == "" && o.Name == "" {
		address = o.App.Getenv("EGK8S_ADMIN_URL")
	}
	if address == "" {
		return c, nil
	}
	c.base, err = url.Parse(address)
	if err != nil || c.base.Host == "" || c.base.Scheme != "http" && c.base.Scheme != "https" {
		return nil, &exit.UsageError{
			Message: fmt.Sprintf("--admin-url %q is no address", address),
			Hint:    []string{"such as http://localhost:9876"},
		}
	}
	c.where = c.base.Redacted()
	if c.base.Scheme == "http" && !isLoopback(c.base.Hostname()) {
		fmt.Fprintf(o.App.IO.Err, "warning: %s is not encrypted: others on the way can read keys and tokens\n", c.where)
	}
	return c, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (o *Options) token() (string, error) {
	if o.TokenFile == "" {
		return o.App.Getenv("EGK8S_ADMIN_TOKEN"), nil
	}
	text, err := os.ReadFile(o.TokenFile)
	if err != nil {
		return "", &exit.UsageError{Message: fmt.Sprintf("--admin-token-file: %v", err)}
	}
	return strings.TrimSpace(string(text)), nil
}

func (o *Options) dialer(ctx context.Context) (*deployer.Dialer, error) {
	name, target, err := o.App.Release(o.Name)
	if err != nil {
		return nil, err
	}
	return o.Dial(ctx, deployer.ForwardOptions{Target: target, Name: name, Listener: deployer.ForwardAdmin})
}
