package node

import (
	"context"
	"net/http"

	"parley/admin"
	"parley/admin/api"
	"parley/admin/web"
	"parley/auth"
	"parley/feature/webhooks"
	"parley/muc"
	"parley/muc/puppet"
	"parley/people"
	"parley/server"
	"parley/server/c2s"
	"parley/transfer"
	"parley/wire"
	"parley/wire/jid"
)

// buildAPI makes the API for programs.
func (n *Node) buildAPI() {
	c := n.Config
	n.api = api.New(api.Config{
		Clock:      n.clock,
		People:     n.peoples(),
		Hosts:      n.serverHosts(),
		Hooks:      n.hooks(),
		Photos:     n.photos(),
		Org:        n.Org,
		Store:      n.Store,
		Log:        n.Log,
		Throttle:   n.throttle,
		Failures:   n.failures,
		Rooms:      n.puppets(),
		Chats:      n.chats,
		Pushes:     n.pushes,
		Find:       n.find,
		System:     n.system(),
		Federation: n.others,
		Import: transfer.Config{
			Store:         n.Store,
			Iterations:    c.Auth.ScramIterations,
			MaxContacts:   c.Accounts.MaxContacts,
			MaxOffline:    c.Accounts.OfflineMessages,
			OfflineExpiry: c.Accounts.OfflineExpiry,
		},
	})
}

// buildWeb makes the pages.
func (n *Node) buildWeb(ctx context.Context) error {
	if !n.Config.Web.Enabled {
		return nil
	}
	secret, err := n.secret(ctx, "web")
	if err != nil {
		return err
	}
	n.web, err = web.New(web.Config{
		Clock:      n.clock,
		People:     n.peoples(),
		Hosts:      n.serverHosts(),
		Hooks:      n.hooks(),
		Photos:     n.photos(),
		Org:        n.Org,
		Store:      n.Store,
		IDs:        n.IDs,
		Words:      n.words,
		Log:        n.Log,
		Secret:     secret,
		Throttle:   n.throttle,
		Failures:   n.failures,
		Faker:      auth.NewFaker(secret, n.Config.Auth.ScramIterations),
		Outbox:     n.Config.Mail.Show,
		Rooms:      n.puppets(),
		Find:       n.find,
		System:     n.system(),
		Accounts:   n.Store,
		Federation: n.others,
		API:        n.api,
		Chats:      n.chats,
		UploadURL:  n.uploadURL,
		Chat: func(w http.ResponseWriter, r *http.Request, account jid.JID, session string,
			holds func(context.Context) error, proxied bool) {
			n.door.External(w, r, c2s.Known{Account: account, Credential: session, Holds: holds, Secure: proxied})
		},
	})
	if err == nil {
		n.api.Browser = n.web.Browser
	}
	return err
}

// puppets acts in rooms for people on pages.
func (n *Node) puppets() puppet.Rooms {
	return puppet.Rooms{
		Store: n.Store,
		Host:  n.Host,
		Service: func(domain string) *muc.Service {
			for _, h := range n.hosts {
				if h.rooms.Domain() == domain {
					return h.rooms.Service
				}
			}
			return nil
		},
		Name: func(ctx context.Context, account jid.JID) (string, error) {
			u, err := n.people[account.Domain()].Get(ctx, account.Local())
			return u.Display(), err
		},
		References: func(ctx context.Context, account, room jid.JID, text string) []*wire.Element {
			h := n.host(account.Domain())
			if h == nil {
				return nil
			}
			es, err := h.rooms.References(ctx, room, account, text)
			if err != nil { // the message is sent without references
				n.Log.Error("cannot find the people whom a message mentions", "room", room.String(), "err", err)
			}
			return es
		},
	}
}

// peoples gives the People of all hosts, the first host's first.
func (n *Node) peoples() (all []*people.People) {
	for _, h := range n.hosts {
		all = append(all, n.people[h.Domain])
	}
	return all
}

// byHost gives something of each host, by its domain.
func byHost[T any](n *Node, of func(h *host) T) map[string]T {
	all := make(map[string]T)
	for _, h := range n.hosts {
		all[h.Domain] = of(h)
	}
	return all
}

func (n *Node) serverHosts() map[string]*server.Host {
	return byHost(n, func(h *host) *server.Host { return h.Host })
}

func (n *Node) hooks() map[string]*webhooks.Webhooks {
	return byHost(n, func(h *host) *webhooks.Webhooks { return h.hooks })
}

// photos gives the photos of people; nil if there are no pages to show them.
func (n *Node) photos() map[string]admin.Photos {
	if !n.Config.Web.Enabled {
		return nil
	}
	return byHost(n, func(h *host) admin.Photos { return n.cards[h.Domain] })
}

// handleWeb serves the pages for all paths that the listener's other handlers leave.
func (n *Node) handleWeb(mux *http.ServeMux, proxied bool) {
	switch {
	case n.web == nil:
	case proxied:
		mux.Handle("/", n.web.Proxied())
	default:
		mux.Handle("/", n.web)
	}
}

// WebURL gives the URL of a host's pages; "" if there are none.
func (n *Node) WebURL(domain string) string {
	if n.web == nil {
		return ""
	}
	return n.webURL(domain)
}

// FirstOwner gives the link that makes a host's first owner; "" if there is an owner, or there are no pages.
func (n *Node) FirstOwner(ctx context.Context, domain string) (string, error) {
	if n.web == nil {
		return "", nil
	}
	return n.web.FirstOwner(ctx, domain)
}

// WebRoutes gives the patterns of all pages, for tests.
func (n *Node) WebRoutes() []string { return n.web.Routes() }
