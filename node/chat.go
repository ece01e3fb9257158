package node

import (
	"context"
	"time"

	"parley/admin"
	"parley/config"
	"parley/feature/bookmarks"
	"parley/feature/inbox"
	"parley/feature/later"
	"parley/feature/notify"
	"parley/feature/previews"
	"parley/feature/tasks"
	"parley/feature/webhooks"
	"parley/messages"
	"parley/muc"
	"parley/muc/groups"
	"parley/muc/several"
	"parley/people"
	"parley/server"
	"parley/webchat"
	"parley/wire/jid"
)

// newTasks makes the service of a host's tasks.
func (n *Node) newTasks(h *server.Host) *tasks.Service {
	return tasks.New(h, n.Store, tasks.Config{
		From:  jid.MustParse(notify.Name + "@" + h.Domain),
		Words: n.words,
		Web:   func() string { return n.WebURL(h.Domain) },
		Retention: func(ofRooms bool) time.Duration {
			if ofRooms {
				return n.settings.Of(h.Domain).Rooms
			}
			return n.settings.Of(h.Domain).Archive
		},
	})
}

// newLater makes the service of what a host sends later.
func (n *Node) newLater(h *server.Host) *later.Service {
	return later.New(h, n.Store, later.Config{From: jid.MustParse(notify.Name + "@" + h.Domain), Words: n.words})
}

// newChat makes the service of a host's browsers. Its rooms and uploads are set once they are made.
func (n *Node) newChat(h *server.Host, rules *people.People, unread *inbox.Inbox,
	marks *bookmarks.Bookmarks, todo *tasks.Service, then *later.Service) *webchat.Service {
	s := webchat.New(webchat.Config{
		Host:      h,
		Store:     n.Store,
		Org:       n.Org,
		People:    rules,
		Inbox:     unread,
		Bookmarks: marks,
		Tasks:     todo,
		Later:     then,
		Words:     n.words,
		Web:       func() string { return n.WebURL(h.Domain) },
		Messages:  messages.Reader{Store: n.Store},
		Converses: func() bool { return n.settings.Of(h.Domain).Conversations },
		Keeps:     func() bool { return n.settings.Of(h.Domain).Offline },
		Seen:      func() bool { return n.settings.Of(h.Domain).Seen },
		Previews: previews.New(previews.Config{
			Log:   h.Log,
			Allow: config.Networks(n.Config.Previews.Allow),
			On:    func() bool { return n.settings.Of(h.Domain).Previews },
		}),
		Ask: func(ctx context.Context, q webhooks.Question) (webhooks.Answer, error) {
			return n.host(h.Domain).hooks.Ask(ctx, q)
		},
		Photo: func(ctx context.Context, account string) (string, error) {
			hash, err := n.cards[h.Domain].PhotoHash(ctx, account)
			return admin.PhotoPath(account, hash), err
		},
		Hats: func(ctx context.Context, group, account string) []muc.Hat {
			own := n.host(h.Domain)
			j, err := jid.New(account, h.Domain, "")
			if own == nil || err != nil {
				return nil
			}
			return own.hats.Of(ctx, group, j)
		},
	})
	todo.Place, marks.Saved = s.TaskPlace, s.BookmarksSaved
	then.Deliver, then.Changed, then.Place = s.DeliverLater, s.LaterChanged, s.LaterPlace
	n.Org.SubscribeEverywhere(s.OrgChanged)
	return s
}

// newCompany joins a host's conversations of several people with its accounts.
func (n *Node) newCompany(h *server.Host) *several.Company {
	return several.New(several.Config{
		Host:      h,
		Store:     n.Store,
		Bookmarks: n.notices[h.Domain].Bookmarks,
		On:        func() bool { return n.settings.Of(h.Domain).Conversations },
		Words:     n.words,
		Lang:      func() string { return n.settings.Of(h.Domain).Lang },
		Told:      n.chats[h.Domain].SeveralChanged,
	})
}

// mentioned has people told that they are mentioned in a room of a host: by their phones and in their browsers.
func (n *Node) mentioned(domain string) func(ctx context.Context, m groups.Mention) {
	told, chat := n.notices[domain], n.chats[domain]
	return func(ctx context.Context, m groups.Mention) {
		told.Mentioned(ctx, m)
		for _, j := range m.People {
			if j.Domain() == domain {
				chat.Mentioned(j.Local(), m.Room, m.ID)
			}
		}
	}
}
