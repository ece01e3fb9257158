package groups

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/everywhere"
	"parley/internal/fault"
	"parley/internal/limit"
	"parley/messages"
	"parley/muc"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Mentions: `@name`, `@all`, `@here` in the text, XEP-0372 references, XEP-0513 explicit mentions. People in the room
// see them live. Config.Mentioned tells the others.

const (
	nsMentions  = "urn:xmpp:mentions:0"
	nsReference = "urn:xmpp:reference:0"
)

// Mention says that people were mentioned in a message. All of them may read the room.
type Mention struct {
	Room   jid.JID
	Name   string // of the room
	Group  string // id of its group; "" for a free room
	ID     store.ID
	By     jid.JID // real, bare
	All    bool    // everyone of the room: People are then all of them
	People []jid.JID
}

// called holds the mentions of a message; the people whom teams and roles stand for are found out later.
type called struct {
	people []jid.JID // bare, by name or address
	teams  []string  // by their names for addresses
	all    bool      // mentions everyone who may read the room
	roles  []string  // XEP-0513, section 3.2.2: role or affiliation
	here   bool      // the people who are in the room and not away
	count  int
}

// maxNames is how many names of one text are looked at.
const maxNames = 20

// mayMention says whether a message may have mentions in it. Nearly all have none, and are not looked at further.
func mayMention(st *wire.Stanza) bool {
	for i := range st.Children {
		switch st.Children[i].Name.Space {
		case nsMentions, nsReference:
			return true
		}
	}
	return strings.IndexByte(st.BodyText(), '@') >= 0
}

// mentions is the rule of mentions in one room.
type mentions struct {
	s            *Service
	r            *muc.Room
	org          *org.Org
	host         string
	group, theme string // "" in a free room
	calls        *limit.Keyed[jid.JID]
}

// How often one person may call many in one room.
const (
	callingRate  = 1.0 / 30
	callingBurst = 3
)

// mentionsOf makes the rule of a room, without a limit of its own in a free room.
func (s *Service) mentionsOf(r *muc.Room) *mentions {
	ms := &mentions{s: s, r: r, org: s.cfg.Org, host: s.host.Domain}
	if k := keeperOf(r); k != nil {
		ms.group, ms.theme, ms.calls = k.group, k.theme, k.calls
	}
	return ms
}

// mentionRule has people told that they are mentioned, and Config.Heard of each message.
func (s *Service) mentionRule(r *muc.Room) muc.Hooks {
	ms := s.mentionsOf(r)
	if ms.calls == nil {
		ms.calls = limit.New[jid.JID](callingRate, callingBurst, limit.Most)
	}
	return muc.Hooks{
		Features: ms.features,
		Info: func(_ context.Context, f *form.Form, c muc.RoomConfig, _ string) {
			f.Fields = append(f.Fields, ms.form(form.Result, mentionRules(&c)).Fields[1:]...)
		},
		IQ: map[string]func(context.Context, *wire.Stanza, *wire.Element) (*wire.Element, error){nsMentions: ms.onIQ},
		Shown: func(p *muc.Message) {
			if p.By == nil && !p.Program || !ms.tell(p) {
				s.heard(ms.heardOf(p))
			}
		},
	}
}

// heardOf describes a message for Heard. It is the zero value for a message that is not kept or has nothing to read.
func (ms *mentions) heardOf(p *muc.Message) Heard {
	if p.Entry == nil || p.Entry.Quiet {
		return Heard{}
	}
	return Heard{Room: ms.r.JID(), Group: ms.group, Theme: ms.theme, ID: p.Entry.ID, By: p.Entry.Sender}
}

// tell has the mentioned people told, once the message is kept and shown. It returns false if the message mentions
// nobody. The room's goroutine finds the mentions; another goroutine finds out which of these people may know of the
// message.
func (ms *mentions) tell(p *muc.Message) bool {
	if p.Entry == nil || p.Entry.Quiet || ms.s.cfg.Mentioned == nil || !mayMention(p.Stanza) {
		return false
	}
	rules := mentionRules(ms.r.Now())
	c := ms.call(p, rules.Count)
	if c.count > rules.Count { // XEP-0513, section 3.6: too many mentions count as none
		return false
	}
	var by jid.JID
	moderator := false
	if p.By != nil {
		by, moderator = p.By.Person(), p.By.Role() == "moderator"
	}
	if !allows(rules.Individual, moderator) {
		c.people, c.teams = nil, nil
	}
	if !allows(rules.Associations, moderator) {
		c.roles = nil
	}
	for _, role := range c.roles {
		c.people = append(c.people, ms.withRole(role)...)
	}
	wide := c.all || c.here || len(c.teams) > 0
	if wide && (!allows(rules.Channel, moderator) || !ms.calls.Allow(by, time.Time{})) {
		c.all, c.here, c.teams = false, false, nil
	}
	if c.here {
		c.people = append(c.people, ms.attentive()...)
	}
	elsewhere := c.here && ms.s.host.Everywhere.Others()
	if len(c.people) == 0 && len(c.teams) == 0 && !c.all && !elsewhere {
		return false
	}
	m := Mention{
		Room:   ms.r.JID(),
		Name:   ms.r.Now().Name,
		Group:  ms.group,
		ID:     p.Entry.ID,
		By:     by,
		All:    c.all,
		People: c.people,
	}
	theme := ms.theme
	free, heard := ms.freeReaders(), ms.heardOf(p)
	return ms.s.Background(func(ctx context.Context) {
		if elsewhere {
			m.People = append(m.People, ms.s.watchingElsewhere(m.Room)...)
		}
		heard.Mentioned = ms.s.mentioned(ctx, m, theme, c.teams, free)
		ms.s.heard(heard)
	})
}

// attentive gives those who are in the room, or follow it in a browser, and are not away.
func (ms *mentions) attentive() (who []jid.JID) {
	for _, o := range ms.r.Occupants() {
		if o.Attentive() {
			who = append(who, o.Person())
		}
	}
	return append(who, ms.s.watching(ms.r.JID())...)
}

// watching gives the people who follow a room in their browsers and are not away.
func (s *Service) watching(room jid.JID) []jid.JID {
	if s.cfg.Watching == nil {
		return nil
	}
	return s.cfg.Watching(room)
}

// watchingElsewhere gives the people who follow a room in browsers at other nodes and are not away.
func (s *Service) watchingElsewhere(room jid.JID) (who []jid.JID) {
	for _, some := range everywhere.Asked[[]jid.JID](s.host.Everywhere, watchingName, room) {
		who = append(who, some...)
	}
	return who
}

// watchingName is the name under which other nodes are asked who follows a room.
const watchingName = "watching"

// voices gives those who have a nick here: who is in the room, and who has spoken there lately.
func (ms *mentions) voices() []*muc.Occupant {
	return slices.Concat(ms.r.Occupants(), ms.r.Speakers())
}

// withRole gives the occupants with a role or affiliation.
func (ms *mentions) withRole(role string) (who []jid.JID) {
	for _, o := range ms.r.Occupants() {
		if o.Role() == role || o.Affiliation() == role {
			who = append(who, o.Person())
		}
	}
	return who
}

// freeReaders returns the people who may read a free room: those with an affiliation, and its occupants. It is nil for
// other rooms.
func (ms *mentions) freeReaders() map[jid.JID]bool {
	if ms.group != "" {
		return nil
	}
	all, _ := ms.r.Keeper().Affiliations(context.Background())
	m := make(map[jid.JID]bool, len(all)+len(ms.r.Occupants()))
	for j, a := range all {
		if a != muc.Outcast {
			m[j] = true
		}
	}
	for _, o := range ms.r.Occupants() {
		m[o.Person()] = true
	}
	return m
}

// call reads the mentions of a message. It stops once there are more than most.
func (ms *mentions) call(p *muc.Message, most int) (c called) {
	st := p.Stanza
	for i := range st.Children {
		if c.count > most {
			return c
		}
		switch st.Children[i].Name {
		case wire.Name{Space: nsReference, Local: "reference"}:
			if e, err := wire.ParseElement(st.Raw(st.Children[i]), ""); err == nil && e.Attr("type") == "mention" {
				ms.callReference(&c, e, st)
			}
		case wire.Name{Space: nsMentions, Local: "mention"}:
			if e, err := wire.ParseElement(st.Raw(st.Children[i]), ""); err == nil {
				c.count++
				ms.callExplicit(&c, e)
			}
		}
	}
	if c.count == 0 { // a message with explicit mentions is not searched for names
		m, _ := messages.Of(st) // what it repeats of another message calls nobody
		ms.callText(&c, m.Text)
	}
	return c
}

// callReference is XEP-0372. References to the people of a team, at the place where the text mentions the team, count
// as a mention of the team: the rules for mentioning a team do not depend on how a client writes it.
func (ms *mentions) callReference(c *called, e *wire.Element, st *wire.Stanza) {
	if begin := number(e.Attr("begin")); begin > 0 {
		text := []rune(st.BodyText())
		if begin < len(text) && text[begin-1] == '@' {
			var at called
			if n := ms.callName(&at, string(text[begin:])); n > 0 && len(at.teams) > 0 {
				if !slices.Contains(c.teams, at.teams[0]) {
					c.count++
					c.teams = append(c.teams, at.teams[0])
				}
				return
			}
		}
	}
	c.count++
	ms.callURI(c, e.Attr("uri"))
}

// callURI is XEP-0372, section 3.2: a person's address, or an occupant's.
func (ms *mentions) callURI(c *called, uri string) {
	rest, ok := strings.CutPrefix(uri, "xmpp:")
	if !ok {
		return
	}
	rest, _, _ = strings.Cut(rest, "?")
	if j, err := jid.Parse(rest); err == nil {
		ms.callJID(c, j)
	}
}

func (ms *mentions) callJID(c *called, j jid.JID) {
	if j.Bare() == ms.r.JID() {
		if o := ms.r.Occupant(j.Resource()); o != nil {
			c.people = append(c.people, o.Person())
		}
		return
	}
	if j.Local() != "" {
		c.people = append(c.people, j.Bare())
	}
}

// callExplicit is XEP-0513.
func (ms *mentions) callExplicit(c *called, e *wire.Element) {
	if e.Child(nsMentions, "noping") != nil {
		return
	}
	active := e.Child(nsMentions, "active") != nil
	kind, typed := strings.CutPrefix(e.Attr("mentions"), nsMentions+"#")
	switch {
	case !typed && e.Attr("mentions") != "":
	case !typed && e.Attr("occupantid") != "":
		for _, o := range ms.voices() {
			if o.ID() == e.Attr("occupantid") {
				c.people = append(c.people, o.Person())
			}
		}
		for j := range ms.peopleAround() {
			if ms.r.OccupantID(j) == e.Attr("occupantid") {
				c.people = append(c.people, j)
			}
		}
	case !typed:
		if j, err := jid.Parse(e.Attr("jid")); err == nil {
			ms.callJID(c, j)
		}
	case kind == "channel" || kind == "space":
		if u := e.Attr("uri"); u != "" && u != "xmpp:"+ms.r.JID().String() && u != org.SpaceIRI(ms.host, ms.group) {
			return // a mention of another room has to be explicit
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

// peopleAround returns everyone with an affiliation, in the room or not; nil for a large group, where that would cost
// too much.
func (ms *mentions) peopleAround() map[jid.JID]string {
	m, err := ms.r.Keeper().Affiliations(context.Background())
	if err != nil || ms.group != "" && len(m) > 500 {
		return nil
	}
	return m
}

// callText finds `@name` where a word begins: a nick in the room, which may have spaces, or else the name of an account
// or team.
func (ms *mentions) callText(c *called, text string) {
	before := ' '
	for i, ch := range text {
		if ch == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) && before != '@' && before != '/' {
			if c.count >= maxNames {
				return
			}
			if ms.callName(c, text[i+1:]) > 0 {
				c.count++
			}
		}
		before = ch
	}
}

// callName reads the name that a text begins with, and returns its length in bytes; 0 if it begins with no name.
func (ms *mentions) callName(c *called, rest string) int {
	var best *muc.Occupant
	for _, o := range ms.voices() { // the longest nickname at this place
		if hasWord(rest, o.Nick()) && (best == nil || len(o.Nick()) > len(best.Nick())) {
			best = o
		}
	}
	if best != nil {
		c.people = append(c.people, best.Person())
		return len(best.Nick())
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
	if j, err := jid.New(name, ms.host, ""); err == nil {
		c.people = append(c.people, j)
	}
	if ms.group != "" {
		if _, err := ms.org.Team(context.Background(), ms.host, name); err == nil {
			c.teams = append(c.teams, name)
		}
	}
	return len(word)
}

// hasWord says whether s begins with a word, in upper or lower case, that ends there.
func hasWord(s, word string) bool {
	if word == "" || len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[len(word):])
	return len(s) == len(word) || !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

// mentioned has the named people told if they may read the room, and returns them. It tells nobody else.
func (s *Service) mentioned(
	ctx context.Context,
	m Mention,
	theme string,
	teams []string,
	free map[jid.JID]bool,
) []jid.JID {
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
	if fault.Of(err) == nil {
		s.log.Error("a mention is not told", "room", m.Room.String(), "err", err)
	}
}

// team returns the people of a team that by may mention; nobody if by may not, or if the team does not exist.
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

// features gives the kinds of mentions that a room announces (XEP-0513, section 2).
func (ms *mentions) features() []string {
	fs := []string{nsMentions, nsMentions + "#channel", nsMentions + "#associations", nsReference}
	for kind := range associations {
		fs = append(fs, nsMentions+"#"+kind)
	}
	if ms.group != "" {
		fs = append(fs, nsMentions+"#space", nsMentions+"#hats")
	}
	return fs
}
