package notices

import (
	"context"
	"slices"

	"parley/muc/groups"
	"parley/store"
	"parley/wire/jid"
)

// maxWoken is up to how many mentioned people get the room back among those that their clients enter by themselves.
// With more, people get pushes and find the mention among their unread messages.
const maxWoken = 500

// Mentioned tells people of a mention (groups.Config.Mentioned): it is noted among their unread messages, their devices
// without connection are woken, and clients that no longer enter the room by themselves do so again.
func (n *Notices) Mentioned(ctx context.Context, m groups.Mention) {
	h := n.cfg.Host
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
	if err := n.cfg.Store.AddMentions(ctx, h.Domain, m.Room.String(), m.ID, noted...); err != nil {
		n.cfg.Host.Log.Error("cannot note a mention", "room", m.Room.String(), "err", err)
	}
	for _, user := range users {
		for _, a := range n.Alerts {
			if err := a.Mention(ctx, user, m.Room, m.ID); err != nil {
				n.cfg.Host.Log.Error("cannot push a mention", "account", user, "err", err)
			}
		}
		if len(users) <= maxWoken {
			if err := n.enter(ctx, user, m); err != nil {
				n.cfg.Host.Log.Error("cannot wake a mentioned person's clients", "account", user, "err", err)
			}
		}
	}
}

// enter makes a person's clients enter the room, unless it is a theme that the person left on purpose.
func (n *Notices) enter(ctx context.Context, user string, m groups.Mention) error {
	h := n.cfg.Host
	if t, err := n.cfg.Org.ThemeOfRoom(ctx, h.Domain, m.Room); err == nil {
		if state, _, err := n.cfg.Store.Follow(ctx, h.Domain, t.Key, user); err != nil || state == store.FollowMuted {
			return err
		}
	}
	bs, err := n.cfg.Store.Bookmarks(ctx, h.Domain, user)
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
	b.Updated = h.Clock.Now().UTC()
	if err := n.cfg.Store.SetBookmarks(ctx, h.Domain, user, n.cfg.MaxBookmarks, b); err != nil {
		return err
	}
	return n.Bookmarks.Added(ctx, user, []jid.JID{m.Room})
}
