package muc

import (
	"context"

	"parley/org"
	"parley/wire"
	"parley/wire/jid"
)

// maxInvitations is to how many rooms somebody is invited who comes into a group; the group's own is the first.
const maxInvitations = 20

// inviteGuests asks people of other servers, whose bookmarks are not ours, into the rooms of the group that they have
// become members of (XEP-0249).
func (s *Service) inviteGuests(e org.Event) {
	if len(e.Guests) == 0 {
		return
	}
	s.background(func(ctx context.Context) {
		for _, to := range e.Guests {
			for i, room := range e.Open[:min(len(e.Open), maxInvitations)] {
				reason := ""
				if i == 0 {
					reason = "You are a member of " + e.Group.Name
				}
				s.inviteGuest(ctx, e, to, room, reason)
			}
		}
	})
}

func (s *Service) inviteGuest(ctx context.Context, e org.Event, to, room jid.JID, reason string) {
	x := wire.E("jabber:x:conference", "x").Set("jid", room.String())
	if reason != "" {
		x.Set("reason", reason)
	}
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: s.cfg.Org.RoomJID(e.Host, e.Group.Room), To: to, ID: s.host.NewID()}
	s.host.Router.Send(ctx, st.Add(x))
}
