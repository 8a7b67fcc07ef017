// Package owner knows for whom egkube works: the user who called it, also
// through sudo.
package owner

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// Owner is the user to whom a cluster's kubeconfig and socket belong.
type Owner struct {
	UID  int
	GID  int
	Home string
	// Root says that this process has the rights of root.
	Root bool
}

// Find reads the caller from the process and, under sudo, from what sudo says.
func Find(getenv func(string) string, euid, egid int) (Owner, error) {
	o := Owner{UID: euid, GID: egid, Home: getenv("HOME"), Root: euid == 0}
	if !o.Root || getenv("SUDO_UID") == "" {
		return o, nil
	}
	uid, err := strconv.Atoi(getenv("SUDO_UID"))
	if err != nil {
		return o, fmt.Errorf("read SUDO_UID: %w", err)
	}
	gid, err := strconv.Atoi(getenv("SUDO_GID"))
	if err != nil {
		return o, fmt.Errorf("read SUDO_GID: %w", err)
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return o, fmt.Errorf("look up the user who called sudo: %w", err)
	}
	o.UID, o.GID, o.Home = uid, gid, u.HomeDir
	return o, nil
}

// Credential is what a program needs that should run as the owner, nil when this
// process is the owner already.
func (o Owner) Credential() *syscall.Credential {
	if !o.Root || o.UID == 0 {
		return nil
	}
	return &syscall.Credential{Uid: uint32(o.UID), Gid: uint32(o.GID)}
}
