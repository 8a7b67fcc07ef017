package consumer

import (
	"context"
	"slices"
)

// Scopes lists every scope.
func (s *Service) Scopes(ctx context.Context) ([]string, error) { return s.store.Scopes(ctx) }

// HasScope gives a Missing error when the scope does not exist.
func (s *Service) HasScope(ctx context.Context, scope string) error {
	all, err := s.store.Scopes(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(all, scope) {
		return mistake(Missing, "scope not found: %s", scope)
	}
	return nil
}

// CreateScopes adds scopes, all or none of them.
func (s *Service) CreateScopes(ctx context.Context, scopes []string) error {
	if slices.Contains(scopes, "") {
		return mistake(Invalid, "a scope needs a name")
	}
	return s.update(ctx, func(tx Tx) error {
		all, err := tx.Scopes(ctx)
		if err != nil {
			return err
		}
		for _, scope := range scopes {
			if slices.Contains(all, scope) {
				return mistake(Conflict, "One or more scopes already exist.")
			}
			all = append(all, scope)
			if err := tx.PutScope(ctx, scope); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteScope removes a scope, also from every credential that has it.
func (s *Service) DeleteScope(ctx context.Context, scope string) error {
	return s.update(ctx, func(tx Tx) error {
		all, err := tx.Scopes(ctx)
		if err != nil {
			return err
		}
		if !slices.Contains(all, scope) {
			return mistake(Missing, "scope not found: %s", scope)
		}
		credentials, err := tx.Credentials(ctx, "")
		if err != nil {
			return err
		}
		for _, cred := range credentials {
			if !slices.Contains(cred.Scopes, scope) {
				continue
			}
			if err := s.putScopes(ctx, tx, cred, without(cred.Scopes, scope)); err != nil {
				return err
			}
		}
		return tx.DeleteScope(ctx, scope)
	})
}

func without(list []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(have string) bool { return slices.Contains(gone, have) })
}

func (s *Service) putScopes(ctx context.Context, tx Tx, cred *Credential, scopes []string) error {
	next := *cred
	next.Scopes, next.UpdatedAt = scopes, s.now()
	return tx.PutCredential(ctx, &next)
}

// scopesExist refuses a scope that does not exist.
func scopesExist(ctx context.Context, from Reader, scopes []string) error {
	if len(scopes) == 0 {
		return nil
	}
	all, err := from.Scopes(ctx)
	if err != nil {
		return err
	}
	for _, scope := range scopes {
		if !slices.Contains(all, scope) {
			return mistake(Invalid, "One or more scopes don't exist")
		}
	}
	return nil
}
