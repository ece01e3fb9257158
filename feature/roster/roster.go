// Package roster keeps contact lists and presence subscriptions (RFC 6121, sections 2 and 3).
package roster

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"mellium.im/xmpp/stanza"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config bounds rosters; zero values mean the defaults.
type Config struct {
	MaxContacts int // per account, including hidden ones; default 2000
	MaxGroups   int // per contact; default 50
	// Org gives teams, whose people are in each other's rosters; nil: no teams.
	Org *org.Org
}

const maxName = 1023 // bytes of a contact's or group's name

type roster struct {
	h   *server.Host
	st  Store
	cfg Config
}

// New makes the feature.
func New(h *server.Host, st Store, cfg Config) *server.Feature {
	if cfg.MaxContacts <= 0 {
		cfg.MaxContacts = 2000
	}
	if cfg.MaxGroups <= 0 {
		cfg.MaxGroups = 50
	}
	r := &roster{h, st, cfg}
	f := &server.Feature{
		Name: "roster",
		XEP: []server.XEP{{
			Title: "RFC 6121: Instant Messaging and Presence (rosters and subscriptions)",
			Notes: "with roster versioning and pre-approval",
		}},
		Stream: []*wire.Element{wire.E("urn:xmpp:features:rosterver", "ver"),
			wire.E("urn:xmpp:features:pre-approval", "sub")},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToSelf, Type: "get", Space: wire.NSRoster, Local: "query"}: r.get,
			{To: server.ToSelf, Type: "set", Space: wire.NSRoster, Local: "query"}: r.set,
			// Somebody else's roster: section 2.3.3.
			{To: server.ToAccount, Type: "get", Space: wire.NSRoster, Local: "query"}: forbidden,
			{To: server.ToAccount, Type: "set", Space: wire.NSRoster, Local: "query"}: forbidden,
		},
		Steps: []server.Step{
			{Stage: server.Subscribing, Do: r.outbound},
			{Stage: server.Subscription, Do: r.inbound},
			{Stage: server.Announce, Do: r.requests},
		},
	}
	if cfg.Org != nil {
		r.withTeams(f)
	}
	return f
}

// get answers with the roster (RFC 6121, section 2.2). With versions (2.6) it sends nothing if the client is up to
// date, pushes if few changes are known, and otherwise the whole roster.
func (r *roster) get(ctx context.Context, q *server.Request) (*wire.Element, error) {
	if len(q.Payload.Elements()) > 0 {
		return nil, server.BadRequest
	}
	if q.Session != nil {
		q.Session.Set(server.Interested)
	}
	cs, err := r.h.Contacts(ctx, q.Account)
	if err != nil {
		return nil, err
	}
	ver, teams, asked := version(q.Payload)
	if asked && (ver > 0 || teams != "") && teams == cs.TeamVersion && q.Session != nil {
		changed, removed, _, ok, err := r.st.RosterSince(ctx, r.h.Domain, q.Account, ver)
		if err != nil {
			return nil, err
		}
		if ok && len(changed)+len(removed) <= 50 {
			// The result goes first, then what has changed since.
			_ = q.Session.SendTo(q.Stanza.Reply(), q.From)
			r.catchUp(q.Session, cs, changed, removed)
			return nil, server.ErrReplied
		}
	}
	all, now := cs.All()
	e := wire.E(wire.NSRoster, "query")
	if asked {
		e.Attrs = append(e.Attrs, wire.Attr{Name: wire.Name{Local: "ver"}, Value: verOf(now, cs.TeamVersion)})
	}
	for _, c := range all {
		if c.InRoster {
			e.Add(item(c))
		}
	}
	return e, nil
}

// catchUp pushes what has changed, in the order of the changes (section 2.6.3).
func (r *roster) catchUp(s *server.Session, cs *server.Contacts, changed []store.Contact, removed []store.Removed) {
	for len(changed)+len(removed) > 0 {
		if len(removed) == 0 || len(changed) > 0 && changed[0].Version < removed[0].Version {
			if c := seen(cs, changed[0]); c.InRoster {
				r.pushTo(s, item(c), verOf(changed[0].Version, cs.TeamVersion))
			}
			changed = changed[1:]
		} else {
			r.pushTo(s, itemOrNone(cs, removed[0].JID), verOf(removed[0].Version, cs.TeamVersion))
			removed = removed[1:]
		}
	}
}

// seen gives a contact with what teams add to it.
func seen(cs *server.Contacts, c store.Contact) store.Contact {
	j, err := jid.Parse(c.JID)
	if err != nil {
		return c
	}
	return cs.Seen(c, j)
}

// itemOrNone gives the item of a contact that is no longer kept: as teams make it, or removed.
func itemOrNone(cs *server.Contacts, address string) *wire.Element {
	if c := seen(cs, store.Contact{JID: address}); c.InRoster {
		return item(c)
	}
	return removedItem(address)
}

// verOf writes the version of a roster: that of the kept contacts and, behind a hyphen, that of the contacts from
// teams.
func verOf(kept int64, teams string) string {
	v := strconv.FormatInt(kept, 10)
	if teams != "" {
		v += "-" + teams
	}
	return v
}

func forbidden(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }

// version reads the ver attribute; asked says whether there is one, even if empty.
func version(q *wire.Element) (kept int64, teams string, asked bool) {
	for _, a := range q.Attrs {
		if a.Name.Space == "" && a.Name.Local == "ver" {
			v, teams, _ := strings.Cut(a.Value, "-")
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return 0, "", true
			}
			return n, teams, true
		}
	}
	return 0, "", false
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

// set changes the roster (RFC 6121, sections 2.3 to 2.5).
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
	cs, err := r.h.Contacts(ctx, q.Account)
	if err != nil {
		return nil, err
	}
	// clients send back all groups: those that come from a team are not the person's own
	if m, ok := cs.Teammate(j); ok {
		groups = slices.DeleteFunc(groups, func(g string) bool { return slices.Contains(m.Groups, g) })
	}
	c, err := r.update(ctx, q.Account, j, r.cfg.MaxContacts,
		func(c *store.Contact) (bool, error) {
			c.Name, c.Groups, c.InRoster = name, groups, true
			return false, nil
		})
	if err != nil {
		return nil, err
	}
	r.changed(ctx, q.Account, c)
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

// remove removes a contact and ends the subscriptions in both directions (RFC 6121, section 2.5.2).
func (r *roster) remove(ctx context.Context, q *server.Request, j jid.JID) error {
	cs, err := r.h.Contacts(ctx, q.Account)
	if err != nil {
		return err
	}
	_, mate := cs.Teammate(j)
	var was store.Contact
	c, err := r.update(ctx, q.Account, j, 0, func(c *store.Contact) (bool, error) {
		if !c.InRoster {
			return false, store.ErrNotFound
		}
		was = *c
		return true, nil
	})
	if mate && errors.Is(err, store.ErrNotFound) {
		return server.WithText(server.NotAllowed, "you are in a team with this person")
	}
	if err != nil {
		return err
	}
	if cs, err = r.h.Contacts(ctx, q.Account); err != nil {
		return err
	}
	r.push(q.Account, itemOrNone(cs, j.String()), verOf(c.Version, cs.TeamVersion))
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

// update changes a contact in the store. No node goes by the contact of before any more when it returns.
func (r *roster) update(ctx context.Context, account string, contact jid.JID, limit int,
	f func(*store.Contact) (bool, error)) (store.Contact, error) {
	c, err := r.st.UpdateContact(ctx, r.h.Domain, account, contact.String(), limit, f)
	if err == nil && c.Version == 0 || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrLimit) {
		return c, err // nothing has changed
	}
	// also after an error: the change may be kept, and only the answer be lost
	return c, errors.Join(err, r.h.ContactsChanged(ctx, account))
}

// changed pushes a contact to the account's clients as it is now.
func (r *roster) changed(ctx context.Context, account string, c store.Contact) {
	teams := ""
	if cs, err := r.h.Contacts(ctx, account); err == nil {
		c, teams = seenAt(cs, c), cs.TeamVersion
	}
	if c.InRoster {
		r.push(account, item(c), verOf(c.Version, teams))
	}
}

// seenAt is seen with the contact's own version.
func seenAt(cs *server.Contacts, c store.Contact) store.Contact {
	v := c.Version
	c = seen(cs, c)
	c.Version = v
	return c
}

// push sends a roster push (RFC 6121, section 2.1.6).
func (r *roster) push(account string, it *wire.Element, version string) {
	for _, s := range r.h.Account(account).Sessions() {
		if s.Is(server.Interested) {
			r.pushTo(s, it, version)
		}
	}
}

func (r *roster) pushTo(s *server.Session, it *wire.Element, version string) {
	st := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "set",
		ID:   r.h.NewID(),
		To:   s.JID,
	}
	st.Add(wire.E(wire.NSRoster, "query", it).Set("ver", version))
	_ = s.Send(st)
}

func about(kind string, from, to jid.JID, id string) *wire.Stanza {
	return &wire.Stanza{
		Kind: wire.Presence,
		Name: wire.Name{Space: wire.NSClient, Local: "presence"},
		Type: kind,
		From: from,
		To:   to,
		ID:   id,
	}
}

var errSelf = server.WithText(stanza.Error{Type: stanza.Cancel, Condition: stanza.NotAllowed},
	"you are always subscribed to yourself")
