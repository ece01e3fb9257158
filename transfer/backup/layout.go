package backup

import (
	"context"
	"time"
)

// Layout says where a server keeps what a backup holds, and where restoring puts it back.
type Layout struct {
	Version  string // Version is the program's; it goes into the manifest.
	DataDir  string // DataDir is the server's directory; short-lived copies and certificates by ACME (acme/) lie in it.
	Uploads  string // Uploads is the directory of shared files: one directory per host below it.
	Database string // Database is SQLite's file; "" for another engine.
	Bucket   bool   // Bucket says that shared files are in an object store, and so not in a backup.
	Hosts    []string
	Keys     []KeyFile // Keys are the certificates and keys that the configuration names.
}

// KeyFile is a file of a certificate or its key that the configuration names.
type KeyFile struct {
	Key  string `json:"key"`  // Key is the configuration's key: "tls.key".
	File string `json:"file"` // File is the path it had on the server that was backed up.
	Name string `json:"name"` // Name is the file's name in the backup.
}

// Store is the open database: *sqlstore.Store is one. Backup is called with SQLite only; it copies
// the database to a file.
type Store interface {
	// Engine gives the name of the database: sqlstore.SQLite, PostgreSQL or CockroachDB.
	Engine() string
	// Backup copies the database to a file.
	Backup(ctx context.Context, file string) error
}

// Contents says what a backup holds.
type Contents struct {
	Version  string    `json:"version"` // Version is that of the program that wrote the backup.
	Created  time.Time `json:"created"`
	Engine   string    `json:"engine"`
	Database bool      `json:"database"` // Database says that the backup holds the database.
	Hosts    []string  `json:"hosts"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`             // Bytes is the size of all files together.
	Missing  []string  `json:"missing,omitempty"` // Missing says what has to be backed up another way, and how.
}

// Restored says what a backup held and where its files went.
type Restored struct {
	Contents
	Placed []string `json:"placed,omitempty"` // Placed are the files and directories that were written.
}
