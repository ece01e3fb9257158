package directory

import (
	"context"
	"encoding/json"

	"parley/cluster"
	"parley/server"
)

// Events carries events to browsers at other nodes (webchat.Others).
type Events struct {
	d *Directory
	h *server.Host
}

// eventFrame is an event for an account's browsers.
type eventFrame struct {
	Host, Account, Name string
	Data                json.RawMessage
}

// Events returns the way to browsers of a host at other nodes.
func (d *Directory) Events(h *server.Host) Events { return Events{d, h} }

// TakeEvents has take called for each event for browsers here. It is called before there are links.
func (d *Directory) TakeEvents(take func(ctx context.Context, host, account, name string, data []byte)) {
	d.bus.Handle(topicEvent, func(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
		var f eventFrame
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, err
		}
		take(ctx, f.Host, f.Account, f.Name, f.Data)
		return nil, nil
	})
}

// transportWeb is what sessions of browsers say of themselves (SessionInfo.Transport).
const transportWeb = "web"

// at returns the other nodes at which an account has browsers.
func (e Events) at(account string) (nodes []string) {
	for _, s := range e.h.Account(account).Sessions() {
		n := s.Node()
		if n == "" || s.Info.Transport != transportWeb {
			continue
		}
		known := false
		for _, o := range nodes {
			known = known || o == n
		}
		if !known {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// Browsers says whether an account has a browser at another node.
func (e Events) Browsers(account string) bool { return len(e.at(account)) > 0 }

// Any says whether anybody has a browser at another node.
func (e Events) Any() bool {
	ns := &e.d.theirs
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return ns.web[e.h.Domain] > 0
}

// Tell gives an event to the account's browsers at other nodes.
func (e Events) Tell(account, name string, data []byte) {
	nodes := e.at(account)
	if len(nodes) == 0 {
		return
	}
	b := encode(eventFrame{e.h.Domain, account, name, data})
	for _, n := range nodes {
		_ = e.d.bus.Tell(n, topicEvent, queueOf(account), b) // without a link its browsers load anew later
	}
}
