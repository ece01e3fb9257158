package webchat

import (
	"context"

	"parley/muc/groups"
	"parley/wire/jid"
)

// Mentionable is whom a person may mention in a conversation.
type Mentionable struct {
	People   []Named `json:"people"`
	Total    int     `json:"total" doc:"how many people have such a name"`
	Teams    []Team  `json:"teams"`
	Everyone int     `json:"everyone,omitempty" doc:"how many people @all tells; none: one may not mention everyone"`
	Here     int     `json:"here,omitempty" doc:"how many people @here tells"`
}

// Named is a person who may be mentioned.
type Named struct {
	Author
	Here bool   `json:"here" doc:"the person is in the room and not away"`
	Role string `json:"role,omitempty"`
}

// Team is a team that may be mentioned.
type Team struct {
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	People int    `json:"people" doc:"how many people a mention tells"`
}

// MayMention gives whom a person may mention in a conversation, by the beginning of a name.
func (s *Service) MayMention(ctx context.Context, account string, id jid.JID, q string,
	limit int) (Mentionable, error) {
	out := Mentionable{People: []Named{}, Teams: []Team{}}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return out, err
	}
	f, err := s.find(ctx, who, id)
	if err != nil || f.scene.self != "" {
		return out, err
	}
	found, err := s.Rooms.Mentionable(ctx, id, who, q, limit)
	if err != nil {
		return out, refused(err)
	}
	out.Total, out.Everyone, out.Here = found.Total, found.Everyone, found.Here
	for _, p := range found.People {
		out.People = append(out.People, s.mentionable(ctx, p))
	}
	for _, t := range found.Teams {
		out.Teams = append(out.Teams, Team{t.Slug, t.Name, t.People})
	}
	return out, nil
}

func (s *Service) mentionable(ctx context.Context, p groups.Callee) Named {
	n := Named{Here: p.Here, Role: p.Role}
	n.Name, n.ID = p.Name, p.Name
	if !p.Address.IsZero() {
		n.Address = p.Address.String()
		n.ID = n.Address
		if p.Address.Domain() == s.cfg.Host.Domain {
			n.Photo = s.person(ctx, p.Address.Local()).photo
		}
	}
	return n
}

// places gives the places of a text that mention people, as rooms take them.
func places(ms []Mention) (all []groups.Place) {
	for _, m := range ms {
		if m.Address == "" {
			continue
		}
		if j, err := jid.Parse(m.Address); err == nil {
			all = append(all, groups.Place{Begin: m.Begin, End: m.End, Address: j})
		}
	}
	return all
}
