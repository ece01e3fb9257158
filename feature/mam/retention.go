package mam

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire/form"
	"parley/wire/jid"
)

// Sizes of the steps in which expire works.
const (
	expireEvery    = time.Hour
	expireBatch    = 1000 // entries per transaction
	expireAccounts = 200  // accounts per query
)

// expire removes entries older than each account's retention, in small steps.
func (a *archive) expire(ctx context.Context) error {
	t := time.NewTicker(expireEvery)
	defer t.Stop()
	for {
		if err := a.expireAll(ctx); err != nil && ctx.Err() == nil {
			a.h.Log.Error("cannot remove old messages from the archive", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// general is how long the host keeps messages; 0: for ever.
func (a *archive) general() time.Duration {
	if a.cfg.Retention == nil {
		return 0
	}
	return max(a.cfg.Retention(), 0)
}

func (a *archive) expireAll(ctx context.Context) error {
	for after := ""; ; {
		rs, err := a.st.Retentions(ctx, a.h.Domain, after, expireAccounts)
		if err != nil {
			return err
		}
		for _, r := range rs {
			keep := r.Effective(a.general())
			if keep == 0 {
				continue
			}
			for n := expireBatch; n == expireBatch; {
				if n, err = a.st.ExpireArchive(ctx, a.h.Domain, r.Name,
					a.h.Clock.Now().Add(-keep), expireBatch); err != nil {
					return err
				}
			}
		}
		if len(rs) < expireAccounts {
			return nil
		}
		after = rs[len(rs)-1].Name
	}
}

// The command with which people set how long their messages are kept (XEP-0050).
const (
	retentionNode = "https://parley.im/commands#archive-retention"
	day           = 24 * time.Hour
	maxDays       = 36500
)

func (a *archive) local(_ context.Context, who jid.JID) bool {
	return who.Domain() == a.h.Domain && who.Local() != ""
}

// spoken formats a retention for people.
func spoken(d time.Duration) string {
	switch {
	case d <= 0:
		return "for ever"
	case d%day != 0:
		return "for " + d.String()
	case d == day:
		return "for 1 day"
	}
	return fmt.Sprintf("for %d days", d/day)
}

func (a *archive) retentionForm(ctx context.Context, who jid.JID) (*form.Form, error) {
	r, err := a.st.Retention(ctx, a.h.Domain, who.Local())
	if err != nil {
		return nil, err
	}
	f := form.New(form.Ask, retentionNode)
	f.Title = "How long my messages are kept"
	f.Instructions = "Your messages are kept " + spoken(r.Effective(a.general())) + "."
	if r.Set != 0 {
		f.Instructions += " An administrator has set this for your account."
		return f, nil
	}
	own := ""
	if r.Own > 0 {
		own = strconv.Itoa(int(r.Own / day))
	}
	f.Add("days", form.TextSingle,
		"Days after which my messages are removed; empty: as for everybody, "+spoken(a.general()), own)
	return f, nil
}

// setRetention writes the person's choice. Older messages are gone within an hour.
func (a *archive) setRetention(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	if f.Type != form.Submit {
		return "", nil, server.BadRequest
	}
	var own time.Duration
	if text := strings.TrimSpace(f.Get("days")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxDays {
			return "", nil, &server.NoteError{
				Text: fmt.Sprintf("Write a number of days from 1 to %d, or nothing.", maxDays),
			}
		}
		own = time.Duration(n) * day
	}
	if g := a.general(); g > 0 && own > g {
		return "", nil, &server.NoteError{Text: "Messages are kept " + spoken(g) + " here, and no longer."}
	}
	var now store.Retention
	err := a.st.SetRetention(ctx, a.h.Domain, who.Local(), func(r *store.Retention) {
		if r.Set == 0 {
			r.Own = own
		}
		now = *r
	})
	if err != nil {
		return "", nil, err
	}
	if now.Set != 0 {
		return "", nil, &server.NoteError{
			Text: "An administrator has set for your account that messages are kept " +
				spoken(now.Effective(a.general())) + ".",
		}
	}
	return "Your messages are kept " + spoken(now.Effective(a.general())) + ".", nil, nil
}
