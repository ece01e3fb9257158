package groups

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/internal/fault"
	"parley/muc"
	"parley/store"
	"parley/store/fulltext"
	"parley/wire/jid"
)

// Mentionable is whom a person may mention in a room.
type Mentionable struct {
	People []Callee
	Total  int // how many people are found
	Teams  []CalledTeam

	// How many people `@all` and `@here` call, besides who asks; 0 if that person may not.
	Everyone, Here int
}

// Callee is somebody who may be mentioned.
type Callee struct {
	Address jid.JID // bare; an occupant's in a room that hides addresses
	Name    string  // the full name, or the nick
	Here    bool    // in the room, and not away
	Role    string  // that of a group's members; "" for somebody who is not a member
}

// CalledTeam is a team that may be mentioned.
type CalledTeam struct {
	Slug, Name string
	People     int
}

const maxCallees = 100

// Mentionable gives whom a person may mention in a room: people, at most limit, and teams of whose names each word of q
// begins a word, in any case and with or without accents; and everyone. Those in the room come first. Where people who
// are not members may read the room, they come after its members. In a room that hides addresses people are found by
// their nicks, if they are in it or have spoken there lately. A refusal says that the person may not read the room.
func (s *Service) Mentionable(ctx context.Context, room, by jid.JID, q string, limit int) (m Mentionable, err error) {
	by, limit = by.Bare(), max(1, min(limit, maxCallees))
	v, err := s.asks.look.Ask(ctx, room.Local(), muc.Patience, looking{By: by, Reads: true})
	if err != nil {
		return m, err
	}
	affiliations, err := s.affiliations(ctx, v)
	if err != nil {
		return m, err
	}
	words := fulltext.WordsIn(q)
	if allows(mentionRules(&v.C).Individual, v.Moderator) {
		all, err := s.callees(ctx, v, affiliations, by, words)
		if err != nil {
			return m, err
		}
		if len(all) < limit && v.Group != "" && !v.C.MembersOnly && len(words) > 0 {
			others, err := s.visiting(ctx, v, affiliations, by, q, limit-len(all))
			if err != nil {
				return m, err
			}
			all = append(all, others...)
		}
		m.Total, m.People = len(all), all[:min(limit, len(all))]
	}
	if s.mayCallAll(ctx, v, by) {
		s.countAll(&m, v, affiliations, by)
	}
	if v.Group != "" && allows(mentionRules(&v.C).Channel, v.Moderator) {
		m.Teams, err = s.callableTeams(ctx, by, words, limit)
	}
	return m, err
}

// affiliations gives the people of a room with their affiliations. Of a free room these are all who may read it.
func (s *Service) affiliations(ctx context.Context, v view) (all map[jid.JID]string, err error) {
	if v.Group == "" {
		return v.Free, nil
	}
	all, err = s.cfg.Org.AffiliationsOf(ctx, s.host.Domain, v.Group, v.Theme)
	for j, a := range all {
		if a == muc.Outcast {
			delete(all, j)
		}
	}
	return all, err
}

// callees finds the people of a room, in the order in which they are shown.
func (s *Service) callees(
	ctx context.Context, v view, affiliations map[jid.JID]string, by jid.JID, words []string,
) (found []Callee, err error) {
	if !v.C.NonAnonymous {
		for _, o := range v.Voices {
			if o.Person != by && begins(words, o.Occupant.Resource()) {
				found = append(found, Callee{o.Occupant, o.Occupant.Resource(), o.Attentive, groupRoles[o.Affiliation]})
			}
		}
		return inOrder(found), nil
	}
	here, nicks := make(map[jid.JID]bool), make(map[jid.JID]string)
	for _, o := range v.Voices {
		here[o.Person] = here[o.Person] || o.Attentive
		nicks[o.Person] = o.Occupant.Resource()
	}
	for _, j := range v.Watching {
		here[j] = true
	}
	full, err := s.fullNames(ctx, affiliations)
	if err != nil {
		return nil, err
	}
	for j, a := range affiliations {
		name, known := full[j.Local()]
		switch {
		case j == by, j.Domain() == s.host.Domain && !known:
			continue
		case j.Domain() != s.host.Domain:
			name = nicks[j]
		}
		name = cmp.Or(name, j.Name())
		if begins(words, name, j.Name()) {
			found = append(found, Callee{j, name, here[j], groupRoles[a]})
		}
	}
	return inOrder(found), nil
}

// fullNames gives the names of those of some people who have an enabled account here, by localpart.
func (s *Service) fullNames(ctx context.Context, people map[jid.JID]string) (map[string]string, error) {
	names := make([]string, 0, len(people))
	for j := range people {
		if j.Domain() == s.host.Domain {
			names = append(names, j.Local())
		}
	}
	return s.st.FullNames(ctx, s.host.Domain, names)
}

// visiting finds people who may read a room without being members.
func (s *Service) visiting(
	ctx context.Context, v view, members map[jid.JID]string, by jid.JID, q string, limit int,
) (found []Callee, err error) {
	page := store.UserPage{Max: limit + min(len(members), maxCallees)} // members are found, too
	us, _, _, err := s.st.FindUsers(ctx, s.host.Domain, strings.Fields(q), page)
	if err != nil {
		return nil, err
	}
	words := fulltext.WordsIn(q)
	for _, u := range us {
		j, err := jid.New(u.Name, s.host.Domain, "")
		if err != nil || j == by || members[j] != "" || !begins(words, u.FullName, j.Name()) {
			continue
		}
		if len(found) < limit && s.mayRead(ctx, v, j) {
			found = append(found, Callee{Address: j, Name: cmp.Or(u.FullName, j.Name())})
		}
	}
	return inOrder(found), nil
}

// inOrder puts people in the room first, then sorts by name.
func inOrder(found []Callee) []Callee {
	slices.SortFunc(found, func(a, b Callee) int {
		if a.Here != b.Here {
			if a.Here {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
			strings.Compare(a.Address.String(), b.Address.String()))
	})
	return found
}

// begins says whether each of some words begins a word of one of the names.
func begins(words []string, names ...string) bool {
	if len(words) == 0 {
		return true
	}
	var has []string
	for _, n := range names {
		has = append(has, fulltext.WordsIn(n)...)
	}
	for _, w := range words {
		if !slices.ContainsFunc(has, func(h string) bool { return strings.HasPrefix(h, w) }) {
			return false
		}
	}
	return true
}

// countAll counts the people whom `@all` and `@here` call.
func (s *Service) countAll(m *Mentionable, v view, affiliations map[jid.JID]string, by jid.JID) {
	for j := range affiliations {
		if j != by && j.Domain() == s.host.Domain { // other servers tell their people themselves
			m.Everyone++
		}
	}
	here := make(map[jid.JID]bool)
	for _, o := range v.Voices {
		if o.Attentive && o.Person != by && o.Person.Domain() == s.host.Domain {
			here[o.Person] = true
		}
	}
	for _, j := range v.Watching {
		if j != by {
			here[j] = true
		}
	}
	m.Here = len(here)
}

// callableTeams finds teams that a person may mention. org has all teams in memory.
func (s *Service) callableTeams(
	ctx context.Context, by jid.JID, words []string, limit int,
) (found []CalledTeam, err error) {
	o, host := s.cfg.Org, s.host.Domain
	ts, err := o.Teams(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, t := range ts {
		if len(found) == limit {
			break
		}
		if !begins(words, t.Name, t.Slug) {
			continue
		}
		if ok, err := o.MayMentionTeam(ctx, host, t.ID, by); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		people, err := o.TeamPeople(ctx, host, t.ID)
		if fault.Is(err, fault.NotFound) { // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, CalledTeam{t.Slug, t.Name, len(people)})
	}
	return found, nil
}
