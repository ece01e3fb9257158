package web

import (
	"time"

	"parley/internal/fault"
	"parley/store"
)

// mayBackup is true for owners only: a backup has everything, of every host.
func (c *request) mayBackup() bool { return c.Actor.Role == store.RoleOwner && c.P.Operates(c.Actor) }

func (c *request) backup() error {
	if !c.mayBackup() {
		return fault.ErrRole
	}
	if err := c.s.System.MakeBackup(c.Actor); err != nil {
		return c.oops("/admin/system#backups", err)
	}
	return c.done("/admin/system#backups", "The backup is being made")
}

func (c *request) systemPage() error {
	ctx := c.r.Context()
	const most = 20
	before := store.ID(0)
	if b := c.form("mails"); b != "" {
		id, err := store.ParseID(b)
		if err != nil {
			return notFound
		}
		before = id
	}
	mails, err := c.s.Store.Mails(ctx, c.host(), before, most+1)
	if err != nil {
		return err
	}
	older := ""
	if len(mails) > most {
		mails = mails[:most]
		older = mails[most-1].ID.String()
	}
	counts, err := c.s.Store.CountMails(ctx, c.host())
	if err != nil {
		return err
	}
	look := c.form("dns") != ""
	records := c.s.System.Records(ctx, c.host(), look)
	backups, err := c.s.System.Backups(ctx)
	failed := ""
	if err != nil {
		failed = err.Error()
	}
	return c.show("system", c.T("System"), map[string]any{
		"Storage":     c.s.System.Storage(ctx, c.host()),
		"Backups":     backups,
		"BackupsFail": failed,
		"MayBackup":   c.mayBackup(),
		"Checks":      c.s.System.Health(ctx),
		"Info":        c.s.System.Info(ctx, c.host()),
		"Records":     records,
		"Looked":      look,
		"Mails":       mails,
		"OlderMails":  older,
		"Counts":      counts,
		"Sends":       c.P.Mails(),
		"Dev":         c.s.Outbox,
	})
}

// testMail sends a mail to the caller.
func (c *request) testMail() error {
	if c.Me.Email == "" {
		c.say("error", c.T("Your account has no e-mail address to send it to"))
		return c.to("/admin/system")
	}
	if err := c.P.TestMail(c.r.Context(), c.Actor, *c.Me, c.Lang.Code); err != nil {
		return c.oops("/admin/system", err)
	}
	return c.done("/admin/system", "A test message to {{.Address}} is on its way", "Address", c.Me.Email)
}

// mailAct tries to send a failed mail again.
func (c *request) mailAct() error {
	id, err := store.ParseID(c.r.PathValue("id"))
	if err != nil {
		return notFound
	}
	ms, err := c.s.Store.Mails(c.r.Context(), c.host(), id+1, 1)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.ID == id && m.State != store.MailSent {
			m.State, m.Due, m.Done = store.MailWaiting, c.now, time.Time{}
			if err := c.s.Store.SetMail(c.r.Context(), m); err != nil {
				return err
			}
			return c.done("/admin/system", "Trying again now")
		}
	}
	return notFound
}
