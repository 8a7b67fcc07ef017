package consumer

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// CreateApplication makes an active application of fields for a user, who is given by id or
// username. Unlike a user's, its fields must all be in the model.
func (s *Service) CreateApplication(ctx context.Context, owner string, fields map[string]any) (*Consumer, error) {
	if owner == "" {
		return nil, mistake(Invalid, "invalid username")
	}
	var app *Consumer
	err := s.update(ctx, func(tx Tx) error {
		user, err := findUser(ctx, tx, owner)
		if errors.Is(err, ErrNotFound) {
			return mistake(Conflict, "The specified user does not exist")
		}
		if err != nil {
			return err
		}
		checked, err := s.Models().Applications.Check(fields)
		if err != nil {
			return err
		}
		for name := range checked {
			if !s.Models().Applications.Has(name) {
				// EG: the text with its prefix twice.
				return mistake(Invalid, "Failed to insert application: Failed to insert application: one or more property is invalid")
			}
		}
		name, _ := checked["name"].(string)
		if err := freeName(ctx, tx, user.ID, name); err != nil {
			return err
		}
		now := s.now()
		app = &Consumer{
			Kind: KindApplication, ID: uuid.NewString(), Name: name, UserID: user.ID, IsActive: true,
			Properties: rest(KindApplication, checked), CreatedAt: now, UpdatedAt: now,
		}
		return tx.PutConsumer(ctx, app)
	})
	return app, err
}

// freeName refuses a second application of one name for the same user.
func freeName(ctx context.Context, from Reader, userID, name string) error {
	same, err := from.Named(ctx, KindApplication, name)
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.UserID == userID {
			return mistake(Conflict, "the user already has an application with name: %s", name)
		}
	}
	return nil
}

// FindApplication finds an application by id, then by name.
func (s *Service) FindApplication(ctx context.Context, idOrName string) (*Consumer, error) {
	return findApplication(ctx, s.store, idOrName)
}

func findApplication(ctx context.Context, from Reader, idOrName string) (*Consumer, error) {
	c, err := present(from.Consumer(ctx, idOrName))
	if err != nil {
		return nil, err
	}
	if c != nil && c.Kind == KindApplication {
		return c, nil
	}
	named, err := from.Named(ctx, KindApplication, idOrName)
	if err != nil {
		return nil, err
	}
	switch len(named) {
	case 0:
		return nil, mistake(Missing, "Application not found: %s", idOrName)
	case 1:
		return named[0], nil
	default:
		return nil, mistake(Conflict, "Multiple applications found with name: %s; use the id", idOrName)
	}
}

// Applications lists one page of applications; next is 0 after the last one.
func (s *Service) Applications(ctx context.Context, page Page) (apps []*Consumer, next int, err error) {
	return s.store.Consumers(ctx, KindApplication, page)
}

// UpdateApplication changes fields of an application; a new name is found at once, the old one no
// longer (Express Gateway keeps finding the old one).
func (s *Service) UpdateApplication(ctx context.Context, idOrName string, fields map[string]any) (*Consumer, error) {
	var changed *Consumer
	err := s.update(ctx, func(tx Tx) error {
		app, err := findApplication(ctx, tx, idOrName)
		if err != nil {
			return err
		}
		if err := s.updatable(fields); err != nil {
			return err
		}
		changed = s.changed(app, fields)
		if name, ok := fields["name"].(string); ok && name != app.Name {
			if err := freeName(ctx, tx, app.UserID, name); err != nil {
				return err
			}
			changed.Name = name
		}
		return tx.PutConsumer(ctx, changed)
	})
	return changed, err
}

func (s *Service) updatable(fields map[string]any) error {
	for name := range fields {
		if !s.Models().Applications.Has(name) {
			return mistake(Invalid, "one or more properties is invalid")
		}
	}
	for name := range fields {
		if !s.Models().Applications.Mutable(name) {
			return mistake(Invalid, "invalid property %s", name)
		}
	}
	if name, given := fields["name"]; given {
		if text, ok := name.(string); !ok || text == "" {
			return mistake(Invalid, "data.name should be a string that is not empty")
		}
	}
	return nil
}

// DeleteApplication removes an application and its credentials.
func (s *Service) DeleteApplication(ctx context.Context, idOrName string) error {
	return s.update(ctx, func(tx Tx) error {
		app, err := findApplication(ctx, tx, idOrName)
		if err != nil {
			return err
		}
		return remove(ctx, tx, app)
	})
}

// SetApplicationActive activates or deactivates an application and tells whether that changed anything.
func (s *Service) SetApplicationActive(ctx context.Context, idOrName string, active bool) (changed bool, err error) {
	err = s.update(ctx, func(tx Tx) error {
		app, err := findApplication(ctx, tx, idOrName)
		if err != nil {
			return err
		}
		changed = app.IsActive != active
		return s.setActive(ctx, tx, app, active)
	})
	return changed, err
}

// FindConsumer finds whom a credential may belong to: a user by username or id, or an application by id.
func (s *Service) FindConsumer(ctx context.Context, id string) (*Consumer, error) {
	user, err := present(findUser(ctx, s.store, id))
	if user != nil || err != nil {
		return user, err
	}
	c, err := s.store.Consumer(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, mistake(Missing, "No consumer found with id: %s", id)
	}
	return c, err
}
