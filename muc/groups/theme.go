package groups

import (
	"context"
	"strings"
	"unicode"

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// makeTheme makes a theme for a member who enters a new room at an address that is for themes of a group.
func (s *Service) makeTheme(ctx context.Context, st *wire.Stanza, group, slug string) error {
	if st.Kind != wire.Presence || slug == "" || slug != org.Slug(slug) {
		return server.WithText(server.NotAllowed, "this address is for themes of a group")
	}
	name := []rune(strings.ReplaceAll(slug, "-", " "))
	name[0] = unicode.ToUpper(name[0])
	_, err := s.cfg.Org.CreateTheme(
		ctx,
		s.by(st.From),
		s.host.Domain,
		group,
		org.NewTheme{Name: string(name), Slug: slug, Creator: st.From.Bare()},
	)
	return err
}

// announceTheme announces a new theme in the group's room, in the name of its creator, who need not be there (decision
// 046). It invites members of other servers, because we cannot write their bookmarks. A restricted theme is not
// announced: not everyone may know of it.
func (s *Service) announceTheme(e org.Event) {
	theme := e.Rooms[0]
	uri := "xmpp:" + theme.String() + "?join"
	s.Background(func(ctx context.Context) {
		if !e.Theme.Restricted {
			own, names := s.namesOf(ctx, s.cfg.Org.RoomJID(e.Host, e.Group.Room), e.Actor)
			a := announcement{
				Who:   e.Actor.Bare(),
				Own:   own,
				Names: names,
				Body:  "New theme: " + e.Theme.Name + ": " + s.themeLink(e) + uri,
				About: uri,
			}
			if err := s.asks.announce.Post(ctx, e.Group.Room, a); err != nil {
				s.Lost("a new theme is not announced", err, "group", e.Group.ID)
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

// announce says something for a person who need not be in the room. It is called on the room's goroutine.
func (s *Service) announce(r *muc.Room, ctx context.Context, a announcement) (none muc.Nothing, err error) {
	nicks := a.Own
	if r.Now().NonAnonymous { // otherwise a name would reveal an address
		nicks = append(nicks, a.Names...)
	}
	s.sayFrom(ctx, r, a.Who, nicks, a.Body, wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", a.About)))
	return none, nil
}

// themeLink gives the theme's page, for people whose client does not know what to do with the room's address.
func (s *Service) themeLink(e org.Event) string {
	if s.cfg.Web == nil || s.cfg.Web() == "" {
		return ""
	}
	return s.cfg.Web() + strings.TrimPrefix(org.ThemeLink(e.Group, *e.Theme), "https://"+e.Host) + " "
}

// themeChanged takes over a theme's new state, and announces the change in the room.
func (k *keeper) themeChanged(ctx context.Context, e org.Event) {
	r := k.r
	was, name := k.closed, r.Now().Name
	by := ""
	if o := r.Voice(e.Actor.Bare()); o != nil {
		by = o.Nick() + ": "
	}
	if !k.reconfigure(ctx) {
		return
	}
	switch {
	case e.Theme.Archived:
		k.s.say(ctx, r, by+"this theme is archived. It can be read, and is in nobody's list.")
	case k.closed && !was:
		k.s.say(ctx, r, by+"this theme is closed. It can be read; !reopen opens it again.")
	case was && !k.closed:
		k.s.say(ctx, r, by+"this theme is open again.")
	case r.Now().Name != name:
		k.s.say(ctx, r, by+"this theme is now called "+e.Theme.Name+".")
	}
}

// Commands are those of a group's room or of a theme.
func (k *keeper) Commands() []server.Command {
	if k.theme != "" {
		return append(k.themeCommands(), k.meetingCommands()...)
	}
	cs := append(k.groupCommands(), k.meetingCommands()...)
	if more := k.s.cfg.Commands; more != nil {
		cs = append(cs, more(k.group)...)
	}
	return cs
}
