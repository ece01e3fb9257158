package webchat

import (
	"context"
	"slices"
	"strings"

	"parley/internal/fault"
	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Seen says who has seen a message.
type Seen struct {
	Count  int      `json:"count"`
	People []Author `json:"people" doc:"none where more than 100 people are in the conversation"`
	More   bool     `json:"more" doc:"there are more people: offset, for the next part"`
}

const (
	maxNamed   = 100  // people of a conversation up to which those who have seen a message are named
	maxReaders = 5000 // people of a conversation who are looked at
	laterSaid  = 200  // messages after one by which somebody shows to have seen it
)

// ShowsSeen says whether the author of a message in a room sees its readers. Between two people the reader's client
// decides (XEP-0333).
func (s *Service) ShowsSeen() bool { return s.cfg.Seen == nil || s.cfg.Seen() }

// MayKnowReaders returns an error if a person may not know who has seen a message: it is for its author.
func (s *Service) MayKnowReaders(ctx context.Context, account string, id jid.JID, message string) error {
	_, _, _, err := s.ownMessage(ctx, account, id, message)
	return err
}

// ownMessage finds a message that a person has written, and who the person is.
func (s *Service) ownMessage(ctx context.Context, account string, id jid.JID,
	message string) (who jid.JID, f found, m messages.Message, err error) {
	if who, err = jid.New(account, s.cfg.Host.Domain, ""); err != nil {
		return who, f, m, err
	}
	if f, err = s.find(ctx, who, id); err != nil {
		return who, f, m, err
	}
	if f.scene.self == "" && !s.ShowsSeen() {
		return who, f, m, fault.New(fault.Forbidden, "", "Your organization does not show who has seen messages")
	}
	if m, err = s.one(ctx, account, id, &f, message); err != nil {
		return who, f, m, err
	}
	if !s.saidBy(ctx, who, id, &f, &m) {
		err = fault.New(fault.Forbidden, "", "Who has seen a message is for its author")
	}
	return who, f, m, err
}

// SeenBy says who has seen a message of one's own: whose mark is at it or after it, and who has said something since.
// It is found out when somebody asks: messages cost nothing more.
func (s *Service) SeenBy(ctx context.Context, account string, id jid.JID, message string,
	offset, limit int) (Seen, error) {
	out := Seen{People: []Author{}}
	who, f, m, err := s.ownMessage(ctx, account, id, message)
	if err != nil {
		return out, err
	}
	if f.scene.self != "" {
		seen, err := s.seenByOther(ctx, account, id, &m)
		if err == nil && seen && id != who {
			out.Count, out.People = 1, append(out.People, *s.inTask(ctx, id.String(), f.scene))
		}
		return out, err
	}
	people, err := s.peopleOf(ctx, &f)
	if err != nil {
		return out, err
	}
	seen, err := s.seenAmong(ctx, people, id, m.ID)
	if err != nil {
		return out, err
	}
	seen = slices.DeleteFunc(seen, func(address string) bool { return address == who.String() })
	out.Count = len(seen)
	if len(people) > maxNamed {
		return out, nil
	}
	for _, address := range seen {
		if a := s.inTask(ctx, address, f.scene); a != nil {
			out.People = append(out.People, *a)
		}
	}
	slices.SortFunc(out.People, func(a, b Author) int { return strings.Compare(a.Name, b.Name) })
	out.People = out.People[min(offset, len(out.People)):]
	if len(out.People) > limit {
		out.People, out.More = out.People[:limit], true
	}
	return out, nil
}

// peopleOf gives the people of a room: bare addresses.
func (s *Service) peopleOf(ctx context.Context, f *found) (all []string, err error) {
	if f.place == nil {
		as, err := s.cfg.Store.Affiliations(ctx, f.scene.room.Domain(), f.scene.room.Local())
		for _, a := range as {
			if a.Affiliation != "outcast" && len(all) < maxReaders {
				all = append(all, a.JID)
			}
		}
		return all, err
	}
	ms, err := s.cfg.Org.Members(ctx, s.cfg.Host.Domain, f.place.Group.ID)
	if err != nil {
		return nil, err
	}
	theme := ""
	if f.place.Theme != nil {
		theme = f.place.Theme.Key
		guests, err := s.cfg.Org.ThemePeople(ctx, s.cfg.Host.Domain, theme)
		if err != nil {
			return nil, err
		}
		ms = append(ms, guests...)
	}
	known := make(map[string]bool, len(ms))
	for _, m := range ms {
		j, err := jid.Parse(m.JID)
		if err != nil || known[m.JID] || len(all) == maxReaders {
			continue
		}
		known[m.JID] = true
		if a, err := s.cfg.Org.Access(ctx, s.cfg.Host.Domain, f.place.Group.ID, theme, j); err != nil {
			return nil, err
		} else if a.Read {
			all = append(all, m.JID)
		}
	}
	return all, nil
}

// seenAmong gives those of some people who have seen a message of a room.
func (s *Service) seenAmong(ctx context.Context, people []string, room jid.JID,
	id store.ID) (seen []string, err error) {
	var ours []string
	among := make(map[string]bool, len(people))
	for _, address := range people {
		among[address] = true
		if local, domain, _ := strings.Cut(address, "@"); domain == s.cfg.Host.Domain {
			ours = append(ours, local)
		}
	}
	found := make(map[string]bool)
	for some := range slices.Chunk(ours, 1000) {
		read, err := s.cfg.Inbox.ReadBy(ctx, room, id, some)
		if err != nil {
			return nil, err
		}
		for _, local := range read {
			found[local+"@"+s.cfg.Host.Domain] = true
		}
	}
	es, _, _, err := s.cfg.Store.ReadRoom(ctx, room.Domain(), room.Local(), store.Page{After: id, Max: laterSaid})
	if err != nil && store.KindOf(err) != fault.NotFound {
		return nil, err
	}
	for i := range es {
		if among[es[i].Sender] {
			found[es[i].Sender] = true
		}
	}
	for address := range found {
		seen = append(seen, address)
	}
	return seen, nil
}

// seenByOther says whether the other one of two people has seen a message: if their client has said so (XEP-0333),
// which is theirs to choose.
func (s *Service) seenByOther(ctx context.Context, account string, with jid.JID, m *messages.Message) (bool, error) {
	es, _, _, err := s.cfg.Store.ReadArchive(ctx, s.cfg.Host.Domain, account,
		store.Page{With: with.String(), After: m.ID, Max: laterSaid})
	if err != nil && store.KindOf(err) != fault.NotFound {
		return false, err
	}
	for i := range es {
		st, err := wire.ParseStanza(es[i].Stanza, wire.Limits{Stanza: len(es[i].Stanza)})
		if err != nil || st.From.Bare() != with {
			continue
		}
		// A marker of a later message of ours, and an answer, say it of this one as well.
		if st.Has(nsMarkers, "displayed") || server.Said(st) {
			return true, nil
		}
	}
	return false, nil
}
