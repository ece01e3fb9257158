package node

import (
	"context"
	"slices"
	"time"

	"parley/muc/groups"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// maxWoken is up to how many mentioned people get the room back among those that their clients enter by themselves.
// With more, people get pushes and find the mention among their unread messages.
const maxWoken = 500

// mentioned gives the function that tells people of a mention: it is noted among their unread messages, their devices
// without connection are woken, and clients that no longer enter the room by themselves do so again.
func (n *Node) mentioned(h *server.Host) func(ctx context.Context, m groups.Mention) {
	return func(ctx context.Context, m groups.Mention) {
		var users []string
		for _, j := range m.People {
			if j.Domain() == h.Domain {
				users = append(users, j.Local())
			}
		}
		if len(users) == 0 {
			return
		}
		noted := users
		if m.All {
			noted = nil
		}
		if err := n.Store.AddMentions(ctx, h.Domain, m.Room.String(), m.ID, noted...); err != nil {
			n.Log.Error("cannot note a mention", "room", m.Room.String(), "err", err)
		}
		for _, user := range users {
			if err := n.alerts[h.Domain].Mention(ctx, user, m.Room, m.ID); err != nil {
				n.Log.Error("cannot push a mention", "account", user, "err", err)
			}
			if len(users) <= maxWoken {
				if err := n.wake(ctx, h, user, m); err != nil {
					n.Log.Error("cannot wake a mentioned person's clients", "account", user, "err", err)
				}
			}
		}
	}
}

// wake makes a person's clients enter the room, unless it is a theme that the person left on purpose.
func (n *Node) wake(ctx context.Context, h *server.Host, user string, m groups.Mention) error {
	if t, err := n.Org.ThemeOfRoom(ctx, h.Domain, m.Room); err == nil {
		if state, _, err := n.Store.Follow(ctx, h.Domain, t.Key, user); err != nil || state == store.FollowMuted {
			return err
		}
	}
	bs, err := n.Store.Bookmarks(ctx, h.Domain, user)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(bs, func(b store.Bookmark) bool { return b.Room == m.Room.String() })
	b := store.Bookmark{Room: m.Room.String(), Name: m.Name}
	if i >= 0 {
		if b = bs[i]; b.Autojoin {
			return nil
		}
	}
	b.Autojoin = true
	b.Updated = time.Now().UTC()
	if err := n.Store.SetBookmarks(ctx, h.Domain, user, n.Config.Accounts.MaxBookmarks, b); err != nil {
		return err
	}
	return n.bookmarks[h.Domain].Added(ctx, user, []jid.JID{m.Room})
}
