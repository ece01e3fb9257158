package web

import (
	"time"

	"parley/store"
)

// Backups are what is known of them.
type Backups struct {
	Dir     string
	Engine  string    // of the database
	Running time.Time // since when one is made; zero: none is
	Last    *LastBackup
	Files   []BackupFile // in Dir, the newest first
}

// LastBackup is the last one that was begun here or on the command line.
type LastBackup struct {
	At      time.Time
	By      string // localpart; "" is the command line
	Bytes   int64
	File    string // "": it went elsewhere
	Error   string // "": it is whole
	Missing []string
}

// BackupFile is one in the directory for them.
type BackupFile struct {
	Name  string
	Bytes int64
	At    time.Time
}

// backup begins one: for owners, for who has a backup has everything.
func (c *ctx) backup() error {
	if c.Actor.Role != store.RoleOwner {
		return forbidden
	}
	if err := c.s.System.MakeBackup(c.Actor); err != nil {
		return c.oops("/admin/system#backups", err)
	}
	return c.done("/admin/system#backups", "The backup is being made")
}
