package mam

import (
	"context"
	"errors"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// A retracted message is removed from both sides' archives (XEP-0424, section 4) and replaced by a tombstone, before
// the retraction is delivered.

func (a *archive) sentRetraction(ctx context.Context, p *server.Pass) error {
	return a.bury(ctx, p, p.Stanza.To, false)
}

func (a *archive) receivedRetraction(ctx context.Context, p *server.Pass) error {
	return a.bury(ctx, p, p.Stanza.From, true)
}

func (a *archive) bury(ctx context.Context, p *server.Pass, with jid.JID, incoming bool) error {
	id, fastened := server.Retracts(p.Stanza)
	if id == "" || p.Stanza.Type == "groupchat" || p.Stanza.Type == "error" {
		return nil
	}
	e, err := a.st.FindArchived(ctx, a.h.Domain, p.Account, with.Bare().String(), id, incoming)
	if errors.Is(err, store.ErrNotFound) && fastened {
		e, id, err = a.byOrigin(ctx, p, with, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // never archived, or expired
	}
	if err != nil {
		return err
	}
	if theirs, err := a.theirs(ctx, p.Stanza.From, e.ID); err != nil || !theirs {
		return err
	}
	es, _, _, err := a.st.ReadArchive(ctx, a.h.Domain, p.Account,
		store.Page{With: with.Bare().String(), After: e.ID, Max: server.CorrectionsRead})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, c := range es {
		if from, ok := server.Corrects(c.Stanza, id); !ok || from.Bare() != p.Stanza.From.Bare() {
			continue
		}
		if err := a.entomb(ctx, p, c); err != nil {
			return err
		}
	}
	return a.entomb(ctx, p, e)
}

// theirs says whether an address belonged to the same account when the message was archived: a new account of that name
// cannot retract messages of a deleted one.
func (a *archive) theirs(ctx context.Context, from jid.JID, id store.ID) (bool, error) {
	f, err := a.st.Former(ctx, from.Domain(), from.Local())
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return id >= store.FirstID(f.Deleted), err
}

// byOrigin finds the message that the sender sent with this origin-id, and also gives its archive id.
func (a *archive) byOrigin(ctx context.Context, p *server.Pass, with jid.JID,
	origin string) (store.Archived, string, error) {
	es, _, _, err := a.st.ReadArchive(ctx, a.h.Domain, p.Account,
		store.Page{With: with.Bare().String(), Backwards: true, Max: server.CorrectionsRead})
	if err != nil {
		return store.Archived{}, "", err
	}
	for _, e := range slices.Backward(es) {
		if from, id, ok := server.IsMessage(e.Stanza, origin); ok && from.Bare() == p.Stanza.From.Bare() {
			return e, id, nil
		}
	}
	return store.Archived{}, "", store.ErrNotFound
}

func (a *archive) entomb(ctx context.Context, p *server.Pass, e store.Archived) error {
	left, err := server.Tombstone(e.Stanza, p.Stanza.ID, a.h.Clock.Now())
	if err != nil {
		return err
	}
	err = a.st.ReplaceArchived(ctx, a.h.Domain, p.Account, e.ID, left)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		a.h.Router.Retracted(ctx, p.Stanza.From.Bare(), e.Stanza)
	}
	return err
}
