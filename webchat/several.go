package webchat

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/muc"
	"parley/muc/several"
	"parley/wire/jid"
)

// maxSeveral is how many conversations of several people a list has. Nobody is in more.
const maxSeveral = 500

// NewSeveral is a conversation of several people that somebody wants.
type NewSeveral struct {
	People []string `json:"people" minItems:"2" maxItems:"8" doc:"addresses of two to eight others"`
	Name   string   `json:"name,omitempty" maxLength:"200" doc:"none: it is called by the names of the others"`
}

// several gives the conversations of several people that a person is in, by id.
func (s *Service) several(ctx context.Context, who jid.JID) (map[string]Conversation, error) {
	rooms := s.cfg.Org.RoomDomain(s.cfg.Host.Domain)
	all, err := s.cfg.Store.SeveralOf(ctx, rooms, who.Bare().String(), maxSeveral)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Conversation, len(all))
	for i := range all {
		people, err := addresses(all[i].People)
		if err != nil {
			return nil, err
		}
		c := s.ofSeveral(ctx, all[i].Room+"@"+rooms, all[i].Title, people, who)
		out[c.ID] = c
	}
	return out, nil
}

// severalAt gives a conversation of several people whose room is in memory; ok is false if the room is another one.
func (s *Service) severalAt(ctx context.Context, id, who jid.JID) (c Conversation, ok bool, err error) {
	a, ok, err := s.Rooms.About(ctx, id.Local())
	if err != nil || !ok || !a.Several {
		return c, false, err
	}
	return s.ofSeveral(ctx, id.String(), a.Name, a.People, who), true, nil
}

// ofSeveral gives a conversation of several people as one of them sees it.
func (s *Service) ofSeveral(ctx context.Context, id, title string, people []jid.JID, who jid.JID) Conversation {
	c := Conversation{
		ID:     id,
		Kind:   "several",
		Me:     who.Bare().String(),
		Write:  true,
		React:  true,
		People: []Author{},
		Named:  title != "",
	}
	names := make(map[string]string, len(people))
	for _, j := range people {
		if j == who.Bare() {
			continue
		}
		a := Author{ID: j.String(), Address: j.String()}
		a.Name, a.Photo = s.named(ctx, a.Address)
		names[j.Local()] = a.Name
		c.People = append(c.People, a)
	}
	slices.SortFunc(c.People, func(a, b Author) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	c.Name = several.Title(title, people, who.Bare(), names)
	return c
}

// OpenSeveral gives the conversation of a person and several others, and makes it if there is none.
func (s *Service) OpenSeveral(ctx context.Context, by acts.Actor, cr Credential, n NewSeveral) (Conversation, error) {
	if _, err := s.browser(ctx, by.Name, cr); err != nil { // so that it hears what is said there
		return Conversation{}, err
	}
	others, err := addresses(n.People)
	if err != nil {
		return Conversation{}, err
	}
	room, _, err := s.Rooms.OpenSeveral(ctx, by, others, n.Name)
	if err != nil {
		return Conversation{}, refused(err)
	}
	return s.Of(ctx, by.Name, cr, room)
}

// AddPeople adds people to a conversation of several people.
func (s *Service) AddPeople(
	ctx context.Context, by acts.Actor, cr Credential, id jid.JID, people []string,
) (Conversation, error) {
	who, err := addresses(people)
	if err == nil {
		err = s.isSeveral(ctx, by, id)
	}
	if err == nil {
		err = refused(s.Rooms.AddToSeveral(ctx, by, id, who...))
	}
	if err != nil {
		return Conversation{}, err
	}
	return s.Of(ctx, by.Name, cr, id)
}

// Rename gives a conversation of several people a name; "" takes it away.
func (s *Service) Rename(
	ctx context.Context, by acts.Actor, cr Credential, id jid.JID, name string,
) (Conversation, error) {
	if err := s.isSeveral(ctx, by, id); err != nil {
		return Conversation{}, err
	}
	if err := s.Rooms.NameSeveral(ctx, by, id, name); err != nil {
		return Conversation{}, refused(err)
	}
	return s.Of(ctx, by.Name, cr, id)
}

// Leave takes a person out of a conversation of several people for good.
func (s *Service) Leave(ctx context.Context, by acts.Actor, id jid.JID) error {
	if err := s.isSeveral(ctx, by, id); err != nil {
		return err
	}
	return refused(s.Rooms.LeaveSeveral(ctx, by, id))
}

// isSeveral returns a refusal if somebody may not read a conversation, or if it is another one than of several people.
func (s *Service) isSeveral(ctx context.Context, by acts.Actor, id jid.JID) error {
	f, err := s.find(ctx, by.Who, id)
	if err == nil && f.conversation.Kind != "several" {
		err = fault.New(fault.Invalid, "id", "This is no conversation of several people")
	}
	return err
}

// Converses says whether people may begin conversations of several people.
func (s *Service) Converses() bool { return s.cfg.Converses != nil && s.cfg.Converses() }

// addresses reads the addresses of people.
func addresses(all []string) ([]jid.JID, error) {
	out := make([]jid.JID, 0, len(all))
	for _, a := range all {
		j, err := jid.Parse(a)
		if err != nil || j.Local() == "" || !j.IsBare() {
			return nil, fault.New(fault.Invalid, "people", "{{.Address}} is no address of a person", "Address", a)
		}
		out = append(out, j)
	}
	return out, nil
}

// SeveralChanged tells browsers who is in a conversation of several people now, and what it is called
// (several.Config.Told).
func (s *Service) SeveralChanged(_ context.Context, ch muc.SeveralChange) {
	s.tellRoom(roomFrame{Kind: roomSeveral, Room: ch.Room, Several: &ch})
	s.severalChanged(ch)
}

// severalChanged is SeveralChanged for the browsers of this node.
func (s *Service) severalChanged(ch muc.SeveralChange) {
	if s.open.Load() == 0 {
		return
	}
	for _, j := range ch.Added {
		for _, b := range s.of(j.Local()) { // at once: the room says next who is new
			s.watch(b, ch.Room, &viewer{addressed: true})
		}
	}
	s.do(func(ctx context.Context) {
		title, people := ch.Title, ch.People
		a, ok, err := s.Rooms.About(ctx, ch.Room.Local())
		if err != nil {
			s.failed("cannot tell browsers who is in a conversation", err, "room", ch.Room.String())
			return
		}
		if ok { // it may have changed once more
			title, people = a.Name, a.People
		}
		for _, j := range people {
			for _, b := range s.of(j.Local()) {
				s.watch(b, ch.Room, &viewer{addressed: true})
				b.buf.add(event("conversation", s.ofSeveral(ctx, ch.Room.String(), title, people, j)))
			}
		}
		for _, j := range ch.Left {
			s.leftSeveral(ch.Room, j, people)
		}
	})
}

// leftSeveral takes a conversation out of the browsers of somebody who is not among its people.
func (s *Service) leftSeveral(room, who jid.JID, people []jid.JID) {
	if slices.Contains(people, who) {
		return
	}
	for _, b := range s.of(who.Local()) {
		if s.unwatch(b, room.String()) {
			b.buf.add(event("gone", map[string]string{"conversation": room.String()}))
		}
	}
}
