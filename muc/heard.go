package muc

import (
	"context"

	"parley/store"
	"parley/wire/jid"
)

// Heard is a message in a room that its people may want to be notified of.
type Heard struct {
	Room      jid.JID
	Group     string // id of its group; "" for a free room
	Theme     string // key of the theme
	ID        store.ID
	By        string    // real, bare; "" if the room says it
	Mentioned []jid.JID // who has been told that they are mentioned
}

// heardOf says what was heard; of what is not kept, or has nothing to read, the zero value.
func (r *Room) heardOf(p *Message) Heard {
	if p.entry == nil || p.entry.Quiet {
		return Heard{}
	}
	return Heard{Room: r.jid, Group: r.group, Theme: r.theme, ID: p.entry.ID, By: p.entry.Sender}
}

func (s *Service) heard(h Heard) {
	if h.ID != 0 && s.cfg.Heard != nil {
		s.cfg.Heard(h)
	}
}

// PeopleOf gives who is of a room now, whether they are in it or not: who may read it, or of a free room who has an
// affiliation to it.
func (s *Service) PeopleOf(ctx context.Context, h Heard) ([]jid.JID, error) {
	if h.Group != "" {
		all, err := s.cfg.Org.AffiliationsOf(ctx, s.host.Domain, h.Group, h.Theme)
		js := make([]jid.JID, 0, len(all))
		for j, a := range all {
			if a != Outcast {
				js = append(js, j)
			}
		}
		return js, err
	}
	r := s.loaded(h.Room.Local())
	if r == nil {
		return nil, nil
	}
	all, err := r.keeper.Affiliations(ctx)
	js := make([]jid.JID, 0, len(all))
	for j, a := range all {
		if a != Outcast {
			js = append(js, j)
		}
	}
	return js, err
}

// ForMembers says that a room is for its members only: what is said there is said to each of them. So it is of a room that
// is not in memory.
func (s *Service) ForMembers(room jid.JID) bool {
	r := s.loaded(room.Local())
	return r == nil || r.config().MembersOnly
}

func (s *Service) loaded(name string) *Room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[name]
}
