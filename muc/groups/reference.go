package groups

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/muc"
	"parley/wire"
	"parley/wire/jid"
)

// maxReferences is how many people the references of one text name. More may be called, and their clients are not told
// by this.
const maxReferences = 50

// Place is a place in a text where its writer mentions somebody. Its bounds count characters (code points).
type Place struct {
	Begin, End int
	Address    jid.JID // a person's or, in rooms that hide addresses, an occupant's
}

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

// mentionsAt gives what a text calls: at the places that its writer chose and, elsewhere, by `@name`.
func (ms *mentions) mentionsAt(text string, places []Place) (all []mentioning) {
	for _, p := range places {
		m := mentioning{begin: p.Begin, end: p.End}
		ms.callJID(&m.called, p.Address)
		all = append(all, m)
	}
	for _, m := range ms.mentionsIn(text) {
		chosen := func(p Place) bool { return p.Begin < m.end && m.begin-1 < p.End } // with its @
		if !slices.ContainsFunc(places, chosen) {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b mentioning) int { return a.begin - b.begin })
	return all
}

// checkPlaces refuses places that are not in the text, and more of them than a message may have.
func checkPlaces(text string, places []Place, most int) error {
	if most = min(most, maxReferences); len(places) > most {
		return fault.New(fault.Limit, "mentions", "at most {{.Max}} people can be mentioned in a message here",
			"Max", most)
	}
	n := utf8.RuneCountInString(text)
	for _, p := range places {
		if p.Begin < 0 || p.End <= p.Begin || p.End > n || p.Address.Local() == "" {
			return fault.At(fault.Invalid, "mentions", "must be places in the text")
		}
	}
	return nil
}

// References returns XEP-0372 references to the people whom a text mentions in a room: at places that its writer chose
// from a list and, elsewhere in the text, by their names or by a team. by is the bare address of the person who writes
// it. Only people who may read the room are named, and by their addresses only where everyone sees addresses. Because a
// message with references is not searched for names, `@all` and `@here` beside them are mentions of XEP-0513.
func (s *Service) References(ctx context.Context, where, by jid.JID, text string, places ...Place) (
	es []*wire.Element, err error) {
	var found []mentioning
	v, err := s.look(ctx, where, by, func(ms *mentions) error {
		if err := checkPlaces(text, places, mentionRules(ms.r.Now()).Count); err != nil {
			return err
		}
		found = ms.mentionsAt(text, places)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		people := m.people
		for _, slug := range m.teams {
			people = append(people, s.team(ctx, by, slug)...)
		}
		for _, j := range people {
			if len(es) >= maxReferences || !s.mayRead(ctx, v, j) {
				continue
			}
			if uri := v.uri(j); uri != "" {
				es = append(es, bounded(wire.E(nsReference, "reference").Set("type", "mention"), m).Set("uri", uri))
			}
		}
	}
	if len(es) == 0 || !s.mayCallAll(ctx, v, by) {
		return es, nil
	}
	for _, m := range found {
		if !m.all && !m.here {
			continue
		}
		e := bounded(wire.E(nsMentions, "mention").Set("mentions", nsMentions+"#channel"), m)
		if m.here {
			e.Add(wire.E(nsMentions, "active"))
		}
		es = append(es, e)
	}
	return es, nil
}

// bounded says where in the text a mention is.
func bounded(e *wire.Element, m mentioning) *wire.Element {
	return e.Set("begin", strconv.Itoa(m.begin)).Set("end", strconv.Itoa(m.end))
}

// view is what a room's goroutine knows of the people whom somebody may mention there.
type view struct {
	group, theme string
	c            muc.RoomConfig
	moderator    bool               // the person who asks is one
	free         map[jid.JID]string // who may read a free room, with their affiliations
	voices       []voice
	watching     []jid.JID // who follows the room in a browser and is not away
}

// voice is somebody in the room, or somebody who has spoken there lately.
type voice struct {
	occupant, person jid.JID
	affiliation      string
	attentive        bool
}

// look asks a room for what it knows, for a person of whom it finds out whether they are a moderator there. also is
// called on the room's goroutine before that.
func (s *Service) look(ctx context.Context, where, by jid.JID, also func(*mentions) error) (view, error) {
	seen := make(chan view, 1) // the room may answer when nobody waits any more
	err := s.Ask(ctx, where.Local(), muc.Patience, func(ctx context.Context, r *muc.Room) error {
		ms := s.mentionsOf(r)
		if err := also(ms); err != nil {
			return err
		}
		v := view{group: ms.group, theme: ms.theme, c: r.Config(), free: make(map[jid.JID]string)}
		for j := range ms.freeReaders() {
			a, err := r.Keeper().Affiliation(ctx, j)
			if err != nil {
				return err
			}
			v.free[j] = a
		}
		a, err := r.Keeper().Affiliation(ctx, by)
		if err != nil {
			return err
		}
		v.moderator = r.RoleFor(a) == "moderator"
		if o := r.Voice(by.Bare()); o != nil {
			v.moderator = o.Role() == "moderator"
		}
		for _, o := range ms.voices() {
			v.voices = append(v.voices, voice{o.JID(), o.Person(), o.Affiliation(), o.Attentive()})
		}
		v.watching = s.watching(r.JID())
		seen <- v
		return nil
	})
	if err != nil {
		return view{}, err
	}
	return <-seen, nil
}

// uri names a person as everyone in the room knows them; "" if nobody does.
func (v *view) uri(who jid.JID) string {
	if v.c.NonAnonymous {
		return "xmpp:" + who.String()
	}
	for _, o := range v.voices {
		if o.person == who {
			return "xmpp:" + o.occupant.Bare().String() + "/" + url.PathEscape(o.occupant.Resource())
		}
	}
	return ""
}

// mayRead says whether a person may read a room.
func (s *Service) mayRead(ctx context.Context, v view, who jid.JID) bool {
	if v.group == "" {
		return v.free[who] != ""
	}
	a, err := s.cfg.Org.Access(ctx, s.host.Domain, v.group, v.theme, who)
	return err == nil && a.Read
}

// mayCallAll says whether a person may mention everyone in a room.
func (s *Service) mayCallAll(ctx context.Context, v view, by jid.JID) bool {
	if !allows(mentionRules(&v.c).Channel, v.moderator) {
		return false
	}
	if v.group == "" {
		return true
	}
	ok, err := s.cfg.Org.MayMention(ctx, s.host.Domain, v.group, v.theme, by)
	return ok && err == nil
}
