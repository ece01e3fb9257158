package admin

import (
	"context"
	"errors"
	"io"
	"time"

	"parley/acts"
)

// System gives facts about the server to pages, to the API and to the command line.
type System interface {
	// Health checks the server, which takes 3 seconds at most.
	Health(ctx context.Context) []Status
	// Info describes the node, with the listeners and certificates of a host.
	Info(ctx context.Context, host string) Info
	// Storage returns how much storage a host uses. The numbers may be some minutes old.
	Storage(ctx context.Context, host string) Storage
	// Backups lists the backups in the directory for backups.
	Backups(ctx context.Context) (Backups, error)
	// MakeBackup starts a backup to the directory for backups; the error is a *fault.Error if one is running.
	MakeBackup(by acts.Actor) error
	// Backup writes a backup to w; the error is a *fault.Error if one is running. After an error w is incomplete.
	Backup(ctx context.Context, by acts.Actor, w io.Writer) error
	// Findings checks everything a server needs, which may take some seconds.
	Findings(ctx context.Context) []Finding
	// Records returns the DNS records that a host needs; with look also the published records.
	Records(ctx context.Context, host string, look bool) []DNSRecord
}

// ErrDiskFull is returned if the server's disk has no room for the request.
var ErrDiskFull = errors.New("the server's disk is full")

// Status is the result of a health check.
type Status struct {
	Name string
	OK   bool
	Text string
}

// Info describes the node.
type Info struct {
	Version, Go  string
	Store        string // name of the database
	Engine       string // "sqlite" or "postgres"
	Started      time.Time
	Sessions     int
	Doors        [][2]string // name and address
	Certificates []Certificate
	Mail         string // the relay for mail; "": no mail is sent
}

// Certificate is a certificate that the server shows to clients.
type Certificate struct {
	Names   []string
	Issuer  string
	Expires time.Time
	Days    int
}

// Backups describes the backups of the server.
type Backups struct {
	Dir     string
	Engine  string    // of the database
	Running time.Time // the start of the running backup; zero: none is running
	Last    *LastBackup
	Files   []BackupFile // in Dir, the newest first
}

// LastBackup is the last backup that was started on a page or on the command line.
type LastBackup struct {
	At      time.Time
	By      string // localpart; "" is the command line
	Bytes   int64
	File    string // "": it was written elsewhere
	Error   string // "": it is complete
	Missing []string
}

// BackupFile is a backup in the directory for backups.
type BackupFile struct {
	Name  string
	Bytes int64
	At    time.Time
}

// Storage is the storage in use. A number that is not known is -1.
type Storage struct {
	Engine          string
	Database        int64 // bytes
	Archived, Rooms int64 // messages between people, and in rooms
	Files           int64
	FileBytes       int64
	Free            int64     // bytes where the data is
	Bucket          bool      // files are in an object store
	At              time.Time // when the storage was counted; zero: not yet
	Counting        bool
	Error           string
}

// States of findings and records.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

// Finding is the result of one check.
type Finding struct {
	Area  string `json:"area"` // configuration, certificates, dns, ports, storage, clock, e-mail
	What  string `json:"what"`
	State string `json:"state"`
	Text  string `json:"text,omitempty"` // the result
	Todo  string `json:"todo,omitempty"` // how to repair it
}

// DNSRecord is a DNS record that a host needs.
type DNSRecord struct {
	Type  string `json:"type"` // SRV, A, CNAME
	Name  string `json:"name"`
	Value string `json:"value"`
	Why   string `json:"why"`
	Must  bool   `json:"must"` // something does not work without it
	// State is the result of the lookup: ok, warning (there is another record), failed (there is none, or it leads
	// nowhere); "" without a lookup.
	State string `json:"state,omitempty"`
	Found string `json:"found,omitempty"`
}
