// Package sharing lets clients use what the people of a team share, saved replies and contacts, by commands (XEP-0050).
// Contacts are sent as roster items to be added (XEP-0144).
package sharing

import (
	"context"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	nsRosterX = "http://jabber.org/protocol/rosterx"
	nodes     = "https://parley.im/commands#"
)

// Sharing is the feature.
type Sharing struct {
	h      *server.Host
	o      *org.Org
	events chan *org.Event
}

const maxEvents = 1024

// New makes the feature. Call it before anything changes.
func New(h *server.Host, o *org.Org) *server.Feature {
	s := &Sharing{h: h, o: o, events: make(chan *org.Event, maxEvents)}
	o.Subscribe(s.note)
	return &server.Feature{
		Name: "sharing",
		XEP: []server.XEP{{
			Number:  144,
			Title:   "Roster Item Exchange",
			Version: "1.1.1",
			Notes:   "contacts shared with a team are sent to its people",
			Partial: true,
		}},
		Commands: []server.Command{
			{Node: nodes + "snippets", Name: "Saved replies of my teams", Allowed: s.inTeam, Do: s.list},
			{Node: nodes + "new-snippet", Name: "New saved reply", Allowed: s.shares, Form: s.snippetForm, Do: s.put},
			{
				Node:    nodes + "delete-snippet",
				Name:    "Delete a saved reply",
				Allowed: s.shares,
				Form:    s.pick(store.SharedSnippet, "delete-snippet", "Delete a saved reply"),
				Do:      s.drop(store.SharedSnippet),
			},
			{Node: nodes + "team-contacts", Name: "Contacts of my teams", Allowed: s.inTeam, Do: s.contacts},
			{
				Node:    nodes + "share-contact",
				Name:    "Share a contact with a team",
				Allowed: s.shares,
				Form:    s.contactForm,
				Do:      s.putContact,
			},
			{
				Node:    nodes + "unshare-contact",
				Name:    "Stop sharing a contact",
				Allowed: s.shares,
				Form:    s.pick(store.SharedContact, "unshare-contact", "Stop sharing a contact"),
				Do:      s.drop(store.SharedContact),
			},
		},
		Run: s.run,
	}
}

func (s *Sharing) inTeam(ctx context.Context, who jid.JID) bool {
	if who.Domain() != s.h.Domain {
		return false
	}
	ts, err := s.o.TeamsOf(ctx, s.h.Domain, who.Local())
	return err == nil && len(ts) > 0
}

// shares says whether a person may share anything, or remove it.
func (s *Sharing) shares(ctx context.Context, who jid.JID) bool {
	ts, err := s.o.TeamsToShare(ctx, s.by(who), s.h.Domain)
	return err == nil && len(ts) > 0
}

func (s *Sharing) list(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
	xs, err := s.o.SharedOf(ctx, s.h.Domain, store.SharedSnippet, who)
	if err != nil || len(xs) == 0 {
		return "There are no saved replies yet.", nil, err
	}
	f := form.New(form.Result, nodes+"snippets")
	f.Title = "Saved replies"
	for _, x := range xs {
		f.Add(x.Team.Slug+"/"+x.Name, form.TextMulti, x.Name+" ("+x.Team.Name+")", strings.Split(x.Text, "\n")...)
	}
	return "", f, nil
}

// teams adds the teams as options of a form's first field.
func (s *Sharing) teams(ctx context.Context, f *form.Form, who jid.JID) error {
	ts, err := s.o.TeamsToShare(ctx, s.by(who), s.h.Domain)
	if err != nil {
		return err
	}
	first := ""
	var os []form.Option
	for _, t := range ts {
		if first == "" {
			first = t.Slug
		}
		os = append(os, form.Option{Label: t.Name, Value: t.Slug})
	}
	f.AddList("team", "Team", first, os...)
	return nil
}

func (s *Sharing) snippetForm(ctx context.Context, who jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodes+"new-snippet")
	f.Title, f.Instructions = "New saved reply",
		"The people of the team find it on their pages, and write !snippet and its name in a room."
	if err := s.teams(ctx, f, who); err != nil {
		return nil, err
	}
	f.Add("name", form.TextSingle, "Name").Required()
	f.Add("text", form.TextMulti, "Text").Required()
	return f, nil
}

func (s *Sharing) put(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	text := ""
	if fd := f.Field("text"); fd != nil {
		text = strings.Join(fd.Values, "\n")
	}
	err := s.o.PutSnippet(ctx, s.by(who), s.h.Domain, f.Get("team"), f.Get("name"), text)
	return "Saved.", nil, server.Noted(err)
}

func (s *Sharing) contactForm(ctx context.Context, who jid.JID) (*form.Form, error) {
	f := form.New(form.Ask, nodes+"share-contact")
	f.Title = "Share a contact with a team"
	if err := s.teams(ctx, f, who); err != nil {
		return nil, err
	}
	f.Add("contact", form.JIDSingle, "Address").Required()
	f.Add("name", form.TextSingle, "Name")
	return f, nil
}

func (s *Sharing) putContact(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	contact, err := jid.Parse(f.Get("contact"))
	if err != nil {
		return "", nil, stanza.Error{Type: stanza.Modify, Condition: stanza.NotAcceptable}
	}
	err = s.o.PutContact(ctx, s.by(who), s.h.Domain, f.Get("team"), contact, f.Get("name"))
	return "Shared.", nil, server.Noted(err)
}

// pick gives a function that makes a form with the shared things of a kind; drop removes the chosen one.
func (s *Sharing) pick(kind, node, title string) func(context.Context, jid.JID) (*form.Form, error) {
	return func(ctx context.Context, who jid.JID) (*form.Form, error) {
		ts, err := s.o.TeamsToShare(ctx, s.by(who), s.h.Domain)
		if err != nil {
			return nil, err
		}
		f := form.New(form.Ask, nodes+node)
		f.Title = title
		var os []form.Option
		for _, t := range ts {
			xs, err := s.o.TeamShares(ctx, s.h.Domain, t.ID, kind)
			if err != nil {
				return nil, err
			}
			for _, x := range xs {
				os = append(os, form.Option{Label: x.Name + " (" + t.Name + ")", Value: t.Slug + "/" + x.Name})
			}
		}
		f.AddList("which", "Which", "", os...)
		return f, nil
	}
}

func (s *Sharing) drop(kind string) func(context.Context, jid.JID, form.Form) (string, *form.Form, error) {
	return func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
		team, name, _ := strings.Cut(f.Get("which"), "/")
		return "Done.", nil, server.Noted(s.o.Unshare(ctx, s.by(who), s.h.Domain, team, kind, name))
	}
}

// contacts sends the contacts that the person's teams share, to be added to the person's list.
func (s *Sharing) contacts(ctx context.Context, who jid.JID, _ form.Form) (string, *form.Form, error) {
	xs, err := s.o.SharedOf(ctx, s.h.Domain, store.SharedContact, who)
	if err != nil || len(xs) == 0 {
		return "Your teams share no contacts yet.", nil, err
	}
	x := wire.E(nsRosterX, "x")
	lines := []string{"Contacts of your teams:"}
	for i, c := range xs {
		if i == maxItems { // section 6: more would be suspicious
			break
		}
		x.Add(item("add", c.Team.Name, c.Shared))
		lines = append(lines, strings.TrimSpace(c.Text+" xmpp:"+c.Name))
	}
	s.send(ctx, who, strings.Join(lines, "\n"), x)
	return "They were sent to you.", nil, nil
}

const maxItems = 150

func item(action, team string, c store.Shared) *wire.Element {
	return wire.E(nsRosterX, "item", wire.T(nsRosterX, "group", team)).Set("action", action).
		Set("jid", c.Name).Set("name", c.Text)
}

func (s *Sharing) send(ctx context.Context, to jid.JID, body string, x *wire.Element) {
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		From: s.h.JID,
		To:   to,
		ID:   s.h.NewID(),
	}
	s.h.Router.Send(ctx, st.Add(wire.T(wire.NSClient, "body", body), x))
}

func (s *Sharing) note(e org.Event) {
	if e.Host != s.h.Domain || e.Kind != org.Shared && e.Kind != org.Unshared || e.Shared.Kind != store.SharedContact {
		return
	}
	select {
	case s.events <- &e:
	default:
		s.h.Log.Warn("too many contacts are shared at once: some people learn of them when they ask")
	}
}

func (s *Sharing) by(who jid.JID) acts.Actor { return s.h.By(who, acts.Client) }

// run tells a team's people of contacts, in the background.
func (s *Sharing) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.events:
			s.tell(ctx, *e)
		}
	}
}

func (s *Sharing) tell(ctx context.Context, e org.Event) {
	ms, err := s.o.TeamPeople(ctx, e.Host, e.Team.Is.ID)
	if err != nil && ctx.Err() == nil {
		s.h.Log.Error("cannot tell of a shared contact", "err", err)
	}
	action, body := "add", "For the team "+e.Team.Is.Name+": "+strings.TrimSpace(e.Shared.Text+" xmpp:"+e.Shared.Name)
	if e.Kind == org.Unshared {
		action, body = "delete", "No longer shared with the team "+e.Team.Is.Name+": xmpp:"+e.Shared.Name
	}
	x := wire.E(nsRosterX, "x", item(action, e.Team.Is.Name, *e.Shared))
	for _, m := range ms {
		to, err := jid.New(m.Name, e.Host, "")
		if err != nil || to == e.Actor.Bare() || to.String() == e.Shared.Name ||
			len(s.h.Account(m.Name).Sessions()) == 0 {
			continue // people who are offline ask, or find it on the pages
		}
		s.send(ctx, to, body, x)
	}
}
