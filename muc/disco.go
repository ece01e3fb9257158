package muc

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	nsPing     = "urn:xmpp:ping"
	nsSelfPing = "http://jabber.org/protocol/muc#self-ping-optimization"
	nsStableID = "http://jabber.org/protocol/muc#stable_id"
	nsNick     = "x-roomuser-item"
	nsTraffic  = "http://jabber.org/protocol/muc#traffic"
	nsUnique   = "http://jabber.org/protocol/muc#unique"
	nsEscaping = `jid\20escaping` // XEP-0106
)

// XEPs is what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{
	{
		Number:  45,
		Title:   "Multi-User Chat",
		Version: "1.35.5",
		Notes:   "the room does not tell new members that they were added (section 9.5); no 332 when the service stops",
		Partial: true,
	},
	{Number: 317, Title: "Hats", Version: "0.3.1"},
	{Number: 433, Title: "Extended Channel Search", Version: "0.1.0", Notes: "on each service, over its own rooms"},
	{Number: 500, Title: "MUC Slow Mode", Version: "0.1.1"},
	{Number: 502, Title: "MUC Activity Indicator", Version: "0.1.0"},
	{Number: 463, Title: "MUC Affiliations Versioning", Version: "0.2.0"},
	{Number: 486, Title: "MUC Avatars", Version: "0.1.0"},
	{Number: 307, Title: "Unique Room Names for Multi-User Chat", Version: "0.1"},
	{Number: 249, Title: "Direct MUC Invitations", Version: "1.2"},
	{
		Number:  410,
		Title:   "MUC Self-Ping (Schrödinger's Chat)",
		Version: "1.1.0",
		Notes:   "with the server's optimisation",
	},
	{Number: 421, Title: "Occupant identifiers for semi-anonymous MUCs", Version: "1.0.1"},
	{
		Number:  425,
		Title:   "Moderated Message Retraction",
		Version: "0.3.0",
		Notes:   "and version 0.2.1, for older clients",
	},
	{Number: 50, Title: "Ad-Hoc Commands", Version: "1.3.0"},
	{Number: 4, Title: "Data Forms", Version: "2.13.2"},
	{
		Number:  106,
		Title:   "JID Escaping",
		Version: "1.1.1",
		Notes:   "names of rooms and accounts are shown as people read them, and found as people type them",
	},
}

// receive is for the service itself.
func (s *Service) receive(ctx context.Context, st *wire.Stanza) error {
	if st.Kind != wire.IQ {
		if st.Kind == wire.Message && st.Type != "error" && st.Type != "headline" {
			return server.ServiceUnavailable
		}
		return nil
	}
	if st.Type != "get" && st.Type != "set" {
		return nil
	}
	if len(st.Children) != 1 {
		return server.BadRequest
	}
	if !st.Receipt.Earlier(ctx) { // the sender's activity in rooms
		return ErrClosing
	}
	n := st.Children[0].Name
	q := st.Element(n.Space, n.Local)
	e, err := s.answer(ctx, st, q)
	if err != nil {
		return err
	}
	s.Reply(ctx, st, e)
	return nil
}

func (s *Service) answer(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	node := q.Attr("node")
	switch {
	case q.Name.Space == wire.NSDiscoInfo && st.Type == "get":
		if e := server.CommandInfo(s.commands(), node); e != nil {
			return e, nil
		}
		if node != "" {
			return nil, server.ItemNotFound
		}
		return server.Info{Identities: []server.Identity{{Category: "conference", Type: "text", Name: s.cfg.Name}},
			Features: []string{
				wire.NSMUC,
				wire.NSDiscoInfo,
				wire.NSDiscoItems,
				nsPing,
				wire.NSCommands,
				nsUnique,
				nsSearch,
				nsVCard,
				nsHats,
				nsSelfPing,
				nsOccupantID,
				wire.NSMAM,
				nsStableID,
				wire.NSSID,
				nsEscaping,
			}}.Element(node), nil
	case q.Name.Space == wire.NSDiscoItems && st.Type == "get":
		if e := server.CommandItems(ctx, s.commands(), st.From, s.jid, node); e != nil {
			return e, nil
		}
		if node != "" {
			return nil, server.ItemNotFound
		}
		return s.list(ctx, st.From, q.Child(wire.NSRSM, "set"))
	case q.Name.Space == nsPing && st.Type == "get":
		return nil, nil
	case q.Name == wire.Name{Space: nsSearch, Local: "search"} && st.Type == "get":
		return s.search(ctx, st, q)
	case q.Name == wire.Name{Space: nsUnique, Local: "unique"} && st.Type == "get":
		return s.unique(ctx, st.From)
	case q.Name == wire.Name{Space: wire.NSCommands, Local: "command"} && st.Type == "set":
		return server.RunCommand(ctx, s.commands(), st.From, q)
	}
	return nil, server.ServiceUnavailable
}

// listed returns a room as the service's list shows it, and its configuration; ok is false if the list hides it from
// who.
func (s *Service) listed(
	ctx context.Context, row store.Room, who jid.JID,
) (it server.Item, c RoomConfig, ok bool, err error) {
	j, err := jid.New(row.Name, s.cfg.Domain, "")
	if err != nil {
		return it, c, false, nil
	}
	it = server.Item{JID: j, Name: j.Name()}
	if s.keeps(row) {
		c, ok, err = s.keepers.Listed(ctx, row, who)
	} else {
		c, err = s.configOf(row)
		ok = c.Public && !c.Locked
	}
	if err != nil || !ok {
		return it, c, false, err
	}
	if c.Name != "" {
		it.Name = c.Name
	}
	return it, c, true, nil
}

// keeps says whether a room is not a free one.
func (s *Service) keeps(row store.Room) bool { return s.keepers != nil && s.keepers.Keeps(row) }

// configOf gives the configuration of a free room's row.
func (s *Service) configOf(row store.Room) (RoomConfig, error) {
	c := s.cfg.Defaults
	if len(row.Config) == 0 {
		return c, nil
	}
	err := json.Unmarshal(row.Config, &c)
	return c, err
}

// roomIQ answers requests to a room that need nothing of what its goroutine owns: discovery, the archive, commands.
func (s *Service) roomIQ(ctx context.Context, st *wire.Stanza) (done bool, err error) {
	if len(st.Children) != 1 {
		return true, server.BadRequest
	}
	n := st.Children[0].Name
	switch n.Space {
	case wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSMAM, wire.NSCommands, nsVCard:
	default:
		return false, nil
	}
	r, err := s.find(ctx, st.To.Local())
	if errors.Is(err, store.ErrNotFound) {
		return true, server.ItemNotFound
	}
	if err == nil {
		err = r.unlocked(ctx, st.From)
	}
	if err != nil {
		return true, err
	}
	q := st.Element(n.Space, n.Local)
	var e *wire.Element
	switch n.Space {
	case wire.NSDiscoInfo:
		e, err = r.info(ctx, st, q.Attr("node"))
	case wire.NSDiscoItems:
		e, err = r.items(ctx, st, q.Attr("node"))
	case wire.NSMAM:
		e, err = r.archive(ctx, st, q)
	case wire.NSCommands:
		e, err = r.command(ctx, st, q)
	case nsVCard:
		e, err = r.vcard(ctx, st, q)
	}
	if err != nil {
		return true, err
	}
	s.Reply(ctx, st, e)
	return true, nil
}

// find gives a room, loaded if need be, when it has done all that it was given before: a request that is served beside
// its goroutine sees what its sender has sent before it (RFC 6120, section 10.1).
func (s *Service) find(ctx context.Context, name string) (*Room, error) {
	s.mu.RLock()
	r := s.rooms[name]
	s.mu.RUnlock()
	if r != nil && r.given.Load() == 0 {
		r.used.Store(time.Now().UnixNano())
		return r, nil
	}
	found := make(chan *Room, 1)
	err := s.Ask(ctx, name, Patience, func(_ context.Context, r *Room) error {
		found <- r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

// known returns an error if a person must not learn of the room.
func (r *Room) known(ctx context.Context, who jid.JID) error { return r.keeper.Knows(ctx, who, false) }

func (r *Room) info(ctx context.Context, st *wire.Stanza, node string) (*wire.Element, error) {
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if node == nsNick {
		return nickInfo(r.keeper.Nick(st.From)), nil
	}
	if node == nsTraffic { // section 18.1.1: nothing is removed from people's messages
		return nil, server.ServiceUnavailable
	}
	if e := server.CommandInfo(r.keeper.Commands(), node); e != nil {
		return e, nil
	}
	if node != "" {
		return nil, server.ItemNotFound
	}
	c := r.Config()
	pick := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	name := c.Name
	if name == "" {
		name = r.jid.Name()
	}
	mine, err := r.affiliation(ctx, st.From)
	if err != nil {
		return nil, err
	}
	fs := []string{
		nsRequest, nsRegForm, nsConfig, nsInfo, nsRegister, wire.NSModerate, nsModerate0, wire.NSRetract + "#tombstone",
		wire.NSMUC, wire.NSDiscoInfo, wire.NSDiscoItems, nsPing, nsSelfPing, nsStableID, nsOccupantID, wire.NSSID,
		wire.NSMAM, wire.NSMAM + "#extended", wire.NSMAM + "#groupchat-field",
		pick(c.MembersOnly, "muc_membersonly", "muc_open"), pick(c.NonAnonymous, "muc_nonanonymous",
			"muc_semianonymous"), pick(c.Persistent, "muc_persistent", "muc_temporary"),
		pick(c.Public, "muc_public", "muc_hidden"), pick(c.Moderated, "muc_moderated", "muc_unmoderated"),
		pick(c.Password != "", "muc_passwordprotected", "muc_unsecured"),
	}
	fs = append(fs, nsVCard, nsHats, nsVersions, wire.NSCommands)
	if r.s.cfg.Search {
		fs = append(fs, wire.NSFullText)
	}
	forms := []*wire.Element{r.infoForm(ctx, c, mine)}
	for i := range r.hooks {
		if f := r.hooks[i].Features; f != nil {
			fs = append(fs, f()...)
		}
		if f := r.hooks[i].Forms; f != nil {
			forms = append(forms, f()...)
		}
	}
	i := server.Info{
		Identities: []server.Identity{{Category: "conference", Type: "text", Name: name}},
		Features:   fs,
		Forms:      forms,
	}
	return i.Element(node), nil
}

func (r *Room) infoForm(ctx context.Context, c RoomConfig, mine string) *wire.Element {
	f := form.New("result", nsInfo)
	f.Add(prefix+"roomname", "text-single", "Name", c.Name)
	f.Add("muc#roominfo_description", "text-single", "Description", c.Description)
	f.Add("muc#roominfo_lang", "text-single", "Language", c.Lang)
	r.tellMore(f, c, mine)
	f.Add("muc#roominfo_slow_mode_duration", form.TextSingle, "Seconds from one message to the next",
		strconv.Itoa(c.SlowMode))
	if len(c.Avatars) > 0 {
		f.Add("muc#roominfo_avatarhash", form.TextMulti, "Hash of the picture", c.Avatars...)
	}
	f.Add("muc#roominfo_occupants", "text-single", "Occupants", strconv.Itoa(int(r.present.Load())))
	f.AddBool("muc#roominfo_changesubject", "Participants may change the subject", c.ChangeSubject)
	f.AddBool("muc#roominfo_subjectmod", "Participants may change the subject", c.ChangeSubject)
	f.AddBool(prefix+"changesubject", "Participants may change the subject", c.ChangeSubject)
	f.AddBool(prefix+"allowinvites", "Members may invite", c.Invites)
	f.Add(prefix+"allowpm", "text-single", "Private messages", c.PM)
	f.Add("muc#maxhistoryfetch", "text-single", "History on entering", strconv.Itoa(r.s.cfg.HistoryMax))
	for i := range r.hooks {
		if add := r.hooks[i].Info; add != nil {
			add(ctx, f, c, mine)
		}
	}
	return f.Element()
}

// nickInfo is section 6.6.
func nickInfo(nick string) *wire.Element {
	i := server.Info{}
	if nick != "" {
		i.Identities = []server.Identity{{Category: "conference", Type: "text", Name: nick}}
	}
	return i.Element(nsNick)
}

// items is section 6.5.
func (r *Room) items(ctx context.Context, st *wire.Stanza, node string) (*wire.Element, error) {
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if e := server.CommandItems(ctx, r.keeper.Commands(), st.From, r.jid, node); e != nil {
		return e, nil
	}
	if node != "" {
		return nil, server.ItemNotFound
	}
	items, err := r.keeper.Items(ctx, st.From)
	if err != nil {
		return nil, err
	}
	return server.ItemsElement("", items), nil
}

// command runs an ad-hoc command on a room (XEP-0050).
func (r *Room) command(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if st.Type != "set" || q.Name.Local != "command" {
		return nil, server.BadRequest
	}
	return server.RunCommand(ctx, r.keeper.Commands(), st.From, q)
}

// ranked lets people of this affiliation or a higher one use a command.
func (r *Room) ranked(least string) func(context.Context, jid.JID) bool {
	return func(ctx context.Context, who jid.JID) bool {
		a, err := r.affiliation(ctx, who)
		return err == nil && rank[a] >= rank[least]
	}
}

// commands are the service's.
func (s *Service) commands() []server.Command {
	if s.keepers == nil {
		return nil
	}
	return s.keepers.Commands()
}
