package muc

import (
	"context"
	"strings"
	"unicode"

	"parley/org"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// makeTheme is a member who enters a fresh room at an address that is for themes of a group.
func (s *Service) makeTheme(ctx context.Context, st *wire.Stanza, group, slug string) error {
	if st.Kind != wire.Presence || slug == "" || slug != org.Slug(slug) {
		return server.WithText(server.NotAllowed, "this address is for themes of a group")
	}
	name := []rune(strings.ReplaceAll(slug, "-", " "))
	name[0] = unicode.ToUpper(name[0])
	_, err := s.cfg.Org.CreateTheme(ctx, s.by(st.From), s.host.Domain, group, org.NewTheme{Name: string(name), Slug: slug, Creator: st.From.Bare()})
	return asStanzaError(err)
}

// announceTheme says it in the group's room, from its creator, who need not be there (decision 046); and invites the members
// of other servers, whose bookmarks are not ours to write. Restricted ones are not for all to know of.
func (s *Service) announceTheme(e org.Event) {
	theme := e.Rooms[0]
	uri := "xmpp:" + theme.String() + "?join"
	s.background(func(ctx context.Context) {
		if !e.Theme.Restricted {
			own, names := s.namesOf(ctx, s.cfg.Org.RoomJID(e.Host, e.Group.Room), e.Actor)
			do := func(ctx context.Context, r *Room) {
				nicks := own
				if r.cfg.NonAnonymous { // else a name would say who is who
					nicks = append(nicks, names...)
				}
				r.sayFrom(ctx, e.Actor.Bare(), nicks, "New theme: "+e.Theme.Name+": "+s.themeLink(e)+uri, wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", uri)))
			}
			if err := s.post(ctx, e.Group.Room, work{do: do}); err != nil {
				s.lost("a new theme is not announced", err, "group", e.Group.ID)
			}
		}
		for _, m := range e.Members {
			to, err := jid.Parse(m.JID)
			if err != nil || to.Domain() == s.host.Domain {
				continue
			}
			s.inviteGuest(ctx, e, to, theme, "New theme: "+e.Theme.Name)
		}
	})
}

// themeLink is the theme's page, for who is not in a client that knows what to do with the room's address.
func (s *Service) themeLink(e org.Event) string {
	if s.cfg.Web == nil || s.cfg.Web() == "" {
		return ""
	}
	return s.cfg.Web() + strings.TrimPrefix(org.ThemeLink(e.Group, *e.Theme), "https://"+e.Host) + " "
}

// themeChanged takes over what a theme is now, and says what has become of it.
func (r *Room) themeChanged(ctx context.Context, e org.Event) {
	k := r.keeper.(*grouped)
	was, name := k.closed, r.cfg.Name
	r.reconfigure(ctx)
	by := ""
	for _, o := range r.order {
		if o.bare == e.Actor.Bare() {
			by = o.nick + ": "
		}
	}
	switch {
	case e.Theme.Archived:
		r.say(ctx, r.jid, by+"this theme is archived. It can be read, and is in nobody's list.")
	case k.closed && !was:
		r.say(ctx, r.jid, by+"this theme is closed. It can be read; !reopen goes on with it.")
	case was && !k.closed:
		r.say(ctx, r.jid, by+"this theme goes on.")
	case r.cfg.Name != name:
		r.say(ctx, r.jid, by+"this theme is now called "+e.Theme.Name+".")
	}
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

func (r *Room) commands() []server.Command {
	switch r.place() {
	case inGroup:
		cs := append(r.groupCommands(), r.meetingCommands()...)
		if f := r.s.cfg.GroupCommands; f != nil {
			cs = append(cs, f(r.group)...)
		}
		return cs
	case inTheme:
		return append(r.themeCommands(), r.meetingCommands()...)
	}
	return nil
}
