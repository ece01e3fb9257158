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
	"parley/people"
	"parley/store"
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
	Count         int      // of members
	Shown         store.ID // the message that the page was opened for; 0: the newest
	Actions       []roomAction
	Error         string
	Draft         string
}

// ChatPath is the path at which the chat shows the room, at the message that the page was opened for.
func (d roomData) ChatPath() string {
	if d.Shown == 0 {
		return people.ChatPath(d.Address)
	}
	return people.ChatPath(d.Address) + "/" + d.Shown.String()
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
	if d.Actions, err = c.roomActions(r); err != nil {
		return d, err
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
