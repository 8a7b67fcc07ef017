package triton

import (
	"context"
	"fmt"
)

// until looks at a machine until done says so. A machine that is gone is given as nil.
func (c *Client) until(ctx context.Context, id string, done func(*Machine) (bool, error)) error {
	for {
		m, err := c.Machine(ctx, id)
		if IsNotFound(err) {
			m, err = nil, nil
		}
		if err != nil {
			return err
		}
		if ok, err := done(m); ok || err != nil {
			return err
		}
		if err := c.pause(ctx, c.Poll); err != nil {
			return err
		}
	}
}

// WaitRunning waits until a machine runs and has its addresses. One that failed, or went, is a MachineError.
func (c *Client) WaitRunning(ctx context.Context, id string) (*Machine, error) {
	var last *Machine
	err := c.until(ctx, id, func(m *Machine) (bool, error) {
		switch {
		case m == nil:
			return false, &MachineError{ID: id, State: Deleted, Message: "it went while it was waited for"}
		case m.State == Failed:
			return false, &MachineError{ID: id, Name: m.Name, State: m.State, Message: "the datacenter could not make it"}
		case m.State == Deleted:
			return false, &MachineError{ID: id, Name: m.Name, State: m.State, Message: "it went while it was waited for"}
		}
		last = m
		return m.State == Running && len(m.IPs) > 0, nil
	})
	return last, err
}

// WaitGone waits until a machine is gone.
func (c *Client) WaitGone(ctx context.Context, id string) error {
	return c.until(ctx, id, func(m *Machine) (bool, error) { return m == nil || m.State == Deleted, nil })
}

// WaitTag waits until a tag is visible with that value; empty: until it is gone. Tags are written later than they are
// accepted.
func (c *Client) WaitTag(ctx context.Context, id, key, value string) error {
	return c.until(ctx, id, func(m *Machine) (bool, error) {
		if m == nil {
			return false, &MachineError{ID: id, State: Deleted, Message: "it went while it was tagged"}
		}
		return m.Tag(key) == value, nil
	})
}

// WaitMetadata waits until metadata is visible.
func (c *Client) WaitMetadata(ctx context.Context, id string, metadata map[string]string) error {
	return c.until(ctx, id, func(m *Machine) (bool, error) {
		if m == nil {
			return false, &MachineError{ID: id, State: Deleted, Message: "it went while its metadata was written"}
		}
		for key, value := range metadata {
			if m.Meta(key) != value {
				return false, nil
			}
		}
		return true, nil
	})
}

// text is a tag or metadata value as text: CloudAPI keeps true and 64 as what they are.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}
