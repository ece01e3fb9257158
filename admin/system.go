package admin

import (
	"context"
	"errors"
	"io"
	"time"

	"parley/acts"
)

// System tells administrators of the server itself, on their pages, by the API and on the command line.
type System interface {
	// Health looks at what has to be well, which takes 3 seconds at most.
	Health(ctx context.Context) []Status
	Info(ctx context.Context, host string) Info
	// Storage is what a host's things take up; it may have been counted some minutes ago.
	Storage(ctx context.Context, host string) Storage
	Backups(ctx context.Context) (Backups, error)
	// MakeBackup begins a backup, to the directory for them; a *fault.Error if one is being made.
	MakeBackup(by acts.Actor) error
	// Backup writes a backup to w; a *fault.Error if one is being made. An error after the first byte leaves w without an
	// end.
	Backup(ctx context.Context, by acts.Actor, w io.Writer) error
	// Findings looks at all that a server needs to be well, which may take some seconds.
	Findings(ctx context.Context) []Finding
	// Records gives the DNS records that a host needs; with look also what is published.
	Records(ctx context.Context, host string, look bool) []DNSRecord
}

// ErrDiskFull is returned where the disk of the server has no room for what was asked for.
var ErrDiskFull = errors.New("the server's disk is full")

// Status is one thing that has to be well.
type Status struct {
	Name string
	OK   bool
	Text string
}

// Info is about the node.
type Info struct {
	Version, Go  string
	Store        string // name of the database
	Engine       string // "sqlite" or "postgres"
	Started      time.Time
	Sessions     int
	Doors        [][2]string // name and address
	Certificates []Certificate
	Mail         string // where mail goes; "" nowhere
}

// Certificate is one that is shown to clients.
type Certificate struct {
	Names   []string
	Issuer  string
	Expires time.Time
	Days    int
}

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

// Storage is what is taken up. What is not known is -1.
type Storage struct {
	Engine          string
	Database        int64 // bytes
	Archived, Rooms int64 // messages between people, and in rooms
	Files           int64
	FileBytes       int64
	Free            int64     // bytes where the data is
	Bucket          bool      // files are in an object store
	At              time.Time // when it was counted; zero: not yet
	Counting        bool
	Error           string
}

// States of findings and records.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

// Finding is one thing that was looked at.
type Finding struct {
	Area  string `json:"area"` // configuration, certificates, dns, ports, storage, clock, e-mail
	What  string `json:"what"`
	State string `json:"state"`
	Text  string `json:"text,omitempty"` // what was found
	Todo  string `json:"todo,omitempty"` // what to do about it
}

// DNSRecord is one to have.
type DNSRecord struct {
	Type  string `json:"type"` // SRV, A, CNAME
	Name  string `json:"name"`
	Value string `json:"value"`
	Why   string `json:"why"`
	Must  bool   `json:"must"` // something does not work without it
	// What was found: ok, warning (there is another one), failed (there is none, or it leads nowhere); "" if it was not
	// looked for.
	State string `json:"state,omitempty"`
	Found string `json:"found,omitempty"`
}
