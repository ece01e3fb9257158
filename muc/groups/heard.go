package groups

import (
	"context"

	"parley/muc"
	"parley/store"
	"parley/wire/jid"
)

// Heard is a message in a room that its people may want to be notified of.
type Heard struct {
	Room      jid.JID
	Group     string // id of its group; "" for a free room
	Theme     string // key of the theme
	ID        store.ID
	By        string    // bare real address; "" if the room says it
	Mentioned []jid.JID // people who were told that they are mentioned
}

// saidRule passes on the messages that groups' rooms keep.
func saidRule(k *keeper) muc.Hooks {
	if k.s.cfg.Said == nil {
		return muc.Hooks{}
	}
	return muc.Hooks{Shown: func(m *muc.Message) {
		if m.Entry != nil {
			k.s.cfg.Said(k.group, k.theme, m.Entry)
		}
	}}
}

// heard passes on a message that has something to read. For a message that is not kept, h has no ID.
func (s *Service) heard(h Heard) {
	if h.ID != 0 && s.cfg.Heard != nil {
		s.cfg.Heard(h)
	}
}

// PeopleOf returns the people of the room where a message was said, whether they are in it now or not: everyone who may
// read the room; for a free room, everyone with an affiliation. A free room that is not in memory has none.
func (s *Service) PeopleOf(ctx context.Context, h Heard) ([]jid.JID, error) {
	var all map[jid.JID]string
	var err error
	if h.Group != "" {
		all, err = s.cfg.Org.AffiliationsOf(ctx, s.host.Domain, h.Group, h.Theme)
	} else if r := s.Loaded(h.Room.Local()); r != nil {
		all, err = r.Keeper().Affiliations(ctx)
	}
	js := make([]jid.JID, 0, len(all))
	for j, a := range all {
		if a != muc.Outcast {
			js = append(js, j)
		}
	}
	return js, err
}
