package node

import (
	"context"

	"parley/feature/notify"
	"parley/feature/search"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// find gives the query for messages in all that a person may read.
func (n *Node) find(ctx context.Context, domain string, who jid.JID, text string) store.Find {
	f := n.Org.Find(domain, who, text)
	if h := n.host(domain); h != nil {
		f.Visits = h.rooms.Visits(ctx, who.Bare())
	}
	return f
}

// searching gives the features that index messages and answer searches in clients.
func (n *Node) searching(h *server.Host) []*server.Feature {
	rooms := n.Config.Rooms.Label + "." + h.Domain
	fs := []*server.Feature{notify.New(h, n.Store, notify.Config{Rooms: rooms, Search: n.Config.Archive.Search,
		Find: func(ctx context.Context, who jid.JID, text string) store.Find {
			return n.find(ctx, h.Domain, who, text)
		}})}
	if n.Config.Archive.Search {
		fs = append(fs, search.New(h, n.Store, search.Config{Rooms: rooms}))
	}
	return fs
}
