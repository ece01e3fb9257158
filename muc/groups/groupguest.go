package groups

import (
	"context"

	"parley/org"
	"parley/wire"
	"parley/wire/jid"
)

// maxInvitations is how many rooms a new member of a group is invited to, of which the group's own is the first.
const maxInvitations = 20

// inviteGuests invites new members of a group who are from other servers to its rooms (XEP-0249): their bookmarks are
// not ours to write.
func (s *Service) inviteGuests(e org.Event) {
	if len(e.Guests) == 0 {
		return
	}
	s.Background(func(ctx context.Context) {
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
	st := &wire.Stanza{
		Kind: wire.Message,
		Name: messageName,
		From: s.cfg.Org.RoomJID(e.Host, e.Group.Room),
		To:   to,
		ID:   s.host.NewID(),
	}
	s.host.Router.Send(ctx, st.Add(x))
}
