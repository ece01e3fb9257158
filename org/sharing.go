package org

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/store"
	"parley/wire/jid"
)

// What the people of a team share: saved replies (snippets) and contacts.

const (
	maxShared      = 500  // of one kind in a team
	maxSnippet     = 4000 // bytes
	maxSnippetName = 50   // characters
)

// SharedWith is something shared, with its team.
type SharedWith struct {
	Team store.Team
	store.Shared
}

// SharedOf lists what a person has of a kind by their teams, in order of team and name.
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

// TeamShares lists what a team has of a kind, in order of name.
func (o *Org) TeamShares(ctx context.Context, host, team, kind string) ([]store.Shared, error) {
	return o.st.Shared(ctx, host, team, kind)
}

// Snippet finds a saved reply of a person's teams by its name, whatever its case.
func (o *Org) Snippet(ctx context.Context, host string, who jid.JID, name string) (SharedWith, error) {
	all, err := o.SharedOf(ctx, host, store.SharedSnippet, who)
	for _, x := range all {
		if strings.EqualFold(x.Name, name) {
			return x, nil
		}
	}
	if err == nil {
		err = &Error{NotFound, "name", "your teams have no saved reply " + name}
	}
	return SharedWith{}, err
}

// teamFor gives a team to one of its people, or to an administrator (a zero JID): what it shares is theirs to change.
func (o *Org) teamFor(ctx context.Context, host, slug string, who jid.JID) (store.Team, error) {
	t, err := o.Team(ctx, host, slug)
	if err != nil || who.IsZero() {
		return t, err
	}
	ts, err := o.TeamsOf(ctx, host, who.Local())
	if err == nil && (who.Domain() != host || !slices.ContainsFunc(ts, func(m store.Team) bool { return m.ID == t.ID })) {
		err = &Error{Forbidden, "team", "you are not in this team"}
	}
	return t, err
}

func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// unsendable is what XML has no place for, or a terminal takes for an order.
func unsendable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff
}

// PutSnippet keeps a saved reply of a team.
func (o *Org) PutSnippet(ctx context.Context, host, team string, who jid.JID, name, text string) error {
	name = strings.Join(strings.Fields(name), " ")
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxSnippetName:
		return &Error{Invalid, "name", "is missing, or longer than 50 characters"}
	case text == "" || len(text) > maxSnippet:
		return &Error{Invalid, "text", "is missing, or longer than 4000 bytes"}
	case strings.ContainsFunc(name, unprintable):
		return &Error{Invalid, "name", "has characters that cannot be shown"}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unsendable):
		return &Error{Invalid, "text", "has characters that cannot be sent"}
	}
	t, err := o.teamFor(ctx, host, team, who)
	if err != nil {
		return err
	}
	return o.share(ctx, t, who, store.Shared{Kind: store.SharedSnippet, Name: name, Text: text})
}

// PutContact shares a contact with a team: its people are told, so that they may take it into their lists.
func (o *Org) PutContact(ctx context.Context, host, team string, who, contact jid.JID, name string) error {
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > maxName {
		return &Error{Invalid, "name", "is too long: at most 100 characters"}
	}
	if strings.ContainsFunc(name, unprintable) {
		return &Error{Invalid, "name", "has characters that cannot be shown"}
	}
	if contact.Local() == "" {
		return &Error{Invalid, "contact", "is no address of a person"}
	}
	t, err := o.teamFor(ctx, host, team, who)
	if err != nil {
		return err
	}
	return o.share(ctx, t, who, store.Shared{Kind: store.SharedContact, Name: contact.Bare().String(), Text: name})
}

func (o *Org) share(ctx context.Context, t store.Team, who jid.JID, x store.Shared) error {
	x.Host, x.Team, x.Updated = t.Host, t.ID, time.Now().UTC()
	if !who.IsZero() {
		x.Creator = who.Bare().String()
	}
	err := o.st.PutShared(ctx, x, maxShared)
	if errors.Is(err, store.ErrLimit) {
		return &Error{Forbidden, "", "the team shares as much as it may"}
	}
	if err != nil {
		return err
	}
	o.change.Lock()
	defer o.change.Unlock()
	o.tell(Event{Kind: Shared, Host: t.Host, Team: TeamEvent{Is: t}, Shared: &x, Actor: who})
	return nil
}

// Unshare takes something back; of contacts a team's people are told.
func (o *Org) Unshare(ctx context.Context, host, team, kind string, who jid.JID, name string) error {
	t, err := o.teamFor(ctx, host, team, who)
	if err != nil {
		return err
	}
	if err := o.st.DeleteShared(ctx, host, t.ID, kind, name); err != nil {
		return notFound(err, "the team shares no "+kind+" "+name)
	}
	o.change.Lock()
	defer o.change.Unlock()
	o.tell(Event{Kind: Unshared, Host: host, Team: TeamEvent{Is: t}, Shared: &store.Shared{Host: host, Team: t.ID, Kind: kind, Name: name}, Actor: who})
	return nil
}
