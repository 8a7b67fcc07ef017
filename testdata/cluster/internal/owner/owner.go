// Package owner knows for whom egkube works: the user who called it, also
// through sudo.
package owner

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
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

// Give makes the owner the owner of everything in a folder that root has made
// for him.
func (o Owner) Give(dir string) error {
	if o.Credential() == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, o.UID, o.GID)
	})
	if err != nil {
		return fmt.Errorf("give folder to its owner: %w", err)
	}
	return nil
}

// MakeDir makes a folder, and those above it that are missing, and gives them to
// the owner.
func (o Owner) MakeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := o.MakeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	if o.Credential() == nil {
		return nil
	}
	if err := os.Chown(dir, o.UID, o.GID); err != nil {
		return fmt.Errorf("give folder to its owner: %w", err)
	}
	return nil
}
