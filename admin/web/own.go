package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) own() {
	s.handle("GET /{$}", member, (*ctx).home)
	s.handle("GET /people", member, (*ctx).directory)
	s.handle("GET /me", member, (*ctx).profile)
	s.handle("POST /me", member, (*ctx).saveProfile)
	s.notifications()
	s.handle("GET /me/data", member, (*ctx).data)
	s.handle("POST /me/data", member, (*ctx).download)
}

// self is the address of who has signed in.
func (c *ctx) self() jid.JID {
	j, err := jid.New(c.Me.Name, c.host(), "")
	if err != nil { // it is kept as it is
		return jid.JID{}
	}
	return j
}

// newsRow is a conversation with what is new in it.
type newsRow struct {
	Name, Group, Link, By, Text string
	Unread                      int
	At                          time.Time
}

func (c *ctx) home() error {
	ctx := c.r.Context()
	news, err := c.s.Org.News(ctx, c.host(), c.self(), false)
	if err != nil {
		return err
	}
	var rows []newsRow
	unread := 0
	for _, n := range news {
		r := newsRow{Name: n.Name(), Group: n.Group.Name, Link: people.RoomPath(n), Unread: n.Unread, At: n.Last.ID.Time()}
		if n.Theme != nil {
			r.Name = n.Theme.Name
		}
		if m := c.message(n.Last); m != nil {
			r.By, r.Text = m.Nick, m.Text
		}
		unread += n.Unread
		if rows = append(rows, r); len(rows) == 12 {
			break
		}
	}
	gs, err := c.s.Org.GroupsOf(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.show("home", c.T("Home"), map[string]any{"News": rows, "Unread": unread, "Groups": gs, "Devices": c.devices(c.Me.Name), "TwoFactor": f.Confirmed})
}

// directory is the people of the organization, for everyone in it.
func (c *ctx) directory() error {
	words := strings.Fields(c.form("q"))
	if len(words) > 8 {
		words = words[:8]
	}
	page := c.pageNumber()
	ps, total, err := c.colleagues(store.PeopleFilter{Words: words, State: store.StateActive, Offset: (page - 1) * perPage, Limit: perPage})
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "directory", "list", c.T("People"), map[string]any{"People": ps, "Pager": c.pager(page, total), "Q": c.form("q"), "Online": c.online(ps)})
}

// Rooms is what pages do in rooms, and with people's data, by the node's own ways.
type Rooms interface {
	// Say sends a message of an account's to a room, as a client that comes, says it and leaves.
	Say(ctx context.Context, account, room jid.JID, text string) error
	// Retract takes back what the account has said, Moderate as a moderator what another has: by its stanza-id.
	Retract(ctx context.Context, account, room jid.JID, id string) error
	Moderate(ctx context.Context, account, room jid.JID, id, reason string) error
	// Kick shows everybody out of the room who is in it as somebody; a *people.Error where nobody is.
	Kick(ctx context.Context, account, room, who jid.JID, reason string) error
	// Export writes all that is an account's own (XEP-0227).
	Export(ctx context.Context, w io.Writer, account jid.JID) error
}

func (c *ctx) data() error { return c.show("data", c.T("Your data"), nil) }

func (c *ctx) download() error {
	c.P.Audit(c.r.Context(), c.Actor, "person.data", c.Me.Address(), nil)
	var b bytes.Buffer // whole before it is sent: half a file looks like all of it
	if err := c.s.Rooms.Export(c.r.Context(), &b, c.self()); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+c.Me.Name+`.xml"`)
	_, _ = c.w.Write(b.Bytes())
	return nil
}
