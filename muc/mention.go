package muc

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/limit"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Mentions: `@name`, `@all`, `@here` in the text, XEP-0372 references, XEP-0513 explicit mentions. Who is in the room sees
// them live; this is for who is not: they are told by what Config.Mentioned does.

const (
	nsMentions  = "urn:xmpp:mentions:0"
	nsReference = "urn:xmpp:reference:0"
)

// Mention is that people were mentioned in a message. All of them may read the room.
type Mention struct {
	Room   jid.JID
	Name   string // of the room
	Group  string // id of its group; "" for a free room
	ID     store.ID
	By     jid.JID // real, bare
	All    bool    // everyone of the room: People are then all of them
	People []jid.JID
}

// called is what a message says, not yet whom that means.
type called struct {
	people []jid.JID // bare, by name or address
	teams  []string  // by their names for addresses
	all    bool      // everyone who may read the room
	roles  []string  // XEP-0513, section 3.2.2: role or affiliation
	here   bool      // those who are in the room and not away
	count  int
}

// maxNames is how many names of one text are looked at.
const maxNames = 20

// mayMention says that a message may have mentions in it: what nearly all have not is not looked at further.
func mayMention(st *wire.Stanza) bool {
	for i := range st.Children {
		switch st.Children[i].Name.Space {
		case nsMentions, nsReference:
			return true
		}
	}
	return strings.IndexByte(st.BodyText(), '@') >= 0
}

// mentionRule tells people that they are mentioned, and says so to those who hear of each message.
func mentionRule(r *Room) Hooks {
	calls := limit.New[jid.JID](callingRate, callingBurst, limit.Most)
	if k, ok := r.keeper.(*grouped); ok {
		calls = k.calls
	}
	return Hooks{
		Features: r.mentionsOf,
		Info: func(_ context.Context, f *form.Form, c RoomConfig, _ string) {
			f.Fields = append(f.Fields, r.mentionForm(form.Result, c.mentionRules()).Fields[1:]...)
		},
		IQ: map[string]func(context.Context, *wire.Stanza, *wire.Element) (*wire.Element, error){nsMentions: r.onMentions},
		Shown: func(m *Message) {
			if !(m.o != nil || m.hook) || !r.mentions(m, calls) {
				r.s.heard(r.heardOf(m))
			}
		},
	}
}

// mentions does what follows from a message that is kept and shown, and names somebody: false if it does not. The room's
// goroutine finds out whom it names; who of them may know is asked elsewhere.
func (r *Room) mentions(p *Message, calls *limit.Keyed[jid.JID]) bool {
	if p.entry == nil || p.entry.Quiet || r.s.cfg.Mentioned == nil || !mayMention(p.out) {
		return false
	}
	rules := r.cfg.mentionRules()
	c := r.call(p, rules.Count)
	if c.count > rules.Count { // XEP-0513, section 3.6: too many are none
		return false
	}
	var by jid.JID
	moderator := false
	if p.o != nil {
		by, moderator = p.o.bare, p.o.role == "moderator"
	}
	if !allows(rules.Individual, moderator) {
		c.people, c.teams = nil, nil
	}
	if !allows(rules.Associations, moderator) {
		c.roles = nil
	}
	for _, role := range c.roles {
		c.people = append(c.people, r.withRole(role)...)
	}
	wide := c.all || c.here || len(c.teams) > 0
	if wide && (!allows(rules.Channel, moderator) || !calls.Allow(by, time.Time{})) {
		c.all, c.here, c.teams = false, false, nil
	}
	if c.here {
		c.people = append(c.people, r.attentive()...)
	}
	if len(c.people) == 0 && len(c.teams) == 0 && !c.all {
		return false
	}
	m := Mention{Room: r.jid, Name: r.cfg.Name, Group: r.group, ID: p.entry.ID, By: by, All: c.all, People: c.people}
	theme := r.theme
	free, heard := r.freeReaders(), r.heardOf(p)
	return r.s.background(func(ctx context.Context) {
		heard.Mentioned = r.s.mentioned(ctx, m, theme, c.teams, free)
		r.s.heard(heard)
	})
}

// attentive are those in the room who are not away.
func (r *Room) attentive() (who []jid.JID) {
	for _, o := range r.order {
		for i := range o.clients {
			show := ""
			if e := o.clients[i].presence.Element(wire.NSClient, "show"); e != nil {
				show = e.Text()
			}
			if show == "" || show == "chat" {
				who = append(who, o.bare)
				break
			}
		}
	}
	return who
}

// withRole gives the occupants with a role or affiliation.
func (r *Room) withRole(role string) (who []jid.JID) {
	for _, o := range r.order {
		if o.role == role || o.affiliation == role {
			who = append(who, o.bare)
		}
	}
	return who
}

// freeReaders are those who may read a free room: those who have an affiliation to it, and those who are in it.
func (r *Room) freeReaders() map[jid.JID]bool {
	if r.group != "" {
		return nil
	}
	all, _ := r.keeper.Affiliations(context.Background())
	m := make(map[jid.JID]bool, len(all)+len(r.order))
	for j, a := range all {
		if a != Outcast {
			m[j] = true
		}
	}
	for _, o := range r.order {
		m[o.bare] = true
	}
	return m
}

// call reads a message, and no further when it has more mentions than there may be.
func (r *Room) call(p *Message, most int) (c called) {
	st := p.out
	for i := range st.Children {
		if c.count > most {
			return c
		}
		switch st.Children[i].Name {
		case wire.Name{Space: nsReference, Local: "reference"}:
			if e, err := wire.ParseElement(st.Raw(st.Children[i]), ""); err == nil && e.Attr("type") == "mention" {
				r.callReference(&c, e, st)
			}
		case wire.Name{Space: nsMentions, Local: "mention"}:
			if e, err := wire.ParseElement(st.Raw(st.Children[i]), ""); err == nil {
				c.count++
				r.callExplicit(&c, e)
			}
		}
	}
	if c.count == 0 { // who says explicitly whom they mean is not read between the lines
		r.callText(&c, st.BodyText())
	}
	return c
}

// callReference is XEP-0372. Of many at one place, which are the people of a team that is called there, the team counts: who
// may call it, and how often, is not a matter of how it is written.
func (r *Room) callReference(c *called, e *wire.Element, st *wire.Stanza) {
	if begin := number(e.Attr("begin")); begin > 0 {
		text := []rune(st.BodyText())
		if begin < len(text) && text[begin-1] == '@' {
			var at called
			if n := r.callName(&at, string(text[begin:])); n > 0 && len(at.teams) > 0 {
				if !slices.Contains(c.teams, at.teams[0]) {
					c.count++
					c.teams = append(c.teams, at.teams[0])
				}
				return
			}
		}
	}
	c.count++
	r.callURI(c, e.Attr("uri"))
}

// callURI is XEP-0372, section 3.2: a person's address, or an occupant's.
func (r *Room) callURI(c *called, uri string) {
	rest, ok := strings.CutPrefix(uri, "xmpp:")
	if !ok {
		return
	}
	rest, _, _ = strings.Cut(rest, "?")
	if j, err := jid.Parse(rest); err == nil {
		r.callJID(c, j)
	}
}

func (r *Room) callJID(c *called, j jid.JID) {
	if j.Bare() == r.jid {
		if o := r.nicks[j.Resource()]; o != nil {
			c.people = append(c.people, o.bare)
		}
		return
	}
	if j.Local() != "" {
		c.people = append(c.people, j.Bare())
	}
}

// callExplicit is XEP-0513.
func (r *Room) callExplicit(c *called, e *wire.Element) {
	if e.Child(nsMentions, "noping") != nil {
		return
	}
	active := e.Child(nsMentions, "active") != nil
	kind, typed := strings.CutPrefix(e.Attr("mentions"), nsMentions+"#")
	switch {
	case !typed && e.Attr("mentions") != "":
	case !typed && e.Attr("occupantid") != "":
		for _, o := range r.order {
			if o.id == e.Attr("occupantid") {
				c.people = append(c.people, o.bare)
			}
		}
		for j := range r.peopleAround() {
			if r.occupantID(j) == e.Attr("occupantid") {
				c.people = append(c.people, j)
			}
		}
	case !typed:
		if j, err := jid.Parse(e.Attr("jid")); err == nil {
			r.callJID(c, j)
		}
	case kind == "channel" || kind == "space":
		if u := e.Attr("uri"); u != "" && u != "xmpp:"+r.jid.String() && u != org.SpaceIRI(r.s.host.Domain, r.group) {
			return // of another room: there one has to say it
		}
		if active {
			c.here = true
		} else {
			c.all = true
		}
	case kind == "hats":
		if _, slug, ok := strings.Cut(e.Attr("uri"), "/hats/team/"); ok {
			c.teams = append(c.teams, slug)
		}
	default:
		if role, ok := associations[kind]; ok {
			c.roles = append(c.roles, role)
		}
	}
}

// associations are the roles and affiliations that XEP-0513, section 3.2.2 names.
var associations = map[string]string{"moderators": "moderator", "participants": "participant", "visitors": "visitor",
	"owner": "owner", "admin": "admin", "member": "member", "none": "none"}

// peopleAround are those with an affiliation, who may be elsewhere; of a large group none: they would cost too much.
func (r *Room) peopleAround() map[jid.JID]string {
	m, err := r.keeper.Affiliations(context.Background())
	if err != nil || r.group != "" && len(m) > 500 {
		return nil
	}
	return m
}

// callText finds `@name` where a word begins: a nick in the room, which may have spaces, or else the name of an account
// or team.
func (r *Room) callText(c *called, text string) {
	before := ' '
	for i, ch := range text {
		if ch == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) && before != '@' && before != '/' {
			if c.count >= maxNames {
				return
			}
			if r.callName(c, text[i+1:]) > 0 {
				c.count++
			}
		}
		before = ch
	}
}

// callName reads the name that a text begins with, and gives its length; 0 if there is none.
func (r *Room) callName(c *called, rest string) int {
	best := -1
	for i, o := range r.order { // the longest nick that stands there
		if hasWord(rest, o.nick) && (best < 0 || len(o.nick) > len(r.order[best].nick)) {
			best = i
		}
	}
	if best >= 0 {
		c.people = append(c.people, r.order[best].bare)
		return len(r.order[best].nick)
	}
	end := strings.IndexFunc(rest, func(ch rune) bool {
		return !unicode.IsLetter(ch) && !unicode.IsDigit(ch) && !strings.ContainsRune("-_.", ch)
	})
	if end < 0 {
		end = len(rest)
	}
	word := strings.TrimRight(rest[:end], "-_.")
	name := strings.ToLower(word)
	switch name {
	case "":
		return 0
	case "all", "everyone":
		c.all = true
		return len(word)
	case "here":
		c.here = true
		return len(word)
	}
	if j, err := jid.New(name, r.s.host.Domain, ""); err == nil {
		c.people = append(c.people, j)
	}
	if r.group != "" {
		if _, err := r.s.cfg.Org.Team(context.Background(), r.s.host.Domain, name); err == nil {
			c.teams = append(c.teams, name)
		}
	}
	return len(word)
}

// hasWord says that s begins with the word, whatever its case, and that the word ends there.
func hasWord(s, word string) bool {
	if word == "" || len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[len(word):])
	return len(s) == len(word) || !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

// mentioned finds who of those named may read the room, and has them told. Nobody else learns of it.
func (s *Service) mentioned(ctx context.Context, m Mention, theme string, teams []string, free map[jid.JID]bool) []jid.JID {
	o, host := s.cfg.Org, s.host.Domain
	if m.All && m.Group != "" {
		ok, err := o.MayMention(ctx, host, m.Group, theme, m.By)
		if m.All = ok && err == nil; m.All {
			all, err := o.AffiliationsOf(ctx, host, m.Group, theme)
			if err != nil {
				s.mentionFailed(m, err)
			}
			for j := range all {
				m.People = append(m.People, j)
			}
		}
	} else if m.All {
		for j := range free {
			m.People = append(m.People, j)
		}
	}
	if m.Group != "" {
		for _, slug := range teams {
			m.People = append(m.People, s.team(ctx, m.By, slug)...)
		}
	}
	slices.SortFunc(m.People, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	m.People = slices.DeleteFunc(slices.Compact(m.People), func(j jid.JID) bool {
		if j == m.By || j.Domain() != host { // other servers tell their people themselves
			return true
		}
		if m.Group == "" {
			return !free[j]
		}
		a, err := o.Access(ctx, host, m.Group, theme, j)
		if err != nil {
			s.mentionFailed(m, err)
		}
		return err != nil || !a.Read
	})
	if len(m.People) > 0 {
		s.cfg.Mentioned(ctx, m)
	}
	return m.People
}

func (s *Service) mentionFailed(m Mention, err error) {
	if asStanzaError(err) == err {
		s.log.Error("a mention is not told", "room", m.Room.String(), "err", err)
	}
}

// team gives the people of a team, if it may be mentioned by this one; none if there is no such.
func (s *Service) team(ctx context.Context, by jid.JID, slug string) (who []jid.JID) {
	o, host := s.cfg.Org, s.host.Domain
	t, err := o.Team(ctx, host, slug)
	if err != nil {
		return nil
	}
	if ok, err := o.MayMentionTeam(ctx, host, t.ID, by); err != nil || !ok {
		return nil
	}
	ms, err := o.TeamPeople(ctx, host, t.ID)
	if err != nil {
		s.log.Error("a mention of a team is not told", "team", slug, "err", err)
	}
	for _, m := range ms {
		if j, err := jid.New(m.Name, host, ""); err == nil {
			who = append(who, j)
		}
	}
	return who
}

// mentionsOf are the kinds that a room announces (XEP-0513, section 2).
func (r *Room) mentionsOf() []string {
	fs := []string{nsMentions, nsMentions + "#channel", nsMentions + "#associations", nsReference}
	for kind := range associations {
		fs = append(fs, nsMentions+"#"+kind)
	}
	if r.group != "" {
		fs = append(fs, nsMentions+"#space", nsMentions+"#hats")
	}
	return fs
}
