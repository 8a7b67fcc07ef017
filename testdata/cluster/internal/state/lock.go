package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is a file lock that the kernel gives back when its holder ends, however
// it ends.
type Lock struct{ file *os.File }

// TakeLock waits for the lock; waiting is called once when somebody else has it.
func TakeLock(ctx context.Context, path string, waiting func()) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	for told := false; ; {
		l, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("take lock %s: %w", path, err)
		}
		if l != nil {
			return l, nil
		}
		if !told {
			waiting()
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("take lock %s: %w", path, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tryLock returns nothing when somebody else has the lock.
func tryLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if errors.Is(err, os.ErrPermission) {
		// The file of a cluster that another user (root) made can still be locked.
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	l := &Lock{file: f}
	if err == nil && l.current() {
		return l, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = nil
	}
	return nil, errors.Join(err, f.Close())
}

// current says whether the path still leads to the locked file, for Remove may
// have come between opening and locking.
func (l *Lock) current() bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.file.Name())
	return err == nil && os.SameFile(mine, there)
}

// Give makes somebody else the owner of the lock's file.
func (l *Lock) Give(uid, gid int) error {
	if err := l.file.Chown(uid, gid); err != nil {
		return fmt.Errorf("give lock to its owner: %w", err)
	}
	return nil
}

// Release gives the lock back.
func (l *Lock) Release() { _ = l.file.Close() }

// Remove gives the lock back and removes its file.
func (l *Lock) Remove() {
	_ = os.Remove(l.file.Name())
	l.Release()
}
