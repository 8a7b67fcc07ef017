package consumer

import (
	"context"
	"errors"
	"maps"

	"github.com/google/uuid"
)

// reserved are the fields that the rules set themselves, whatever a caller sends.
func reserved(kind Kind) []string {
	if kind == KindApplication {
		return []string{"isActive", "id", "userId", "name", "createdAt", "updatedAt"}
	}
	return []string{"isActive", "id", "username", "createdAt", "updatedAt"}
}

// rest are the fields that are kept as properties.
func rest(kind Kind, fields map[string]any) map[string]any {
	out := maps.Clone(fields)
	for _, name := range reserved(kind) {
		delete(out, name)
	}
	return out
}

// CreateUser makes an active user of fields: validated by the model, every further field kept.
func (s *Service) CreateUser(ctx context.Context, fields map[string]any) (*Consumer, error) {
	fields, err := s.Models().Users.Check(fields)
	if err != nil {
		return nil, err
	}
	username, _ := fields["username"].(string)
	if username == "" {
		return nil, mistake(Invalid, "invalid username")
	}
	now := s.now()
	user := &Consumer{
		Kind: KindUser, ID: uuid.NewString(), Username: username, IsActive: true,
		Properties: rest(KindUser, fields), CreatedAt: now, UpdatedAt: now,
	}
	err = s.update(ctx, func(tx Tx) error {
		same, err := tx.Named(ctx, KindUser, username)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			return mistake(Conflict, "username already exists")
		}
		return tx.PutConsumer(ctx, user)
	})
	return user, err
}

// FindUser finds a user by username, then by id.
func (s *Service) FindUser(ctx context.Context, nameOrID string) (*Consumer, error) {
	return findUser(ctx, s.store, nameOrID)
}

func findUser(ctx context.Context, from Reader, nameOrID string) (*Consumer, error) {
	named, err := from.Named(ctx, KindUser, nameOrID)
	if err != nil {
		return nil, err
	}
	if len(named) > 0 {
		return named[0], nil
	}
	c, err := from.Consumer(ctx, nameOrID)
	if err == nil && c.Kind == KindUser {
		return c, nil
	}
	if err == nil || errors.Is(err, ErrNotFound) {
		return nil, mistake(Missing, "User not found: %s", nameOrID)
	}
	return nil, err
}

// Users lists one page of users; next is 0 after the last one.
func (s *Service) Users(ctx context.Context, page Page) (users []*Consumer, next int, err error) {
	return s.store.Consumers(ctx, KindUser, page)
}

// UpdateUser changes fields of a user. The username cannot change: it is dropped without a word,
// as Express Gateway does. A field that the model lacks or calls immutable is refused.
func (s *Service) UpdateUser(ctx context.Context, nameOrID string, fields map[string]any) (*Consumer, error) {
	fields = maps.Clone(fields)
	delete(fields, "username")
	var changed *Consumer
	err := s.update(ctx, func(tx Tx) error {
		user, err := findUser(ctx, tx, nameOrID)
		if err != nil {
			return err
		}
		for name := range fields {
			if !s.Models().Users.Has(name) {
				return mistake(Invalid, "one or more properties is invalid")
			}
		}
		for name := range fields {
			if !s.Models().Users.Mutable(name) {
				return mistake(Invalid, "one or more properties is immutable")
			}
		}
		changed = user
		if len(fields) == 0 {
			return nil
		}
		changed = s.changed(user, fields)
		return tx.PutConsumer(ctx, changed)
	})
	return changed, err
}

// changed is a copy of c with fields set and the time of change.
func (s *Service) changed(c *Consumer, fields map[string]any) *Consumer {
	next := *c
	next.Properties = maps.Clone(c.Properties)
	if next.Properties == nil {
		next.Properties = map[string]any{}
	}
	maps.Copy(next.Properties, rest(c.Kind, fields))
	next.UpdatedAt = s.now()
	return &next
}

// DeleteUser removes a user, its applications and all their credentials.
func (s *Service) DeleteUser(ctx context.Context, nameOrID string) error {
	return s.update(ctx, func(tx Tx) error {
		user, err := findUser(ctx, tx, nameOrID)
		if err != nil {
			return err
		}
		apps, err := tx.Applications(ctx, user.ID)
		if err != nil {
			return err
		}
		for _, c := range append(apps, user) {
			if err := remove(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// remove deletes one consumer with its credentials.
func remove(ctx context.Context, tx Tx, c *Consumer) error {
	credentials, err := tx.Credentials(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, cred := range credentials {
		if err := tx.DeleteCredential(ctx, cred.Type, cred.ID); err != nil {
			return err
		}
	}
	return tx.DeleteConsumer(ctx, c.ID)
}

// SetUserActive activates or deactivates a user and tells whether that changed anything.
// Deactivating takes the user's applications along; activating does not bring them back.
func (s *Service) SetUserActive(ctx context.Context, nameOrID string, active bool) (changed bool, err error) {
	err = s.update(ctx, func(tx Tx) error {
		user, err := findUser(ctx, tx, nameOrID)
		if err != nil {
			return err
		}
		if changed = user.IsActive != active; !changed {
			return nil
		}
		targets := []*Consumer{user}
		if !active {
			apps, err := tx.Applications(ctx, user.ID)
			if err != nil {
				return err
			}
			targets = append(targets, apps...)
		}
		for _, c := range targets {
			if err := s.setActive(ctx, tx, c, active); err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

func (s *Service) setActive(ctx context.Context, tx Tx, c *Consumer, active bool) error {
	if c.IsActive == active {
		return nil
	}
	next := *c
	next.IsActive, next.UpdatedAt = active, s.now()
	return tx.PutConsumer(ctx, &next)
}
