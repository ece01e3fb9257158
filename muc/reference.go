package muc

import (
	"context"
	"net/url"
	"strconv"
	"unicode"
	"unicode/utf8"

	"parley/wire"
	"parley/wire/jid"
)

// maxReferences is how many people one text names; more are called all the same, and their clients are not told by this.
const maxReferences = 50

// mentioning is a place of a text, counted in characters, that calls somebody.
type mentioning struct {
	begin, end int
	called
}

// mentionsIn finds the places where a text calls somebody by `@name`, as callText does.
func (r *Room) mentionsIn(text string) (all []mentioning) {
	before, at := ' ', 0
	for i, ch := range text {
		at++
		if ch == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) && before != '@' && before != '/' && len(all) < maxNames {
			m := mentioning{begin: at}
			if n := r.callName(&m.called, text[i+1:]); n > 0 {
				m.end = at + utf8.RuneCountInString(text[i+1:i+1+n])
				all = append(all, m)
			}
		}
		before = ch
	}
	return all
}

// References gives XEP-0372 references to those whom a text of somebody (bare) calls in a room by name or by a team: apps
// write them themselves, pages have no list of names to choose from. Nobody is named who may not read the room, and by an
// address only where all see addresses.
func (s *Service) References(ctx context.Context, where, by jid.JID, text string) ([]*wire.Element, error) {
	var found []mentioning
	var free map[jid.JID]bool
	var group, theme string
	real := false
	here := make(map[jid.JID]jid.JID)
	err := s.askRoom(ctx, where.Local(), busyTime, func(_ context.Context, r *Room) error {
		if found = r.mentionsIn(text); len(found) == 0 {
			return nil
		}
		free, group, theme, real = r.freeReaders(), r.group, r.theme, r.cfg.NonAnonymous
		for _, o := range r.order {
			here[o.bare] = o.jid
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
			es = append(es, wire.E(nsReference, "reference").Set("type", "mention").Set("begin", strconv.Itoa(m.begin)).Set("end", strconv.Itoa(m.end)).Set("uri", uri))
		}
	}
	return es, err
}

// mayRead says whether somebody may read a room: free are those of a room of no group.
func (s *Service) mayRead(ctx context.Context, group, theme string, free map[jid.JID]bool, who jid.JID) bool {
	if group == "" {
		return free[who]
	}
	a, err := s.cfg.Org.Access(ctx, s.host.Domain, group, theme, who)
	return err == nil && a.Read
}
