package consumer

import (
	"cmp"
	"errors"
	"sync/atomic"
	"time"
)

// Service applies the rules of consumers over a store. It is safe for concurrent use.
type Service struct {
	store  Store
	models atomic.Pointer[Models]
	now    func() time.Time
	cost   int

	passwords *passwords
}

// Options are what a Service may be told; the zero value gives Express Gateway's defaults.
type Options struct {
	Models     *Models          // nil: Express Gateway's own
	Now        func() time.Time // nil: time.Now
	BcryptCost int              // 0: 10, as crypto.saltRounds of system.config.yml
}

// New returns the rules over store.
func New(store Store, opts Options) (*Service, error) {
	s := &Service{store: store, now: opts.Now, cost: cmp.Or(opts.BcryptCost, 10)}
	if s.now == nil {
		s.now = time.Now
	}
	s.passwords = newPasswords(s.cost)
	models := opts.Models
	if models == nil {
		var err error
		if models, err = DefaultModels(); err != nil {
			return nil, err
		}
	}
	s.SetModels(models)
	return s, nil
}

// Models returns the models in force.
func (s *Service) Models() *Models { return s.models.Load() }

// SetModels makes models those that what is written from now on must follow; what the store holds stays.
func (s *Service) SetModels(models *Models) { s.models.Store(models) }

// present turns "the store holds no such thing" into a nil value without an error.
func present[T any](value *T, err error) (*T, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return value, err
}
