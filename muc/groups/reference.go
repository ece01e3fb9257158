package groups

import (
	"context"
	"net/url"
	"strconv"
	"unicode"
	"unicode/utf8"

	"parley/muc"
	"parley/wire"
	"parley/wire/jid"
)

// maxReferences is how many people the references of one text name. More may be called, and their clients are not told
// by this.
const maxReferences = 50

// mentioning is a place in a text that calls somebody. Its bounds count characters.
type mentioning struct {
	begin, end int
	called
}

// mentionsIn finds the places where a text calls somebody by `@name`, as callText does.
func (ms *mentions) mentionsIn(text string) (all []mentioning) {
	before, at := ' ', 0
	for i, ch := range text {
		at++
		if ch == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) && before != '@' && before != '/' &&
			len(all) < maxNames {
			m := mentioning{begin: at}
			if n := ms.callName(&m.called, text[i+1:]); n > 0 {
				m.end = at + utf8.RuneCountInString(text[i+1:i+1+n])
				all = append(all, m)
			}
		}
		before = ch
	}
	return all
}

// References returns XEP-0372 references to the people whom a text mentions in a room, by their names or by a team. by
// is the bare address of the person who writes it. Apps write references themselves; pages have no list of names to
// choose from. Only people who may read the room are named, and by their addresses only where everyone sees addresses.
func (s *Service) References(ctx context.Context, where, by jid.JID, text string) ([]*wire.Element, error) {
	var found []mentioning
	var free map[jid.JID]bool
	var group, theme string
	real := false
	here := make(map[jid.JID]jid.JID)
	err := s.Ask(ctx, where.Local(), muc.Patience, func(_ context.Context, r *muc.Room) error {
		ms := s.mentionsOf(r)
		if found = ms.mentionsIn(text); len(found) == 0 {
			return nil
		}
		free, group, theme, real = ms.freeReaders(), ms.group, ms.theme, r.Now().NonAnonymous
		for _, o := range ms.voices() {
			here[o.Person()] = o.JID()
		}
		return nil
	})
	var es []*wire.Element
	for _, m := range found {
		people := m.people
		for _, slug := range m.teams {
			people = append(people, s.team(ctx, by, slug)...)
		}
		for _, j := range people {
			if len(es) >= maxReferences || !s.mayRead(ctx, group, theme, free, j) {
				continue
			}
			uri := "xmpp:" + j.String()
			if o, in := here[j]; !real && in {
				uri = "xmpp:" + o.Bare().String() + "/" + url.PathEscape(o.Resource())
			} else if !real {
				continue
			}
			es = append(
				es,
				wire.E(
					nsReference,
					"reference",
				).Set(
					"type",
					"mention",
				).Set(
					"begin",
					strconv.Itoa(m.begin),
				).Set(
					"end",
					strconv.Itoa(m.end),
				).Set(
					"uri",
					uri,
				),
			)
		}
	}
	return es, err
}

// mayRead says whether a person may read a room. free holds the people who may read it if it is a free room.
func (s *Service) mayRead(ctx context.Context, group, theme string, free map[jid.JID]bool, who jid.JID) bool {
	if group == "" {
		return free[who]
	}
	a, err := s.cfg.Org.Access(ctx, s.host.Domain, group, theme, who)
	return err == nil && a.Read
}
