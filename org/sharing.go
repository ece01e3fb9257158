package org

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// The people of a team share saved replies (snippets) and contacts.

const (
	maxShared      = 500  // of one kind per team
	maxSnippet     = 4000 // bytes
	maxSnippetName = 50   // characters
)

// SharedWith is a shared thing with its team.
type SharedWith struct {
	Team store.Team
	store.Shared
}

// SharedOf gives the things of a kind that a person's teams share, in order of team and name.
func (o *Org) SharedOf(ctx context.Context, host, kind string, who jid.JID) ([]SharedWith, error) {
	if who.Domain() != host {
		return nil, nil
	}
	ts, err := o.TeamsOf(ctx, host, who.Local())
	if err != nil {
		return nil, err
	}
	var all []SharedWith
	for _, t := range ts {
		xs, err := o.st.Shared(ctx, host, t.ID, kind)
		if err != nil {
			return nil, err
		}
		for _, x := range xs {
			all = append(all, SharedWith{t, x})
		}
	}
	return all, nil
}

// TeamShares gives a team's things of a kind, in order of name.
func (o *Org) TeamShares(ctx context.Context, host, team, kind string) ([]store.Shared, error) {
	return o.st.Shared(ctx, host, team, kind)
}

// Snippet returns a saved reply of a person's teams by its name, ignoring case; NotFound if it does not exist.
func (o *Org) Snippet(ctx context.Context, host string, who jid.JID, name string) (SharedWith, error) {
	all, err := o.SharedOf(ctx, host, store.SharedSnippet, who)
	for _, x := range all {
		if strings.EqualFold(x.Name, name) {
			return x, nil
		}
	}
	if err == nil {
		err = fault.At(fault.NotFound, "name", "your teams have no saved reply "+name)
	}
	return SharedWith{}, err
}

// teamFor returns a team if the actor is in it or is an administrator: they may change what it shares.
func (o *Org) teamFor(ctx context.Context, by acts.Actor, host, slug string) (store.Team, error) {
	t, err := o.Team(ctx, host, slug)
	if err != nil {
		return t, err
	}
	if ok, err := o.runs(ctx, host, by); err != nil || ok {
		return t, err
	}
	ts, err := o.TeamsOf(ctx, host, by.Who.Local())
	if err == nil && (by.Who.Domain() != host ||
		!slices.ContainsFunc(ts, func(m store.Team) bool { return m.ID == t.ID })) {
		err = fault.At(fault.Forbidden, "team", "you are not in this team")
	}
	return t, err
}

// TeamsToShare gives the teams that an actor may share something with: their own or, for administrators, all.
func (o *Org) TeamsToShare(ctx context.Context, by acts.Actor, host string) ([]store.Team, error) {
	ok, err := o.runs(ctx, host, by)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return o.Teams(ctx, host)
	case by.Who.Domain() != host:
		return nil, nil
	}
	return o.TeamsOf(ctx, host, by.Who.Local())
}

func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// unsendable says whether a character is not allowed in XML or could control a terminal.
func unsendable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff
}

// PutSnippet adds a team's saved reply or replaces its text. The team's people and administrators may do this.
func (o *Org) PutSnippet(ctx context.Context, by acts.Actor, host, team string, name, text string) error {
	name = strings.Join(strings.Fields(name), " ")
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxSnippetName:
		return fault.At(fault.Invalid, "name", "is missing, or longer than 50 characters")
	case text == "" || len(text) > maxSnippet:
		return fault.At(fault.Invalid, "text", "is missing, or longer than 4000 bytes")
	case strings.ContainsFunc(name, unprintable):
		return fault.At(fault.Invalid, "name", "has characters that cannot be shown")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unsendable):
		return fault.At(fault.Invalid, "text", "has characters that cannot be sent")
	}
	return o.share(ctx, by, host, team, store.Shared{Kind: store.SharedSnippet, Name: name, Text: text})
}

// PutContact shares a contact with a team; its people are told, so that they can add it to their lists. The team's
// people and administrators may do this.
func (o *Org) PutContact(ctx context.Context, by acts.Actor, host, team string, contact jid.JID, name string) error {
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > MaxName {
		return fault.At(fault.Invalid, "name", tooLong(MaxName))
	}
	if strings.ContainsFunc(name, unprintable) {
		return fault.At(fault.Invalid, "name", "has characters that cannot be shown")
	}
	if contact.Local() == "" {
		return fault.At(fault.Invalid, "contact", "is not the address of a person")
	}
	return o.share(ctx, by, host, team,
		store.Shared{Kind: store.SharedContact, Name: contact.Bare().String(), Text: name})
}

func (o *Org) share(ctx context.Context, by acts.Actor, host, team string, x store.Shared) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		t, err := o.teamFor(ctx, by, host, team)
		if err != nil {
			return err
		}
		if _, err := c.turn(ctx, versionShared, host, t.ID); err != nil {
			return err
		}
		x := x
		x.Host, x.Team, x.Updated = t.Host, t.ID, o.now()
		if who := creator(by); !who.IsZero() {
			x.Creator = who.String()
		}
		err = o.st.PutShared(ctx, x, maxShared)
		if errors.Is(err, store.ErrLimit) {
			return fault.New(fault.Limit, "", "the team cannot share more")
		}
		if err != nil {
			return err
		}
		c.Note(acts.TeamShare, t.Slug, acts.Detail{"kind": x.Kind, "name": x.Name})
		c.tell(Event{Kind: Shared, Host: t.Host, Team: TeamEvent{Is: t}, Shared: &x, Actor: creator(by)})
		return nil
	})
}

// Unshare removes a shared thing; the team's people are told of a removed contact. The team's people and administrators
// may do this.
func (o *Org) Unshare(ctx context.Context, by acts.Actor, host, team, kind, name string) error {
	return o.act(ctx, host, by, func(ctx context.Context, c *change) error {
		t, err := o.teamFor(ctx, by, host, team)
		if err != nil {
			return err
		}
		if _, err := c.turn(ctx, versionShared, host, t.ID); err != nil {
			return err
		}
		if err := o.st.DeleteShared(ctx, host, t.ID, kind, name); err != nil {
			return notFound(err, "the team shares no "+kind+" "+name)
		}
		c.Note(acts.TeamUnshare, t.Slug, acts.Detail{"kind": kind, "name": name})
		c.tell(Event{
			Kind:   Unshared,
			Host:   host,
			Team:   TeamEvent{Is: t},
			Shared: &store.Shared{Host: host, Team: t.ID, Kind: kind, Name: name},
			Actor:  creator(by),
		})
		return nil
	})
}
