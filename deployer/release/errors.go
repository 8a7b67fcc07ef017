// Package release keeps the history of a release in Helm's own records, so that the helm program
// can list, show, roll back and uninstall what egk8s deployed; and beside them our intent, the
// inventory of what we sent, and the lock that keeps two deploys apart.
package release

import (
	"fmt"
	"time"
)

// LockedError says that another deploy of the same release is running.
type LockedError struct {
	Release string
	Holder  string // user@host pid 123
	Since   time.Time
	Expires time.Time // when the lock frees itself if its holder is dead
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("another deploy of %s is running: %s, since %s (the lock frees itself at %s)",
		e.Release, e.Holder, e.Since.Format(time.RFC3339), e.Expires.Format(time.RFC3339))
}

// NewerRecordError says that a newer egk8s made the last deploy.
type NewerRecordError struct {
	Release string
	Version string // of the egk8s that wrote the record
	Format  int    // of the record
}

func (e *NewerRecordError) Error() string {
	return fmt.Sprintf("release %s was last deployed by a newer egk8s (%s, record format %d)", e.Release, e.Version, e.Format)
}
