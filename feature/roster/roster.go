// Package roster is contact lists and presence subscriptions (RFC 6121, sections 2 and 3).
package roster

import (
	"context"
	"strconv"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config bounds rosters; zero values mean the defaults.
type Config struct {
	MaxContacts int // of one account, hidden ones included; default 2000
	MaxGroups   int // of one contact; default 50
}

const maxName = 1023 // bytes of a contact's or group's name

type roster struct {
	h   *server.Host
	cfg Config
}

// New makes the feature.
func New(h *server.Host, cfg Config) *server.Feature {
	if cfg.MaxContacts <= 0 {
		cfg.MaxContacts = 2000
	}
	if cfg.MaxGroups <= 0 {
		cfg.MaxGroups = 50
	}
	r := &roster{h, cfg}
	return &server.Feature{
		Name: "roster",
		XEP:  []server.XEP{{Title: "RFC 6121: Instant Messaging and Presence (rosters and subscriptions)", Notes: "with roster versioning and pre-approval"}},
		Stream: []*wire.Element{wire.E("urn:xmpp:features:rosterver", "ver"),
			wire.E("urn:xmpp:features:pre-approval", "sub")},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToSelf, Type: "get", Space: wire.NSRoster, Local: "query"}: r.get,
			{To: server.ToSelf, Type: "set", Space: wire.NSRoster, Local: "query"}: r.set,
			// Another's roster: section 2.3.3.
			{To: server.ToAccount, Type: "get", Space: wire.NSRoster, Local: "query"}: forbidden,
			{To: server.ToAccount, Type: "set", Space: wire.NSRoster, Local: "query"}: forbidden,
		},
		Steps: []server.Step{
			{Stage: server.Subscribing, Do: r.outbound},
			{Stage: server.Subscription, Do: r.inbound},
			{Stage: server.Announce, Do: r.requests},
		},
	}
}

// get is RFC 6121, section 2.2, with versions (2.6): nothing if the client is up to date, the changes as pushes if they
// are known and few, else all.
func (r *roster) get(ctx context.Context, q *server.Request) (*wire.Element, error) {
	if len(q.Payload.Elements()) > 0 {
		return nil, server.BadRequest
	}
	if q.Session != nil {
		q.Session.Set(server.Interested)
	}
	if ver, asked := version(q.Payload); asked && ver > 0 && q.Session != nil {
		changed, removed, _, ok, err := r.h.Store.RosterSince(ctx, r.h.Domain, q.Account, ver)
		if err != nil {
			return nil, err
		}
		if ok && len(changed)+len(removed) <= 50 {
			// The result goes first, then what has changed since.
			_ = q.Session.SendTo(q.Stanza.Reply(), q.From)
			for len(changed)+len(removed) > 0 { // in the order of the changes (section 2.6.3)
				if len(removed) == 0 || len(changed) > 0 && changed[0].Version < removed[0].Version {
					r.pushTo(q.Session, item(changed[0]), changed[0].Version)
					changed = changed[1:]
				} else {
					r.pushTo(q.Session, removedItem(removed[0].JID), removed[0].Version)
					removed = removed[1:]
				}
			}
			return nil, server.ErrReplied
		}
	}
	cs, err := r.h.Contacts(ctx, q.Account)
	if err != nil {
		return nil, err
	}
	all, ver := cs.All()
	e := wire.E(wire.NSRoster, "query")
	if _, asked := version(q.Payload); asked {
		e.Attrs = append(e.Attrs, wire.Attr{Name: wire.Name{Local: "ver"}, Value: strconv.FormatInt(ver, 10)})
	}
	for _, c := range all {
		if c.InRoster {
			e.Add(item(c))
		}
	}
	return e, nil
}

func forbidden(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }

// version reads the ver attribute; asked says that there is one, even if empty.
func version(q *wire.Element) (ver int64, asked bool) {
	for _, a := range q.Attrs {
		if a.Name.Space == "" && a.Name.Local == "ver" {
			n, err := strconv.ParseInt(a.Value, 10, 64)
			if err != nil {
				n = 0
			}
			return n, true
		}
	}
	return 0, false
}

func item(c store.Contact) *wire.Element {
	e := wire.E(wire.NSRoster, "item").Set("jid", c.JID).Set("name", c.Name).Set("subscription", c.Subscription)
	if c.Ask {
		e.Set("ask", "subscribe")
	}
	if c.Approved {
		e.Set("approved", "true")
	}
	for _, g := range c.Groups {
		e.Add(wire.T(wire.NSRoster, "group", g))
	}
	return e
}

func removedItem(jid string) *wire.Element {
	return wire.E(wire.NSRoster, "item").Set("jid", jid).Set("subscription", "remove")
}

// set is RFC 6121, sections 2.3 to 2.5.
func (r *roster) set(ctx context.Context, q *server.Request) (*wire.Element, error) {
	items := q.Payload.Elements()
	if len(items) != 1 || items[0].Name != (wire.Name{Space: wire.NSRoster, Local: "item"}) {
		return nil, server.BadRequest
	}
	it := items[0]
	if it.Attr("jid") == "" { // the schema requires it (RFC 6121, appendix D.2)
		return nil, server.BadRequest
	}
	j, err := jid.Parse(it.Attr("jid"))
	if err != nil {
		return nil, server.MalformedJID
	}
	j = j.Bare()
	if it.Attr("subscription") == "remove" {
		return nil, r.remove(ctx, q, j)
	}
	groups, err := r.groups(it)
	if err != nil {
		return nil, err
	}
	name := it.Attr("name")
	if len(name) > maxName {
		return nil, server.NotAcceptable
	}
	c, err := r.h.Store.UpdateContact(ctx, r.h.Domain, q.Account, j.String(), r.cfg.MaxContacts, func(c *store.Contact) (bool, error) {
		c.Name, c.Groups, c.InRoster = name, groups, true
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	r.changed(q.Account, c)
	return nil, nil
}

// groups reads and checks a contact's groups (RFC 6121, section 2.3.3).
func (r *roster) groups(it *wire.Element) ([]string, error) {
	var gs []string
	seen := map[string]bool{}
	for _, g := range it.Elements() {
		if g.Name != (wire.Name{Space: wire.NSRoster, Local: "group"}) {
			continue
		}
		name := g.Text()
		switch {
		case name == "" || len(name) > maxName || len(gs) >= r.cfg.MaxGroups:
			return nil, server.NotAcceptable
		case seen[name]:
			return nil, server.BadRequest
		}
		seen[name] = true
		gs = append(gs, name)
	}
	return gs, nil
}

// remove takes a contact out and ends the subscriptions in both directions (RFC 6121, section 2.5.2).
func (r *roster) remove(ctx context.Context, q *server.Request, j jid.JID) error {
	var was store.Contact
	c, err := r.h.Store.UpdateContact(ctx, r.h.Domain, q.Account, j.String(), 0, func(c *store.Contact) (bool, error) {
		if !c.InRoster {
			return false, store.ErrNotFound
		}
		was = *c
		return true, nil
	})
	if err != nil {
		return err
	}
	r.h.ContactsChanged(q.Account)
	r.push(q.Account, removedItem(j.String()), c.Version)
	self := q.From.Bare()
	if was.Ask || was.Subscription == store.SubTo || was.Subscription == store.SubBoth {
		r.h.Router.Send(ctx, about("unsubscribe", self, j, r.h.NewID()))
	}
	if was.Subscription == store.SubFrom || was.Subscription == store.SubBoth {
		r.h.Router.Send(ctx, about("unsubscribed", self, j, r.h.NewID()))
		r.vanish(ctx, q.Account, j)
	} else if was.Request != nil {
		r.h.Router.Send(ctx, about("unsubscribed", self, j, r.h.NewID()))
	}
	return nil
}

// changed tells the account's clients of a contact as it is now.
func (r *roster) changed(account string, c store.Contact) {
	r.h.ContactsChanged(account)
	if c.InRoster {
		r.push(account, item(c), c.Version)
	}
}

// push is RFC 6121, section 2.1.6.
func (r *roster) push(account string, it *wire.Element, version int64) {
	for _, s := range r.h.Account(account).Sessions() {
		if s.Is(server.Interested) {
			r.pushTo(s, it, version)
		}
	}
}

func (r *roster) pushTo(s *server.Session, it *wire.Element, version int64) {
	st := &wire.Stanza{Kind: wire.IQ, Name: wire.Name{Space: wire.NSClient, Local: "iq"}, Type: "set", ID: r.h.NewID(), To: s.JID}
	st.Add(wire.E(wire.NSRoster, "query", it).Set("ver", strconv.FormatInt(version, 10)))
	_ = s.Send(st)
}

func about(kind string, from, to jid.JID, id string) *wire.Stanza {
	return &wire.Stanza{Kind: wire.Presence, Name: wire.Name{Space: wire.NSClient, Local: "presence"}, Type: kind, From: from, To: to, ID: id}
}

var errSelf = server.WithText(stanza.Error{Type: stanza.Cancel, Condition: stanza.NotAllowed}, "you are always subscribed to yourself")
