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
	v, err := s.asks.look.Ask(ctx, where.Local(), muc.Patience, looking{By: by, Text: text, Places: places})
	if err != nil {
		return nil, err
	}
	for _, m := range v.Found {
		people := m.People
		for _, slug := range m.Teams {
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
	for _, m := range v.Found {
		if !m.All && !m.Here {
			continue
		}
		e := bounded(wire.E(nsMentions, "mention").Set("mentions", nsMentions+"#channel"), m)
		if m.Here {
			e.Add(wire.E(nsMentions, "active"))
		}
		es = append(es, e)
	}
	return es, nil
}

// bounded says where in the text a mention is.
func bounded(e *wire.Element, m foundMention) *wire.Element {
	return e.Set("begin", strconv.Itoa(m.Begin)).Set("end", strconv.Itoa(m.End))
}

// looking is what somebody wants to know of the people of a room.
type looking struct {
	By     jid.JID // bare
	Reads  bool    // it is refused if the person may not read the room
	Text   string  // whom it mentions is wanted
	Places []Place
}

// view is what a room's goroutine knows of the people whom somebody may mention there.
type view struct {
	Group, Theme string
	C            muc.RoomConfig
	Moderator    bool               // the person who asks is one
	Free         map[jid.JID]string // who may read a free room, with their affiliations
	Voices       []voice
	Watching     []jid.JID // who follows the room in a browser and is not away
	Found        []foundMention
}

// voice is somebody in the room, or somebody who has spoken there lately.
type voice struct {
	Occupant, Person jid.JID
	Affiliation      string
	Attentive        bool
}

// foundMention is a place in a text that mentions people.
type foundMention struct {
	Begin, End int
	People     []jid.JID
	Teams      []string
	All, Here  bool
}

// look gives what a room knows, for a person of whom it finds out whether they are a moderator there. It is called on
// the room's goroutine.
func (s *Service) look(r *muc.Room, ctx context.Context, l looking) (v view, err error) {
	ms := s.mentionsOf(r)
	a, err := r.Keeper().Affiliation(ctx, l.By)
	if err != nil {
		return v, err
	}
	if l.Reads {
		err = r.Keeper().Reads(ctx, l.By, a)
	} else {
		err = checkPlaces(l.Text, l.Places, mentionRules(r.Now()).Count)
	}
	if err != nil {
		return v, err
	}
	v = view{Group: ms.group, Theme: ms.theme, C: r.Config(), Free: make(map[jid.JID]string)}
	for j := range ms.freeReaders() {
		if v.Free[j], err = r.Keeper().Affiliation(ctx, j); err != nil {
			return v, err
		}
	}
	v.Moderator = r.RoleFor(a) == "moderator"
	if o := r.Voice(l.By.Bare()); o != nil {
		v.Moderator = o.Role() == "moderator"
	}
	for _, o := range ms.voices() {
		v.Voices = append(v.Voices, voice{o.JID(), o.Person(), o.Affiliation(), o.Attentive()})
	}
	v.Watching = s.watching(r.JID())
	for _, m := range ms.mentionsAt(l.Text, l.Places) {
		v.Found = append(v.Found, foundMention{m.begin, m.end, m.people, m.teams, m.all, m.here})
	}
	return v, nil
}

// uri names a person as everyone in the room knows them; "" if nobody does.
func (v *view) uri(who jid.JID) string {
	if v.C.NonAnonymous {
		return "xmpp:" + who.String()
	}
	for _, o := range v.Voices {
		if o.Person == who {
			return "xmpp:" + o.Occupant.Bare().String() + "/" + url.PathEscape(o.Occupant.Resource())
		}
	}
	return ""
}

// mayRead says whether a person may read a room.
func (s *Service) mayRead(ctx context.Context, v view, who jid.JID) bool {
	if v.Group == "" {
		return v.Free[who] != ""
	}
	a, err := s.cfg.Org.Access(ctx, s.host.Domain, v.Group, v.Theme, who)
	return err == nil && a.Read
}

// mayCallAll says whether a person may mention everyone in a room.
func (s *Service) mayCallAll(ctx context.Context, v view, by jid.JID) bool {
	if !allows(mentionRules(&v.C).Channel, v.Moderator) {
		return false
	}
	if v.Group == "" {
		return true
	}
	ok, err := s.cfg.Org.MayMention(ctx, s.host.Domain, v.Group, v.Theme, by)
	return ok && err == nil
}
