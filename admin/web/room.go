package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire"
)

// room is a group's room or a theme's, with what the person may do there.
type room struct {
	Group  store.Group
	Theme  *store.Theme
	Access org.Access
	From   time.Time // the person may not see earlier messages
	Role   string
	Local  string // localpart
	Path   string
}

// Rules are what the group's kind means.
func (r room) Rules() org.Rules { return org.RulesOf(r.Group) }

// Owns says whether the person may change the group's settings.
func (r room) Owns() bool { return r.Access.Affiliation == org.Owner }

// Shows says whether the person sees the group's members.
func (r room) Shows() bool { return r.Access.Read && org.ShowsAddresses(r.Group, r.Access) }

// Manages says whether the person is an owner or a moderator of the room.
func (r room) Manages() bool {
	return r.Access.Manages()
}

// room returns the room in the path. A room that the person may not know of is not found.
func (c *request) room() (r room, err error) {
	ctx := c.r.Context()
	if r.Group, err = c.s.Org.Group(ctx, c.host(), c.r.PathValue("slug")); err != nil {
		return r, err
	}
	key := c.r.PathValue("key")
	if r.Access, err = c.s.Org.Access(ctx, c.host(), r.Group.ID, key, c.self()); err != nil {
		return r, err
	}
	if !r.Access.Know {
		return r, notFound
	}
	r.Local, r.Path = r.Group.Room, "/g/"+r.Group.Slug
	if key != "" {
		t, err := c.s.Org.Theme(ctx, c.host(), key)
		if err != nil {
			return r, err
		}
		if t.Group != r.Group.ID {
			return r, notFound
		}
		r.Theme, r.Local, r.Path = &t, t.Room, r.Path+"/t/"+key
	}
	if r.From, r.Access.Read, err = c.s.Org.ReadsFrom(ctx, r.Group, r.Access, c.self()); err != nil {
		return r, err
	}
	r.Role, err = c.s.Org.RoleOf(ctx, c.host(), r.Group.ID, c.self())
	return r, err
}

// message is something that was said, as pages show it.
type message struct {
	ID      string
	Nick    string
	By      string // the writer's full name, if it is known and shown; else the nickname
	Sender  string // name of the account; "" of another server, the room itself, or where it is not shown
	Address string // the writer's localpart, if it is known; for moderators
	Text    string
	At      time.Time
	Day     bool // the first of its day
	Joined  bool // follows the message before by the same author
	Here    bool // the message that the link leads to
	Mine    bool
	Removed bool
}

// message reads an archived one; nil if it shows nothing.
func (c *request) message(a store.Archived) *message {
	st, err := wire.ParseStanza(a.Stanza, wire.Limits{Stanza: 1 << 20, Depth: 100, Attrs: 200})
	if err != nil {
		return nil
	}
	m := &message{ID: a.ID.String(), Nick: st.From.Resource(), Text: st.BodyText(), At: a.ID.Time()}
	m.Address = a.Sender
	if name, host, ok := strings.Cut(a.Sender, "@"); ok && host == c.host() {
		m.Sender, m.Mine = name, c.Me != nil && name == c.Me.Name && c.Me.Lived(m.At)
	}
	if st.Has("urn:xmpp:message-retract:1", "retracted") || st.Has("urn:xmpp:message-moderate:1", "moderated") {
		m.Removed, m.Text = true, ""
	}
	if m.Text == "" && !m.Removed {
		return nil
	}
	return m
}

const historyPage = 50

type roomData struct {
	room
	Messages      []message
	Older, Newer  string // ids to page with
	Themes        []store.Theme
	Closed        bool // some of the themes are closed
	Members       []memberRow
	Address       string
	CreatesThemes bool
	ManagesTheme  bool
	Count         int // of members
	Error         string
	Draft         string
}

type memberRow struct {
	store.Member
	Name, Display string
	Online        int
}

func (c *request) roomPage() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	d, err := c.roomData(r)
	if err != nil {
		return err
	}
	title := r.Group.Name
	if r.Theme != nil {
		title = r.Theme.Name + " · " + title
	}
	return c.show("room", title, d)
}

func (c *request) roomData(r room) (d roomData, err error) {
	ctx := c.r.Context()
	d = roomData{room: r, Address: c.s.Org.RoomJID(c.host(), r.Local).String()}
	if d.Themes, err = c.s.Org.Themes(ctx, c.host(), r.Group.ID, c.self()); err != nil {
		return d, err
	}
	d.Closed = slices.ContainsFunc(d.Themes, func(t store.Theme) bool { return !t.Closed.IsZero() })
	d.CreatesThemes = r.mayStart()
	if r.Theme != nil {
		d.ManagesTheme = c.s.Org.MayManageTheme(ctx, c.host(), r.Theme.Key, c.self()) == nil
	}
	if !r.Access.Read {
		return d, nil
	}
	ms, err := c.s.Org.Members(ctx, c.host(), r.Group.ID)
	if err != nil {
		return d, err
	}
	ms = slices.DeleteFunc(ms, func(m store.Member) bool {
		return m.Role == store.RoleBanned || !org.Lists(r.Group, r.Access, c.self(), m)
	})
	d.Count = len(ms)
	slices.SortStableFunc(ms, func(a, b store.Member) int {
		return cmp.Compare(memberRank[a.Role], memberRank[b.Role])
	})
	if d.Members, err = c.named(ms[:min(len(ms), membersShown)]); err != nil {
		return d, err
	}
	return d, c.history(&d)
}

const membersShown = 20 // beside the conversation

var memberRank = map[string]int{
	store.RoleOwner:     0,
	store.RoleModerator: 1,
	store.RoleMember:    2,
	store.RoleGuest:     3,
	store.RoleBanned:    4,
}

// named gives members with their names, by role and name. Each is a look-up: it is for few.
func (c *request) named(ms []store.Member) (out []memberRow, err error) {
	for _, m := range ms {
		row := memberRow{Member: m, Display: m.JID}
		if name, host, ok := strings.Cut(m.JID, "@"); ok && host == c.host() {
			row.Name = name
			u, err := c.s.Store.User(c.r.Context(), host, name)
			switch {
			case err == nil && u.FullName != "":
				row.Display = u.FullName
			case err != nil && !errors.Is(err, store.ErrNotFound):
				return nil, err
			}
			row.Online = len(c.P.Sessions(name))
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b memberRow) int {
		return cmp.Or(cmp.Compare(memberRank[a.Role], memberRank[b.Role]),
			strings.Compare(strings.ToLower(a.Display), strings.ToLower(b.Display)))
	})
	return out, nil
}

// history reads the page of a room's archive that the address asks for: around a message, before or after one, or the
// end.
func (c *request) history(d *roomData) error {
	here, err1 := messageID(c.r.PathValue("id"))
	before, err2 := messageID(c.form("before"))
	after, err3 := messageID(c.form("after"))
	if err := cmp.Or(err1, err2, err3); err != nil {
		return err
	}
	if here > 0 && here < store.FirstID(d.From) {
		return notFound
	}
	p := store.Page{Start: d.From, Max: historyPage, Backwards: true}
	switch {
	case here > 0: // half of the messages before it, half after
		p.Before, p.Max = here, historyPage/2
	case before > 0:
		p.Before = before
	case after > 0:
		p.After, p.Backwards = after, false
	}
	es, complete, err := c.readRoom(d, p)
	if err != nil {
		return err
	}
	older, newer := !complete && p.Backwards || after > 0, before > 0 || !complete && !p.Backwards
	if here > 0 {
		rest, all, err := c.readFrom(d, here)
		if err != nil {
			return err
		}
		es, newer = append(es, rest...), !all
	}
	if len(es) > 0 && older {
		d.Older = es[0].ID.String()
	}
	if len(es) > 0 && newer {
		d.Newer = es[len(es)-1].ID.String()
	}
	return c.fillMessages(d, es, here)
}

// messageID reads the ID of a message in an address; "" is 0.
func messageID(s string) (store.ID, error) {
	if s == "" {
		return 0, nil
	}
	id, err := store.ParseID(s)
	if err != nil {
		return 0, notFound
	}
	return id, nil
}

// readRoom reads a page of the room's archive, and says whether it is complete.
func (c *request) readRoom(d *roomData, p store.Page) (es []store.Archived, complete bool, err error) {
	es, complete, _, err = c.s.Store.ReadRoom(c.r.Context(), c.s.Org.RoomDomain(c.host()), d.Local, p)
	return es, complete, err
}

// readFrom reads a message and half a page after it, and says whether these are all.
func (c *request) readFrom(d *roomData, here store.ID) (es []store.Archived, all bool, err error) {
	es, _, err = c.readRoom(d, store.Page{Start: d.From, IDs: []store.ID{here}, Max: 1})
	if err != nil {
		return nil, false, err
	}
	more, all, err := c.readRoom(d, store.Page{Start: d.From, After: here, Max: historyPage / 2})
	return append(es, more...), all, err
}

// fillMessages adds the page's messages. A message joins the one above it if the same person wrote both within five
// minutes of a day.
func (c *request) fillMessages(d *roomData, es []store.Archived, here store.ID) error {
	names := make(map[string]string)
	var last *message
	for _, e := range es {
		m := c.message(e)
		if m == nil {
			continue
		}
		m.Here = here > 0 && e.ID == here
		m.Day = last == nil || last.At.YearDay() != m.At.YearDay() || last.At.Year() != m.At.Year()
		if err := c.author(&d.room, m, names); err != nil {
			return err
		}
		m.Joined = !m.Day && last.By == m.By && last.Sender == m.Sender && m.At.Sub(last.At) < 5*time.Minute
		d.Messages = append(d.Messages, *m)
		last = &d.Messages[len(d.Messages)-1]
	}
	return nil
}

// author fills in a message's author: colleagues by their full names, whatever they are called in the room. In rooms
// that show no addresses only the nickname is known.
func (c *request) author(r *room, m *message, names map[string]string) error {
	m.By = m.Nick
	switch {
	case m.Sender == "":
		return nil
	case !m.Mine && !org.ShowsAddresses(r.Group, r.Access):
		m.Sender = ""
		return nil
	}
	name, known := names[m.Sender]
	if !known {
		u, err := c.s.Store.User(c.r.Context(), c.host(), m.Sender)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		name = u.FullName
		names[m.Sender] = name
	}
	if name != "" && m.Nick != "" {
		m.By = name
	}
	return nil
}

const maxSay = 10000

func (c *request) sayInRoom() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ReplaceAll(c.r.FormValue("text"), "\r\n", "\n"))
	if text == "" {
		return c.to(r.Path)
	}
	if len(text) > maxSay {
		err = fault.New(fault.Invalid, "", "This is too long for one message")
	} else if !r.Access.Write {
		err = fault.New(fault.Forbidden, "", "You can read here but not write")
	} else {
		err = c.s.Rooms.Say(c.r.Context(), c.self(), c.s.Org.RoomJID(c.host(), r.Local), text)
	}
	if err == nil {
		return c.to(r.Path + "#end")
	}
	d, derr := c.roomData(r)
	if derr != nil {
		return derr
	}
	var ok bool
	if d.Error, _, ok = c.explain(err); !ok {
		return err
	}
	d.Draft = text
	return c.page(http.StatusUnprocessableEntity, "room", r.Group.Name, d)
}

func (c *request) joinGroup() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	joined, err := c.s.Org.Join(c.r.Context(), c.Actor, c.host(), r.Group.ID)
	if err != nil {
		return c.oops(r.Path, err)
	}
	if joined {
		return c.done(r.Path, "You joined {{.Name}}", "Name", r.Group.Name)
	}
	if r.Access.Ask {
		if err := c.s.Org.Request(c.r.Context(), c.Actor, c.host(), r.Group.ID, c.form("reason")); err != nil {
			return c.oops(r.Path, err)
		}
		return c.done(r.Path, "The owners of {{.Name}} have your request", "Name", r.Group.Name)
	}
	return c.done("/groups", "An owner of the group has to let you in: ask one of them")
}

func (c *request) leaveGroup() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	if err := c.s.Org.Leave(c.r.Context(), c.Actor, c.host(), r.Group.ID); err != nil {
		return c.oops(r.Path, err)
	}
	if org.RulesOf(r.Group).Joins {
		return c.undoable("/groups", undo("/g/"+r.Group.Slug+"/join"), "You have left {{.Name}}", "Name", r.Group.Name)
	}
	return c.done("/groups", "You have left {{.Name}}", "Name", r.Group.Name)
}
