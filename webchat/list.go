package webchat

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"parley/feature/bookmarks"
	"parley/feature/inbox"
	"parley/internal/fault"
	"parley/messages"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// List is what a browser begins with.
type List struct {
	Me            Me             `json:"me"`
	Conversations []Conversation `json:"conversations"`
	// Keeps is what the organization allows browsers.
	Keeps bool `json:"keeps" doc:"a browser may keep messages, to show them while offline"`
}

// Conversations gives every conversation of a person: the rooms of groups and themes that the person may read, other
// rooms that the person belongs to, and people with whom something was said. The newest comes first.
func (s *Service) Conversations(ctx context.Context, account string, c Credential) (List, error) {
	b, err := s.browser(ctx, account, c)
	if err != nil {
		return List{}, err
	}
	list := List{Me: s.me(ctx, account, c.ID), Conversations: []Conversation{}, Keeps: s.Keeps()}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return list, err
	}
	places, err := s.cfg.Org.Places(ctx, s.cfg.Host.Domain, who)
	if err != nil {
		return list, err
	}
	news, err := s.cfg.Inbox.Conversations(ctx, account)
	if err != nil {
		return list, err
	}
	read, err := s.marks(ctx, account)
	if err != nil {
		return list, err
	}
	few, err := s.several(ctx, who)
	if err != nil {
		return list, err
	}
	at := make(map[string]*org.Place, len(places))
	for i := range places {
		at[places[i].Room.String()] = &places[i]
	}
	for i := range news {
		c, ok, err := s.listed(ctx, &news[i], at, few, who)
		if err != nil {
			return list, err
		}
		if !ok {
			continue
		}
		if c.Kind == "person" {
			s.watchPerson(b, c.ID)
		}
		list.Conversations = append(list.Conversations, s.marked(ctx, c, who, read))
	}
	for i := range places { // where nothing was said yet
		if at[places[i].Room.String()] != nil {
			list.Conversations = append(list.Conversations, s.marked(ctx, s.placed(&places[i], who), who, read))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(few)) {
		list.Conversations = append(list.Conversations, s.marked(ctx, few[id], who, read))
	}
	return list, nil
}

// listed gives an entry of the inbox. It takes the entry's place, or the conversation of several people, out of those
// that are left. ok is false for a room that the person may not read.
func (s *Service) listed(ctx context.Context, e *inbox.Conversation, left map[string]*org.Place,
	few map[string]Conversation, who jid.JID) (c Conversation, ok bool, err error) {
	id := e.With.String()
	news := e.News()
	several, isSeveral := few[id]
	switch {
	case news == nil:
		c = s.withPerson(ctx, e.With, who)
	case isSeveral:
		c = several
		delete(few, id)
	case news.Free != "":
		if c, err = s.freeRoom(ctx, e.With, news.Free, who); err != nil {
			if _, refused := server.Refusal(err); refused || errors.Is(err, store.ErrNotFound) {
				return c, false, nil
			}
			return c, false, err
		}
	default:
		p := left[id]
		if p == nil {
			return c, false, nil
		}
		delete(left, id)
		c = s.placed(p, who)
	}
	c.Unread = &e.Unread
	mentions := 0
	if news != nil {
		mentions = news.Mentions
		c.Last = s.lastInRoom(ctx, news, c.Me != who.String())
	} else {
		c.Last = s.lastWith(ctx, e)
	}
	c.Mentions = &mentions
	return c, true, nil
}

// marked adds how far the person has read, and of what the person is notified.
func (s *Service) marked(ctx context.Context, c Conversation, who jid.JID, read map[string]store.ID) Conversation {
	zero := 0
	if c.Unread == nil {
		c.Unread, c.Mentions = &zero, &zero
	}
	if id := read[c.ID]; id != 0 {
		c.Read = id.String()
	}
	if c.Kind != "person" {
		c.Notify = s.notifies(ctx, who.Local(), jid.MustParse(c.ID))
	}
	return c
}

// marks gives how far an account has read each conversation.
func (s *Service) marks(ctx context.Context, account string) (map[string]store.ID, error) {
	return s.cfg.Inbox.ReadUpTo(ctx, account)
}

// placed gives the conversation in a room of a group or theme, without what is new in it. It asks no store.
func (s *Service) placed(p *org.Place, who jid.JID) Conversation {
	c := Conversation{
		ID:           p.Room.String(),
		Kind:         "group",
		Name:         p.Group.Name,
		Group:        p.Group.Slug,
		Me:           who.Bare().String(),
		Write:        p.Access.Write,
		Manage:       p.Access.Manages(),
		StartsThemes: p.Starts,
		React:        p.Reacts(),
		Topic:        p.Group.Description,
	}
	if hash, err := s.cfg.Org.PictureHash(p.Group); err != nil {
		s.failed("cannot draw the picture of a group", err, "group", p.Group.Slug)
	} else if hash != "" {
		c.Photo = "/g/" + p.Group.Slug + "/photo/" + hash
	}
	if !p.Addressed() {
		c.Me = "" // see identified
	}
	if p.Theme != nil {
		c.Kind, c.Name, c.Theme, c.Topic, c.Photo = "theme", p.Theme.Name, p.Theme.Key, "", ""
		c.Parent = s.cfg.Org.RoomJID(s.cfg.Host.Domain, p.Group.Room).String()
		c.Closed, c.Restricted = !p.Theme.Closed.IsZero(), p.Theme.Restricted
	}
	return c
}

// identified says which author the person is in a room that hides addresses. The room is loaded if need be.
func (s *Service) identified(ctx context.Context, c *Conversation, room, who jid.JID) (err error) {
	if c.Me == "" {
		c.Me, err = s.Rooms.OccupantIDOf(ctx, room.Local(), who)
	}
	return err
}

// withPerson gives the conversation with somebody.
func (s *Service) withPerson(ctx context.Context, with, who jid.JID) Conversation {
	name, photo := s.named(ctx, with.String())
	c := Conversation{
		ID:    with.String(),
		Kind:  "person",
		Name:  name,
		Me:    who.Bare().String(),
		Write: true,
		React: true,
		Photo: photo,
	}
	if with.Domain() == s.cfg.Host.Domain {
		status := s.StatusOf(with.Local())
		c.Status = &status
	}
	return c
}

// freeRoom gives the conversation in a room without a group; a refusal if the person may not read it.
func (s *Service) freeRoom(ctx context.Context, room jid.JID, name string, who jid.JID) (Conversation, error) {
	_, addressed, err := s.Rooms.ReadingOf(ctx, room.Local(), who)
	if err != nil {
		return Conversation{}, err
	}
	about, ok, err := s.Rooms.About(ctx, room.Local())
	if err != nil {
		return Conversation{}, err
	}
	if ok && about.Name != "" {
		name = about.Name
	}
	c := Conversation{ID: room.String(), Kind: "room", Name: name, Write: true, React: true}
	if addressed {
		c.Me = who.Bare().String()
	}
	return c, s.identified(ctx, &c, room, who)
}

// Of gives one conversation, also with a colleague to whom nothing was said yet.
func (s *Service) Of(ctx context.Context, account string, cr Credential, id jid.JID) (Conversation, error) {
	b, err := s.browser(ctx, account, cr)
	if err != nil {
		return Conversation{}, err
	}
	who := b.session.JID.Bare()
	at, err := s.find(ctx, who, id)
	if err != nil {
		return Conversation{}, err
	}
	read, err := s.marks(ctx, account)
	if err != nil {
		return Conversation{}, err
	}
	c := at.conversation
	if c.Kind == "person" {
		s.watchPerson(b, c.ID)
	} else {
		s.visit(b, &at)
	}
	all, err := s.cfg.Inbox.Conversations(ctx, account)
	if err != nil {
		return c, err
	}
	for i := range all {
		if all[i].With == id {
			c.Unread = &all[i].Unread
			mentions := 0
			if n := all[i].News(); n != nil {
				mentions = n.Mentions
			}
			c.Mentions = &mentions
		}
	}
	return s.marked(ctx, c, who, read), nil
}

// found is a conversation that a person may read.
type found struct {
	conversation Conversation
	scene        scene
	place        *org.Place // of a group or theme
	from         time.Time  // the person reads nothing from before
}

// find gives the conversation with an id; NotFound if the person may not know of it, Forbidden if they may not read it.
func (s *Service) find(ctx context.Context, who, id jid.JID) (f found, err error) {
	host := s.cfg.Host.Domain
	if id.Local() == "" || !id.IsBare() {
		return f, fault.New(fault.NotFound, "", "no such conversation")
	}
	if id.Domain() != s.cfg.Org.RoomDomain(host) {
		if id.Domain() == host {
			if ok, err := s.cfg.Host.Exists(ctx, id.Local()); err != nil {
				return f, err
			} else if !ok {
				return f, fault.New(fault.NotFound, "", "no such conversation")
			}
		}
		return found{conversation: s.withPerson(ctx, id, who), scene: s.chatScene(who.Local(), id)}, nil
	}
	p, err := s.cfg.Org.PlaceOf(ctx, host, id, who)
	if fault.Is(err, fault.NotFound) {
		return s.findFree(ctx, who, id)
	}
	if err != nil {
		return f, err
	}
	f = found{
		conversation: s.placed(&p, who),
		scene:        scene{room: id, group: p.Group.ID, addressed: p.Addressed()},
		place:        &p,
	}
	var reads bool
	if f.from, reads, err = s.cfg.Org.ReadsFrom(ctx, p.Group, p.Access, who); err != nil {
		return f, err
	}
	if !reads {
		return f, fault.New(fault.Forbidden, "", "you may not read this conversation")
	}
	return f, s.identified(ctx, &f.conversation, id, who)
}

// Reaches returns an error if a person may not read a conversation.
func (s *Service) Reaches(ctx context.Context, account string, id jid.JID) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err == nil {
		_, err = s.find(ctx, who, id)
	}
	return err
}

// Writes returns an error if a person may not write in a conversation.
func (s *Service) Writes(ctx context.Context, account string, id jid.JID) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return err
	}
	f, err := s.find(ctx, who, id)
	if err == nil && !f.conversation.Write {
		err = fault.New(fault.Forbidden, "", "You cannot write in this conversation")
	}
	return err
}

// findFree finds a room without a group.
func (s *Service) findFree(ctx context.Context, who, id jid.JID) (f found, err error) {
	from, addressed, err := s.Rooms.ReadingOf(ctx, id.Local(), who)
	if err != nil {
		if _, refused := server.Refusal(err); refused || errors.Is(err, store.ErrNotFound) {
			err = fault.New(fault.NotFound, "", "no such conversation")
		}
		return f, err
	}
	f.from, f.scene = from, scene{room: id, addressed: addressed}
	if c, ok, err := s.severalAt(ctx, id, who); ok || err != nil {
		f.conversation = c
		return f, err
	}
	f.conversation, err = s.freeRoom(ctx, id, jid.Unescape(id.Local()), who)
	return f, err
}

// maxPreview is how many characters of the newest message a list shows.
const maxPreview = 120

// lastInRoom gives the newest message of a room, in short; nil if it shows nothing.
func (s *Service) lastInRoom(ctx context.Context, n *org.RoomNews, hidden bool) *Last {
	st, err := wire.ParseStanza(n.Last.Stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200})
	if err != nil {
		return nil
	}
	m, _ := messages.Of(st)
	by := st.From.Resource()
	if !hidden && n.Last.Sender != "" {
		by, _ = s.named(ctx, n.Last.Sender)
	}
	return &Last{ID: n.Last.ID.String(), At: n.Last.ID.Time(), By: by, Text: short(m.Short())}
}

// lastWith gives the newest message of a conversation with a person, in short; nil if it shows nothing.
func (s *Service) lastWith(ctx context.Context, e *inbox.Conversation) *Last {
	id, kept := e.Latest()
	if kept == nil {
		return nil
	}
	st, err := wire.ParseStanza(kept, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200})
	if err != nil {
		return nil
	}
	m, _ := messages.Of(st)
	by, _ := s.named(ctx, st.From.Bare().String())
	return &Last{ID: id.String(), At: id.Time(), By: by, Text: short(m.Short())}
}

// short cuts a text for lists.
func short(text string) string {
	rs := []rune(text)
	if len(rs) <= maxPreview {
		return text
	}
	return string(rs[:maxPreview-1]) + "…"
}

// notifications are the names of levels of notification. Without a choice of one's own it is everything.
var notifications = map[bookmarks.Level]string{
	bookmarks.Unset:     "all",
	bookmarks.Always:    "all",
	bookmarks.OnMention: "mentions",
	bookmarks.Never:     "none",
}

func (s *Service) notifies(ctx context.Context, account string, room jid.JID) string {
	setting, err := s.cfg.Bookmarks.SettingOf(ctx, account, room)
	if err != nil {
		s.failed("cannot read of what somebody is notified", err, "account", account)
	}
	return notifications[setting.Level]
}
