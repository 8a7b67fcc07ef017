package triton

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func (c *Client) path(parts ...string) string {
	var p strings.Builder
	for _, part := range append([]string{c.account}, parts...) {
		p.WriteString("/" + url.PathEscape(part))
	}
	return p.String()
}

// Skew is how far this machine's clock is ahead of CloudAPI's. It asks without a signature.
func (c *Client) Skew(ctx context.Context) (time.Duration, error) {
	header, err := c.call(ctx, http.MethodGet, "/--ping", nil, nil, nil)
	if err != nil && header == nil {
		return 0, err
	}
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("read the time of CloudAPI: %w", err)
	}
	return c.Clock.Now().Sub(theirs), nil
}

// Account reads the account.
func (c *Client) Account(ctx context.Context) (*Account, error) {
	a := &Account{}
	_, err := c.call(ctx, http.MethodGet, c.path(), nil, nil, a)
	return a, err
}

// Networks lists the networks that the account may use.
func (c *Client) Networks(ctx context.Context) ([]Network, error) {
	return list[Network](ctx, c, c.path("networks"), nil)
}

// Network reads one network; only this tells the suffixes everywhere.
func (c *Client) Network(ctx context.Context, id string) (*Network, error) {
	n := &Network{}
	_, err := c.call(ctx, http.MethodGet, c.path("networks", id), nil, nil, n)
	return n, err
}

// Images lists the images of a name.
func (c *Client) Images(ctx context.Context, name string) ([]Image, error) {
	return list[Image](ctx, c, c.path("images"), url.Values{"name": {name}})
}

// Packages lists the packages.
func (c *Client) Packages(ctx context.Context) ([]Package, error) {
	return list[Package](ctx, c, c.path("packages"), nil)
}

// Machines lists the machines with that tag; an empty key: all.
func (c *Client) Machines(ctx context.Context, key, value string) ([]Machine, error) {
	var query url.Values
	if key != "" {
		query = url.Values{"tag." + key: {value}}
	}
	return list[Machine](ctx, c, c.path("machines"), query)
}

// Machine reads one machine.
func (c *Client) Machine(ctx context.Context, id string) (*Machine, error) {
	m := &Machine{}
	_, err := c.call(ctx, http.MethodGet, c.path("machines", id), nil, nil, m)
	return m, err
}

// CreateMachine begins to make a machine: it is provisioning when this returns.
func (c *Client) CreateMachine(ctx context.Context, n NewMachine) (*Machine, error) {
	for key, value := range n.Tags {
		if err := CheckTag(key, value); err != nil {
			return nil, err
		}
	}
	m := &Machine{}
	_, err := c.call(ctx, http.MethodPost, c.path("machines"), nil, n.body(), m)
	return m, err
}

// StartMachine begins to start a stopped machine.
func (c *Client) StartMachine(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodPost, c.path("machines", id), url.Values{"action": {"start"}}, map[string]any{}, nil)
	return err
}

// DeleteMachine begins to remove a machine. One that is gone is no error.
func (c *Client) DeleteMachine(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodDelete, c.path("machines", id), nil, nil, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// AddTags adds tags, or changes them, and leaves the others.
func (c *Client) AddTags(ctx context.Context, id string, tags map[string]string) error {
	for key, value := range tags {
		if err := CheckTag(key, value); err != nil {
			return err
		}
	}
	_, err := c.call(ctx, http.MethodPost, c.path("machines", id, "tags"), nil, tags, nil)
	return err
}

// DeleteTag removes one tag. One that is gone is no error.
func (c *Client) DeleteTag(ctx context.Context, id, key string) error {
	_, err := c.call(ctx, http.MethodDelete, c.path("machines", id, "tags", key), nil, nil, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// AddMetadata adds metadata, or changes it, and leaves the rest.
func (c *Client) AddMetadata(ctx context.Context, id string, metadata map[string]string) error {
	_, err := c.call(ctx, http.MethodPost, c.path("machines", id, "metadata"), nil, metadata, nil)
	return err
}

// DeleteMetadata removes one key. One that is gone is no error.
func (c *Client) DeleteMetadata(ctx context.Context, id, key string) error {
	_, err := c.call(ctx, http.MethodDelete, c.path("machines", id, "metadata", key), nil, nil, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// Rules lists the firewall rules of the account.
func (c *Client) Rules(ctx context.Context) ([]Rule, error) {
	return list[Rule](ctx, c, c.path("fwrules"), nil)
}

// CreateRule makes a firewall rule.
func (c *Client) CreateRule(ctx context.Context, r Rule) (*Rule, error) {
	if err := CheckRule(r.Text); err != nil {
		return nil, err
	}
	made := &Rule{}
	_, err := c.call(ctx, http.MethodPost, c.path("fwrules"), nil, ruleBody(r), made)
	return made, err
}

// UpdateRule changes a firewall rule to be as r says.
func (c *Client) UpdateRule(ctx context.Context, r Rule) error {
	if err := CheckRule(r.Text); err != nil {
		return err
	}
	_, err := c.call(ctx, http.MethodPost, c.path("fwrules", r.ID), nil, ruleBody(r), nil)
	return err
}

func ruleBody(r Rule) map[string]any {
	return map[string]any{"rule": r.Text, "enabled": r.Enabled, "description": r.Description}
}

// DeleteRule removes a firewall rule. One that is gone is no error.
func (c *Client) DeleteRule(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodDelete, c.path("fwrules", id), nil, nil, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}
