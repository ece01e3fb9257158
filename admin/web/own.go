package web

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/acts"
	"parley/messages"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/transfer"
	"parley/wire/jid"
)

func (s *Server) own() {
	s.handle("GET /{$}", member, (*request).home)
	s.handle("GET /people", member, (*request).directory)
	s.handle("GET /me", member, (*request).profile)
	s.handle("POST /me", member, (*request).saveProfile)
	s.notifications()
	s.handle("GET /me/data", member, (*request).data)
	s.handle("POST /me/data", member, (*request).download)
}

// self is the address of the signed-in person.
func (c *request) self() jid.JID {
	j, err := jid.New(c.Me.Name, c.host(), "")
	if err != nil { // stored names are valid
		return jid.JID{}
	}
	return j
}

// newsRow is a conversation with its new messages.
type newsRow struct {
	Name, Group, Link, By, Text string
	Unread, Mentions            int
	At                          time.Time
	Encrypted                   bool
}

func (c *request) home() error {
	ctx := c.r.Context()
	news, err := c.s.Org.News(ctx, c.host(), c.self(), false)
	if err != nil {
		return err
	}
	var rows []newsRow
	unread, page := 0, c.pageNumber()
	for _, n := range news {
		unread += n.Unread
	}
	slices.SortStableFunc(news, func(a, b org.RoomNews) int { // what mentions one comes first
		return cmp.Compare(min(1, b.Mentions), min(1, a.Mentions))
	})
	pages := c.pager(page, len(news))
	news = news[min(len(news), (page-1)*perPage):min(len(news), page*perPage)]
	for _, n := range news {
		r := newsRow{
			Name:     n.Name(),
			Group:    n.Group.Name,
			Link:     people.ChatPath(n.Room.String()),
			Unread:   n.Unread,
			Mentions: n.Mentions,
			At:       n.Last.ID.Time(),
		}
		if n.Theme != nil {
			r.Name = n.Theme.Name
		}
		rows = append(rows, r)
	}
	if err := c.newest(news, rows); err != nil {
		return err
	}
	gs, err := c.s.Org.GroupsOf(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	links, err := c.ownLinks()
	if err != nil {
		return err
	}
	first, err := c.offersFirstGroup()
	if err != nil {
		return err
	}
	return c.show("home", c.T("Home"), map[string]any{
		"First":     first,
		"Links":     links,
		"News":      rows,
		"Pager":     pages,
		"Unread":    unread,
		"Groups":    gs,
		"Devices":   c.devices(c.Me.Name),
		"TwoFactor": f.Confirmed,
	})
}

// newest fills in who said what last in each room.
func (c *request) newest(news []org.RoomNews, rows []newsRow) error {
	last := make([]store.Found, len(news))
	for i, n := range news {
		last[i] = store.Found{ID: n.Last.ID, Stanza: n.Last.Stanza, Room: n.Room.Local(), Sender: n.Last.Sender}
	}
	reader := messages.Reader{Store: c.s.Store}
	ms, err := reader.Found(c.r.Context(), c.host(), c.s.Org.RoomDomain(c.host()), c.Me.Name, last)
	if err != nil {
		return err
	}
	names := make(map[string]string)
	for i, m := range ms {
		rows[i].By, rows[i].Text, rows[i].Encrypted = m.By.Nick, m.Short(), m.Kind == messages.Encrypted
		if news[i].Group.ID == "" || !org.RulesOf(news[i].Group).ShowAddresses {
			continue
		}
		name, err := c.fullName(m.By, names)
		if err != nil {
			return err
		}
		rows[i].By = cmp.Or(name, rows[i].By)
	}
	return nil
}

// directory is the people of the organization, for everyone in it.
func (c *request) directory() error {
	words := strings.Fields(c.form("q"))
	if len(words) > 8 {
		words = words[:8]
	}
	page := c.pageNumber()
	ps, total, err := c.colleagues(store.PeopleFilter{
		Words:  words,
		State:  store.StateActive,
		Offset: (page - 1) * perPage,
		Limit:  perPage,
	})
	if err != nil {
		return err
	}
	values := make(map[string][]fieldRow, len(ps))
	for _, p := range ps {
		rows, err := c.fieldRows(p)
		if err != nil {
			return err
		}
		values[p.Name] = slices.DeleteFunc(rows, func(r fieldRow) bool { return r.Value == "" })
	}
	return c.panel(http.StatusOK, "directory", "list", c.T("People"), map[string]any{
		"People": ps,
		"Cells":  values,
		"Pager":  c.pager(page, total),
		"Q":      c.form("q"),
		"Online": c.online(ps),
	})
}

func (c *request) data() error { return c.show("data", c.T("Your data"), nil) }

func (c *request) download() error {
	if err := c.P.Note(c.r.Context(), c.Actor, acts.PersonData, c.Me.Address(), nil); err != nil {
		return err
	}
	var b bytes.Buffer // whole before it is sent: half a file looks like all of it
	own := func(_ *server.Host, name string) bool { return name == c.Me.Name }
	if err := (transfer.Exporter{Store: c.s.Accounts, Archive: true}).Write(c.r.Context(), &b,
		[]*server.Host{c.s.Hosts[c.host()]}, own); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+c.Me.Name+`.xml"`)
	_, _ = c.w.Write(b.Bytes())
	return nil
}
