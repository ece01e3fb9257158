package node

import (
	"parley/feature/notify"
	"parley/feature/search"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// searching is what finds messages by their words, and who is asked for them in a client.
func (n *Node) searching(h *server.Host) []*server.Feature {
	rooms := n.Config.Rooms.Label + "." + h.Domain
	fs := []*server.Feature{notify.New(h, notify.Config{Rooms: rooms, Search: n.Config.Archive.Search,
		Find: func(who jid.JID, text string) store.Find { return n.Org.Find(h.Domain, who, text) }})}
	if n.Config.Archive.Search {
		fs = append(fs, search.New(h, search.Config{Rooms: rooms}))
	}
	return fs
}
