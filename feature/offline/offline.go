// Package offline keeps messages for people who are offline (XEP-0160).
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
	Max    int           // messages per account; default 1000, below 0: none
	Bytes  int64         // size of all of them; default 16 MiB
	Expiry time.Duration // default 90 days
}

type offline struct {
	h   *server.Host
	st  Store
	cfg Config

	mu  sync.Mutex
	now map[string]*delivery // accounts whose messages are being delivered
}

// delivery is a delivery in progress to an account.
type delivery struct {
	next *server.Session // a client that signed in meanwhile; nil: none
	over chan struct{}   // closed at its end
}

// New makes the feature.
func New(h *server.Host, st Store, cfg Config) *server.Feature {
	if cfg.Max == 0 {
		cfg.Max = 1000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 16 << 20
	}
	if cfg.Expiry <= 0 {
		cfg.Expiry = 90 * 24 * time.Hour
	}
	o := &offline{h: h, st: st, cfg: cfg, now: make(map[string]*delivery)}
	return &server.Feature{
		Name: "offline",
		XEP: []server.XEP{{Number: 160, Title: "Best Practices for Handling Offline Messages", Version: "1.0.1"},
			{Number: 203, Title: "Delayed Delivery", Version: "2.0"}},
		Disco: []string{"msgoffline"},
		Waiting: func(ctx context.Context, s *server.Session) error {
			_, err := o.deliver(ctx, s.JID.Local(), s)
			return err
		},
		Steps: []server.Step{
			{Stage: server.Undelivered, Kind: wire.Message, Do: o.keep},
			{Stage: server.Arrival, Do: o.arrive},
		},
	}
}

func (o *offline) keep(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if !server.Waits(st) {
		return nil
	}
	n, bytes, err := o.st.CountOffline(ctx, o.h.Domain, p.Account)
	if err != nil {
		return err
	}
	now, c := o.h.Clock.Now(), st.Copy()
	if !o.delayed(st) { // a client that did not acknowledge it got it before
		c.Add(wire.E(wire.NSDelay, "delay").Set("from", o.h.Domain).Set("stamp", now.UTC().Format(server.TimeFormat)))
	}
	e := &store.OfflineEntry{
		Host:    o.h.Domain,
		Owner:   p.Account,
		Stanza:  c.AppendXML(nil, c.To, wire.Client),
		Expires: now.Add(o.cfg.Expiry),
	}
	if n >= o.cfg.Max || bytes+int64(len(e.Stanza)) > o.cfg.Bytes {
		return server.ServiceUnavailable // XEP-0160, section 3
	}
	if err := o.st.Commit(ctx, e); err != nil {
		return err
	}
	// A client may have arrived between the look at the sessions and the commit.
	for _, s := range o.h.Account(p.Account).Sessions() {
		if pr, prio := s.Presence(); pr == nil || prio < 0 {
			continue
		}
		if s.Node() != "" {
			if o.h.Others.Waiting(s) {
				return nil
			}
			continue
		}
		if all, err := o.deliver(ctx, p.Account, s); all || err != nil {
			return err
		}
	}
	return nil
}

// delayed says whether a message carries a delay of this server, which nobody else can forge.
func (o *offline) delayed(st *wire.Stanza) bool {
	for _, c := range st.Children {
		if c.Name != (wire.Name{Space: wire.NSDelay, Local: "delay"}) {
			continue
		}
		if e, err := wire.ParseElement(st.Raw(c), wire.NSClient); err == nil && e.Attr("from") == o.h.Domain {
			return true
		}
	}
	return false
}

// arrive delivers waiting messages to the first client that takes messages.
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

// inArchive gives the id that a message has in the account's archive; 0 if it is not there. A client that was told at
// binding where the archive ends reads the message there, and does not get it twice (XEP-0386, section 3.2). It gets
// later messages, and those that are not in the archive, like any other client.
func inArchive(st *wire.Stanza, account string) store.ID {
	for i := range st.Children {
		if st.Children[i].Name != (wire.Name{Space: wire.NSSID, Local: "stanza-id"}) {
			continue
		}
		e, err := wire.ParseElement(st.Raw(st.Children[i]), wire.NSClient)
		if err != nil || e.Attr("by") != account {
			continue
		}
		if id, err := store.ParseID(e.Attr("id")); err == nil {
			return id
		}
	}
	return 0
}

const page = 100

// deliver gives all waiting messages to a client, or waits for a delivery in progress, so that newer messages do not
// overtake them. It gives false if the client is gone before it has all. A message is dropped when it is in the
// client's queue: if a stream with acknowledgements never acknowledges it, it comes back.
func (o *offline) deliver(ctx context.Context, account string, s *server.Session) (all bool, err error) {
	if other := o.begin(account, s); other != nil {
		select {
		case <-other.over:
			return true, nil
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	for s != nil {
		var failed error
		if all, failed = o.deliverAll(ctx, account, s); failed != nil { // the client that came meanwhile tries itself
			err = failed
		}
		s = o.next(account)
	}
	return all && err == nil, err
}

// begin gives nil if the caller may deliver. Otherwise a delivery is in progress, and continues with this client.
func (o *offline) begin(account string, s *server.Session) (other *delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.now[account]; d != nil {
		d.next = s
		return d
	}
	o.now[account] = &delivery{over: make(chan struct{})}
	return nil
}

// next gives the client that came meanwhile; without one the delivery ends.
func (o *offline) next(account string) *server.Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.now[account]
	s := d.next
	d.next = nil
	if s == nil {
		delete(o.now, account)
		close(d.over)
	}
	return s
}

func (o *offline) deliverAll(ctx context.Context, account string, s *server.Session) (all bool, err error) {
	for {
		es, err := o.st.TakeOffline(ctx, o.h.Domain, account, page)
		if err != nil || len(es) == 0 {
			return true, err
		}
		ids, gone := o.give(s, es)
		if gone && !s.Is(server.Acknowledges) {
			return false, nil // nobody knows what has arrived: the whole page stays
		}
		if len(ids) > 0 {
			if err := o.st.DropOffline(ctx, o.h.Domain, account, ids...); err != nil {
				return false, err
			}
		}
		if gone || len(es) < page {
			return !gone, nil
		}
	}
}

// give queues messages for a client; it gives the ids of those that need not wait any more, and whether the client is
// gone.
func (o *offline) give(s *server.Session, es []store.OfflineEntry) (ids []store.ID, gone bool) {
	account := s.JID.Bare().String()
	for _, e := range es {
		st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
		if err != nil {
			o.h.Log.Error("dropping an offline message that cannot be read", "id", e.ID, "err", err)
		} else if !s.ToldOf(inArchive(st, account)) && s.Send(st) != nil {
			return ids, true
		}
		ids = append(ids, e.ID)
	}
	return ids, false
}
