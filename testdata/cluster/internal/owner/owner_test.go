package owner_test

import (
	"os/user"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/owner"
)

func TestFind(t *testing.T) {
	t.Parallel()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("this machine has no user nobody")
	}
	env := map[string]string{"HOME": "/root", "SUDO_UID": nobody.Uid, "SUDO_GID": nobody.Gid}
	get := func(k string) string { return env[k] }
	o, err := owner.Find(get, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Root || o.UID == 0 || o.Home != nobody.HomeDir || o.Credential() == nil {
		t.Errorf("under sudo: %+v", o)
	}
	// The variables of a sudo long ago mean nothing to an ordinary process.
	if o, err = owner.Find(get, 1000, 1001); err != nil || o.UID != 1000 || o.GID != 1001 || o.Root || o.Credential() != nil {
		t.Errorf("as a user: %+v, %v", o, err)
	}
	delete(env, "SUDO_UID")
	if o, err = owner.Find(get, 0, 0); err != nil || o.UID != 0 || o.Home != "/root" || o.Credential() != nil {
		t.Errorf("as root: %+v, %v", o, err)
	}
	env["SUDO_UID"] = "x"
	if _, err = owner.Find(get, 0, 0); err == nil {
		t.Error("nonsense is accepted")
	}
}
