package web

import (
	"context"
	"time"

	"parley/people"
	"parley/store"
)

// System tells of the server itself.
type System interface {
	// Health gives what is checked, "ok" or the reason, by name.
	Health(ctx context.Context) []Check
	Info(ctx context.Context, host string) Info
	// Storage is what a host's things take up; it may have been counted some minutes ago.
	Storage(ctx context.Context, host string) Storage
	Backups(ctx context.Context) (Backups, error)
	// MakeBackup begins one, to the directory for them; a mistake of who asks if one is being made.
	MakeBackup(by people.Actor) error
}

// Check is one thing that has to be well.
type Check struct {
	Name string
	OK   bool
	Text string
}

// Info is about the node.
type Info struct {
	Version, Go, Store string
	Started            time.Time
	Sessions           int
	Doors              [][2]string // name and address
	Certificates       []Certificate
	Mail               string // where mail goes; "" nowhere
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

// mayBackup: for owners, for who has a backup has everything, and of every host.
func (c *ctx) mayBackup() bool { return c.Actor.Role == store.RoleOwner && c.P.Operates(c.Actor) }

func (c *ctx) backup() error {
	if !c.mayBackup() {
		return forbidden
	}
	if err := c.s.System.MakeBackup(c.Actor); err != nil {
		return c.oops("/admin/system#backups", err)
	}
	return c.done("/admin/system#backups", "The backup is being made")
}

func (c *ctx) systemPage() error {
	ctx := c.r.Context()
	mails, err := c.s.Store.Mails(ctx, c.host(), 20)
	if err != nil {
		return err
	}
	counts, err := c.s.Store.CountMails(ctx, c.host())
	if err != nil {
		return err
	}
	look := c.form("dns") != ""
	records, err := c.s.Ops.Records(ctx, c.host(), look)
	if err != nil {
		return err
	}
	backups, err := c.s.System.Backups(ctx)
	failed := ""
	if err != nil {
		failed = err.Error()
	}
	return c.show("system", c.T("System"), map[string]any{"Storage": c.s.System.Storage(ctx, c.host()), "Backups": backups, "BackupsFail": failed, "MayBackup": c.mayBackup(),
		"Checks": c.s.System.Health(ctx), "Info": c.s.System.Info(ctx, c.host()),
		"Records": records, "Looked": look, "Mails": mails, "Counts": counts, "Sends": c.P.Mails(), "Dev": c.s.Outbox})
}

// testMail writes a mail to who asks.
func (c *ctx) testMail() error {
	if c.Me.Email == "" {
		c.say("error", c.T("Your account has no e-mail address to send it to"))
		return c.to("/admin/system")
	}
	if err := c.P.TestMail(c.r.Context(), c.Actor, *c.Me, c.Lang.Code); err != nil {
		return c.oops("/admin/system", err)
	}
	return c.done("/admin/system", "A test message to {{.Address}} is on its way", "Address", c.Me.Email)
}

// mailAct tries a mail again that has failed.
func (c *ctx) mailAct() error {
	id, err := store.ParseID(c.r.PathValue("id"))
	if err != nil {
		return notFound
	}
	ms, err := c.s.Store.Mails(c.r.Context(), c.host(), 200)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.ID == id && m.State != store.MailSent {
			m.State, m.Due, m.Done = store.MailWaiting, c.now, time.Time{}
			if err := c.s.Store.SetMail(c.r.Context(), m); err != nil {
				return err
			}
			return c.done("/admin/system", "It is tried again now")
		}
	}
	return notFound
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
