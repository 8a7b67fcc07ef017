package memory_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
	"egk8s.dev/egk8s/gateway/store/storetest"
)

func TestContract(t *testing.T) {
	open := func(t *testing.T) consumer.Store {
		t.Helper()
		store := memory.New()
		if err := storetest.Fill(t.Context(), store, storetest.Fixture()); err != nil {
			t.Fatal(err)
		}
		return store
	}
	storetest.Read(t, open)
	storetest.Write(t, open)
}

func TestUnknownCredentialTypeIsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	err := memory.New().Update(ctx, func(tx consumer.Tx) error {
		return tx.PutCredential(ctx, &consumer.Credential{Type: "zzz", ID: "x"})
	})
	if err == nil {
		t.Error("a credential of an unknown type was stored")
	}
}

func BenchmarkAuthenticateKey(b *testing.B) {
	store := memory.New()
	if err := storetest.Fill(b.Context(), store, storetest.Fixture()); err != nil {
		b.Fatal(err)
	}
	service, err := consumer.New(store, consumer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := service.AuthenticateKey(b.Context(), "k1", "secret1"); err != nil {
			b.Fatal(err)
		}
	}
}
