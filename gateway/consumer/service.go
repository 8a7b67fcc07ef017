package consumer

// Service applies the rules of consumers over a store. It is safe for concurrent use.
type Service struct {
	store Store
}

// New returns the rules over store.
func New(store Store) *Service {
	return &Service{store: store}
}
