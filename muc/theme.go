package muc

import (
	"context"
	"strings"

	"parley/org"
	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const (
	nodeNewTheme   = "https://parley.im/commands#new-theme"
	nodeCloseTheme = "https://parley.im/commands#close-theme"
)

// themeCommand reads `!theme NAME` in a group's room.
func (r *room) themeCommand(st *wire.Stanza) (name string, ok bool) {
	if r.group == "" || r.theme != "" || !st.Has(wire.NSClient, "body") {
		return "", false
	}
	body := strings.TrimSpace(st.BodyText())
	rest, ok := strings.CutPrefix(body, "!theme")
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\n' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// createThemeByText makes the theme away from the room's goroutine: what follows from it comes back as work. The text
// itself is not shown: the line about the new theme stands in its place.
func (r *room) createThemeByText(o *occupant, st *wire.Stanza, name string) error {
	if name == "" {
		return server.WithText(server.NotAcceptable, "write !theme and its name")
	}
	s, group, who := r.s, r.group, o.bare
	s.wg.Go(func() {
		ctx := context.Background()
		if _, err := s.cfg.Org.CreateTheme(ctx, s.host.Domain, group, org.NewTheme{Name: name, Creator: who}); err != nil {
			s.fail(ctx, st, err)
		}
	})
	return nil
}

// announceTheme says it in the group's room, from its creator if they are there, else from the room; and invites the
// members of other servers, whose bookmarks are not ours to write.
func (s *Service) announceTheme(e org.Event) {
	theme := e.Rooms[0]
	do := func(ctx context.Context, r *room) {
		from := r.jid
		for _, o := range r.order {
			if o.bare == e.Actor.Bare() {
				from = o.jid
			}
		}
		uri := "xmpp:" + theme.String() + "?join"
		r.say(ctx, from, "New theme: "+e.Theme.Name+": "+uri, wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", uri)))
	}
	s.wg.Go(func() {
		ctx := context.Background()
		if err := s.post(ctx, e.Group.Room, work{do: do}); err != nil {
			s.log.Error("a new theme is not announced", "group", e.Group.ID, "err", err)
		}
		for _, m := range e.Members {
			to, err := jid.Parse(m.JID)
			if err != nil || to.Domain() == s.host.Domain {
				continue
			}
			st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: s.cfg.Org.RoomJID(e.Host, e.Group.Room), To: to, ID: s.host.NewID()}
			s.host.Router.Send(ctx, st.Add(wire.E("jabber:x:conference", "x").Set("jid", theme.String()).Set("reason", "New theme: "+e.Theme.Name)))
		}
	})
}

// command runs an ad-hoc command on a room (XEP-0050).
func (r *room) command(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if st.Type != "set" || q.Name.Local != "command" {
		return nil, server.BadRequest
	}
	return server.RunCommand(ctx, r.commands(), st.From, q)
}

func (r *room) commands() []server.Command {
	if r.group == "" {
		return r.hatCommands()
	}
	if r.theme != "" {
		return []server.Command{{Node: nodeCloseTheme, Name: "Close this theme", Allowed: r.ranked(org.Admin),
			Do: func(ctx context.Context, _ jid.JID, _ form.Form) (string, *form.Form, error) {
				return "The theme is closed: it can be read, and nobody writes any more.", nil, r.s.cfg.Org.CloseTheme(ctx, r.s.host.Domain, r.theme, false)
			}}}
	}
	return []server.Command{{Node: nodeNewTheme, Name: "New theme", Allowed: r.ranked(org.Member),
		Form: func(context.Context, jid.JID) (*form.Form, error) {
			f := form.New("form", nodeNewTheme)
			f.Title, f.Instructions = "New theme", "A focused conversation in this group. Its members find it in their clients."
			f.Add("name", "text-single", "Name").Required()
			f.AddBool("restricted", "Only for people named here", false)
			f.Add("people", "jid-multi", "People")
			return f, nil
		}, Do: r.newTheme}, r.settingsCommand()}
}

func (r *room) newTheme(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
	people, err := f.JIDs("people")
	if err != nil {
		return "", nil, server.NotAcceptable
	}
	restricted, _ := f.Bool("restricted")
	t, err := r.s.cfg.Org.CreateTheme(ctx, r.s.host.Domain, r.group, org.NewTheme{Name: f.Get("name"), Restricted: restricted, Creator: who.Bare(), People: people})
	if err != nil {
		return "", nil, err
	}
	room := r.s.cfg.Org.RoomJID(r.s.host.Domain, t.Room)
	res := form.New("result", nodeNewTheme)
	res.Add("room", "jid-single", "Room", room.String())
	return "The theme " + t.Name + " is at " + room.String() + ".", res, nil
}
