// Package offline keeps messages for people who are not there (XEP-0160).
package offline

import (
	"context"
	"sync"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// Config bounds what waits; zero values mean the defaults.
type Config struct {
	Max    int           // messages of one account; default 1000, below 0: none
	Bytes  int64         // of all of them; default 16 MiB
	Expiry time.Duration // default 90 days
}

type offline struct {
	h   *server.Host
	cfg Config

	mu  sync.Mutex
	now map[string]*server.Session // accounts whose messages are being delivered; a client that has come meanwhile
}

// New makes the feature.
func New(h *server.Host, cfg Config) *server.Feature {
	if cfg.Max == 0 {
		cfg.Max = 1000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 16 << 20
	}
	if cfg.Expiry <= 0 {
		cfg.Expiry = 90 * 24 * time.Hour
	}
	o := &offline{h: h, cfg: cfg, now: make(map[string]*server.Session)}
	return &server.Feature{
		Name: "offline",
		XEP: []server.XEP{{Number: 160, Title: "Best Practices for Handling Offline Messages", Version: "1.0.1"},
			{Number: 203, Title: "Delayed Delivery", Version: "2.0"}},
		Disco: []string{"msgoffline"},
		Steps: []server.Step{
			{Stage: server.Undelivered, Kind: wire.Message, Do: o.keep},
			{Stage: server.Announce, Do: o.arrive},
		},
	}
}

// keeps says whether a message waits: chat and normal ones that say something and may be stored.
func keeps(st *wire.Stanza) bool {
	switch st.Type {
	case "chat", "normal", "":
	default:
		return false
	}
	says := false
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case wire.NSHints:
			switch n.Local {
			case "no-store":
				return false
			case "store":
				says = true
			}
		case "http://jabber.org/protocol/chatstates", wire.NSSID, wire.NSDelay:
		default:
			says = true
		}
	}
	return says
}

func (o *offline) keep(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if !keeps(st) {
		return nil
	}
	n, bytes, err := o.h.Store.CountOffline(ctx, o.h.Domain, p.Account)
	if err != nil {
		return err
	}
	now, c := time.Now(), st.Copy()
	if st.Element(wire.NSDelay, "delay").Attr("from") != o.h.Domain { // a client that did not acknowledge it was told
		c.Add(wire.E(wire.NSDelay, "delay").Set("from", o.h.Domain).Set("stamp", now.UTC().Format(server.TimeFormat)))
	}
	e := &store.OfflineEntry{Host: o.h.Domain, Owner: p.Account, ID: o.h.IDs.Next(), Stanza: c.AppendXML(nil, c.To, wire.Client), Expires: now.Add(o.cfg.Expiry)}
	if n >= o.cfg.Max || bytes+int64(len(e.Stanza)) > o.cfg.Bytes {
		return server.ServiceUnavailable // XEP-0160, section 3
	}
	if err := o.h.Store.Commit(ctx, e); err != nil {
		return err
	}
	// Someone may have arrived between the look at the sessions and the commit.
	for _, s := range o.h.Account(p.Account).Sessions() {
		if pr, prio := s.Presence(); pr == nil || prio < 0 {
			continue
		}
		if all, err := o.deliver(ctx, p.Account, s); all || err != nil {
			return err
		}
	}
	return nil
}

// arrive delivers what waits to the first client that takes messages.
func (o *offline) arrive(ctx context.Context, p *server.Pass) error {
	if pr, prio := p.Session.Presence(); pr == nil || prio < 0 {
		return nil
	}
	if !p.Initial && p.Was != nil && !negative(p.Was) {
		return nil
	}
	_, err := o.deliver(ctx, p.Account, p.Session)
	return err
}

func negative(pr *wire.Stanza) bool {
	e := pr.Element(wire.NSClient, "priority")
	return e != nil && len(e.Text()) > 0 && e.Text()[0] == '-'
}

// archived says that the account's archive has a message: a client that reads there what it has missed does not get it
// a second time (XEP-0386, section 3.2). What the archive does not have it gets like any other client.
func archived(st *wire.Stanza, s *server.Session) bool {
	account := s.JID.Bare().String()
	for i := range st.Children {
		if st.Children[i].Name != (wire.Name{Space: wire.NSSID, Local: "stanza-id"}) {
			continue
		}
		e, err := wire.ParseElement(st.Raw(st.Children[i]), wire.NSClient)
		if err == nil && e.Attr("by") == account {
			return true
		}
	}
	return false
}

const page = 100

// deliver gives all that waits to a client, or leaves that to who is at it; false if the client is gone before it has all.
// A message is dropped when it is in the client's queue: of a stream with acknowledgements it comes back if it is never
// acknowledged.
func (o *offline) deliver(ctx context.Context, account string, s *server.Session) (all bool, err error) {
	if !o.begin(account, s) {
		return true, nil
	}
	for s != nil {
		if all, err = o.deliverAll(ctx, account, s); err != nil {
			o.end(account)
			return false, err
		}
		s = o.next(account)
	}
	return all, nil
}

// begin says whether it is for the caller to deliver. If somebody is at it, that one goes on with this client.
func (o *offline) begin(account string, s *server.Session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, busy := o.now[account]; busy {
		o.now[account] = s
		return false
	}
	o.now[account] = nil
	return true
}

// next gives the client that has come meanwhile; if there is none the delivery ends.
func (o *offline) next(account string) *server.Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.now[account]
	if s == nil {
		delete(o.now, account)
	} else {
		o.now[account] = nil
	}
	return s
}

func (o *offline) end(account string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.now, account)
}

func (o *offline) deliverAll(ctx context.Context, account string, s *server.Session) (all bool, err error) {
	for {
		es, err := o.h.Store.TakeOffline(ctx, o.h.Domain, account, page)
		if err != nil || len(es) == 0 {
			return true, err
		}
		ids, gone := o.give(s, es)
		if gone && !s.Is(server.Resumable) {
			return false, nil // nobody knows what has arrived: all of this page waits on
		}
		if len(ids) > 0 {
			if err := o.h.Store.DropOffline(ctx, o.h.Domain, account, ids...); err != nil {
				return false, err
			}
		}
		if gone || len(es) < page {
			return !gone, nil
		}
	}
}

// give queues messages for a client: which wait no more, and whether it is gone.
func (o *offline) give(s *server.Session, es []store.OfflineEntry) (ids []store.ID, gone bool) {
	for _, e := range es {
		st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
		if err != nil {
			o.h.Log.Error("an offline message cannot be read and is dropped", "id", e.ID, "err", err)
		} else if !(s.Is(server.FromArchive) && archived(st, s)) && s.Send(st) != nil {
			return ids, true
		}
		ids = append(ids, e.ID)
	}
	return ids, false
}
