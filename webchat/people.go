package webchat

import (
	"context"
	"errors"
	"strings"

	"parley/messages"
	"parley/store"
	"parley/wire/jid"
)

// scene is where something was said: it decides how people appear.
type scene struct {
	room      jid.JID                 // zero: between two people
	group     string                  // id of the room's group
	addressed bool                    // people appear with their addresses
	self      string                  // between two people: the account whose archive it is, bare
	with      string                  // and the other one, bare
	tasks     map[store.ID]store.Task // of the messages that are shown; nil: they are looked up one by one
}

func (s *Service) chatScene(account string, with jid.JID) scene {
	return scene{addressed: true, self: account + "@" + s.cfg.Host.Domain, with: with.String()}
}

// known is what is remembered of an account.
type known struct{ name, photo string }

// maxHats is how many hats of a person are shown.
const maxHats = 8

// person gives the name and the picture of an account of the host.
func (s *Service) person(ctx context.Context, account string) known {
	if k, ok := s.names.Get(account); ok {
		return k
	}
	drops := s.names.Drops()
	p, err := s.cfg.Store.Person(ctx, s.cfg.Host.Domain, account)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil { // not because the browser has gone
			s.failed("cannot read a name", err, "account", account)
		}
		return known{name: jid.Unescape(account)}
	}
	k := known{name: p.Display()}
	if s.cfg.Photo != nil {
		if k.photo, err = s.cfg.Photo(ctx, account); err != nil {
			s.failed("cannot find a picture", err, "account", account)
		}
	}
	s.names.PutUnless(account, k, drops)
	return k
}

// named gives the name and the picture behind an address.
func (s *Service) named(ctx context.Context, address string) (name, photo string) {
	local, domain, ok := strings.Cut(address, "@")
	if ok && domain == s.cfg.Host.Domain {
		k := s.person(ctx, local)
		return k.name, k.photo
	}
	return address, ""
}

// author gives somebody who has said or done something.
func (s *Service) author(ctx context.Context, a messages.Author, at scene) Author {
	if !at.addressed || a.Address == "" {
		id := a.Occupant
		if id == "" {
			id = a.Nick
		}
		return Author{ID: id, Name: a.Nick}
	}
	out := Author{ID: a.Address, Address: a.Address}
	out.Name, out.Photo = s.named(ctx, a.Address)
	if out.Name == a.Address && a.Nick != "" { // somebody of another server
		out.Name = a.Nick
	}
	if local, domain, ok := strings.Cut(a.Address, "@"); ok && domain == s.cfg.Host.Domain && s.cfg.Hats != nil {
		for _, h := range s.cfg.Hats(ctx, at.group, local) {
			if len(out.Hats) < maxHats {
				out.Hats = append(out.Hats, Hat{Name: h.Title})
			}
		}
	}
	return out
}

// message gives a message as a browser shows it.
func (s *Service) message(ctx context.Context, m *messages.Message, at scene) Message {
	out := Message{
		ID:     m.ID.String(),
		Origin: m.Origin,
		At:     m.At,
		Text:   m.Text,
		Kind:   kinds[m.Kind],
		Link:   m.Link,
	}
	if m.Origin == "" {
		out.Origin = m.Own
	}
	if m.Version > m.ID {
		out.Version = m.Version.String()
	}
	if by := m.By; m.Kind != messages.Room && (by.Address != "" || by.Nick != "" || at.self != "") {
		a := s.author(ctx, s.side(by, m.Incoming, at), at)
		out.By = &a
	}
	if !m.Edited.IsZero() {
		out.Edited = &m.Edited
	}
	if r := m.Removed; r != nil {
		out.Removed = &Removed{By: r.By, Reason: r.Reason, Own: r.Own}
		out.Text = ""
	}
	if r := m.Reply; r != nil {
		out.Reply = &Reply{ID: r.ID, By: s.replied(ctx, r, at), Text: r.Text, Gone: r.Gone}
	}
	for _, r := range m.Reactions {
		reaction := Reaction{Emoji: r.Emoji}
		for _, by := range r.By {
			reaction.By = append(reaction.By, s.author(ctx, by, at))
		}
		out.Reactions = append(out.Reactions, reaction)
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, File{f.URL, f.Name, f.Type, f.Size, f.Width, f.Height})
	}
	for _, x := range m.Mentions {
		place := Mention{Begin: x.Begin, End: x.End, Everyone: x.Everyone}
		if at.addressed {
			place.Address = x.Address
		}
		out.Mentions = append(out.Mentions, place)
	}
	if m.Opens != nil && m.Removed == nil {
		out.Opens = m.Opens.Room
	}
	if p := m.Preview; p != nil && m.Removed == nil {
		out.Preview = &Preview{p.Address, p.Title, p.Description, p.Site}
	}
	if m.Task != nil && m.Removed == nil {
		s.tellsOf(ctx, &out, m.Task, at)
	}
	return out
}

// side fills in who of the two has said something in a conversation between two people.
func (s *Service) side(by messages.Author, incoming bool, at scene) messages.Author {
	if at.self == "" || by.Address != "" {
		return by
	}
	by.Address = at.self
	if incoming {
		by.Address = at.with
	}
	return by
}

// replied gives the name of the author of a message that was answered.
func (s *Service) replied(ctx context.Context, r *messages.Reply, at scene) string {
	if at.addressed && r.Author.Address != "" {
		name, _ := s.named(ctx, r.Author.Address)
		return name
	}
	if r.By == "" || !at.addressed || !strings.Contains(r.By, "@") {
		return r.By
	}
	name, _ := s.named(ctx, r.By)
	return name
}

// kinds are the names of the kinds of messages.
var kinds = map[messages.Kind]string{
	messages.Subject:   "subject",
	messages.Me:        "me",
	messages.Meeting:   "meeting",
	messages.Encrypted: "encrypted",
}
