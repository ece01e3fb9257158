package transfer

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"

	"parley/auth"
	"parley/internal/changes"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Importer reads accounts from a file.
type Importer struct {
	Config
	Host  func(domain string) *server.Host // gives a hosted domain; nil if it is not hosted here
	Merge bool                             // also import into existing accounts, except passwords
	// FreeSince gives the moment before which the last account of a name must have been deleted for the name to be
	// available; nil: only names that no account had are.
	FreeSince func(h *server.Host) time.Time
}

// incoming is an account that is being imported.
type incoming struct {
	*Importer
	ctx     context.Context
	r       *reader
	report  *Report
	h       *server.Host
	name    string
	self    jid.JID
	made    bool
	keys    auth.Keys
	config  []*wire.Element // nodes are configured before their items are published
	items   []*wire.Element
	card    *wire.Element
	own     *wire.Element // parley's own element; imported last, because a card changes some of it
	unknown map[string]bool
	lost    map[string]bool // ids of pictures that were not imported
}

// Read imports a whole file. After an error (the file is not valid, or this server failed) accounts before it stay
// imported. The report lists what could not be imported.
func (im *Importer) Read(ctx context.Context, from io.Reader) (Report, error) {
	im.Config = im.withDefaults()
	var report Report
	r := newReader(from)
	root, ok, err := r.next()
	if err != nil || !ok || root.Name != (xml.Name{Space: ns, Local: "server-data"}) {
		return report, errors.Join(ErrFormat, err)
	}
	for {
		s, ok, err := r.next()
		if err != nil || !ok {
			return report, err
		}
		if s.Name != (xml.Name{Space: ns, Local: "host"}) {
			report.problem(kindOther, "<%s xmlns='%s'/> is not known", s.Name.Local, s.Name.Space)
			err = r.skip()
		} else {
			err = im.host(ctx, r, s, &report)
		}
		if err != nil {
			return report, err
		}
	}
}

func (im *Importer) host(ctx context.Context, r *reader, host xml.StartElement, report *Report) error {
	var h *server.Host
	if j, err := jid.Parse(attr(host, "jid")); err == nil && j.Local() == "" {
		h = im.Host(j.Domain())
	}
	if h == nil {
		report.problem(kindAccounts,
			"%q is not hosted here: its accounts are left out; add it to hosts, and import again", attr(host, "jid"))
		return r.skip()
	}
	for {
		s, ok, err := r.next()
		if err != nil || !ok {
			return err
		}
		if s.Name != (xml.Name{Space: ns, Local: "user"}) {
			report.problem(kindOther, "%s: <%s xmlns='%s'/> is not known", h.Domain, s.Name.Local, s.Name.Space)
			err = r.skip()
		} else {
			err = im.user(ctx, r, h, s, report)
		}
		if err != nil {
			return err
		}
	}
}

func (im *Importer) user(ctx context.Context, r *reader, h *server.Host, s xml.StartElement, report *Report) error {
	j, err := jid.New(attr(s, "name"), h.Domain, "")
	if err != nil || j.Local() == "" {
		report.problem(kindAccounts, "%q cannot be the name of an account", attr(s, "name"))
		return r.skip()
	}
	if h.Reserved(j.Local()) {
		report.problem(kindAccounts, "%s is the server's own", j)
		return r.skip()
	}
	u := &incoming{
		Importer: im,
		ctx:      ctx,
		r:        r,
		report:   report,
		h:        h,
		name:     j.Local(),
		self:     j,
		unknown:  make(map[string]bool),
		lost:     make(map[string]bool),
	}
	if p := attr(s, "password"); p != "" {
		if u.keys, err = auth.NewKeys(p, im.Iterations); err != nil {
			u.problem(kindPasswords, "password", err)
		}
	}
	account := store.User{Host: h.Domain, Name: u.name, Created: h.Clock.Now()}
	if im.FreeSince != nil {
		account.FreeSince = im.FreeSince(h)
	}
	err = im.Store.CreateUser(ctx, account)
	switch {
	case err == nil:
		u.made = true
		if err := h.AccountChanged(ctx, u.name); err != nil {
			return err
		}
		h.Created(ctx, u.name)
	case errors.Is(err, store.ErrReserved):
		report.problem(kindAccounts, "%s was deleted here lately, and its name cannot be reused yet: import with "+
			"--reuse-name if this is the same person", j)
		return r.skip()
	case !errors.Is(err, store.ErrExists):
		return err
	case !im.Merge:
		report.problem(kindAccounts,
			"%s exists already and is left as it is; with --merge it gets what the file has, too", j)
		return r.skip()
	}
	if err := errors.Join(u.read(), u.forget()); err != nil { // also after an error: what was read is kept
		return err
	}
	report.Users = append(report.Users, j.String())
	report.count(kindAccounts, 1, 0)
	return nil
}

// problem reports something that could not be imported, unless this server failed: then it returns the error. Without
// an error it counts a success.
func (u *incoming) problem(kind, what string, err error) error {
	if err == nil {
		u.report.count(kind, 1, 0)
		return nil
	}
	text, key := reason(kind, err)
	if text == "" {
		return err
	}
	if key != "" {
		text += "; raise " + key + ", and import the file again with --merge"
	}
	u.report.problem(kind, "%s: %s: %s", u.self, what, text)
	return nil
}

// errValue is the error for an element with a value that is not valid.
var errValue = errors.New("it is malformed")

// read imports everything of the account.
func (u *incoming) read() error {
	for {
		s, ok, err := u.r.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := u.child(s); err != nil {
			return err
		}
	}
	if err := u.nodesAndCard(); err != nil {
		return err
	}
	if u.own != nil {
		if err := u.account(u.own); err != nil {
			return err
		}
	}
	if u.made && len(u.keys.Missing()) < 2 {
		u.report.count(kindPasswords, 1, 0)
		b, err := u.keys.MarshalBinary()
		if err == nil {
			err = u.Store.SetKeys(u.ctx, u.h.Domain, u.name, b)
		}
		if err != nil {
			return err
		}
	} else if u.made {
		u.report.problem(kindPasswords, "%s: the file has no password that can be used: set one", u.self)
	}
	return nil
}

// forget has all nodes forget what they remember of the account.
func (u *incoming) forget() error {
	at := changes.Key(u.h.Domain, u.name)
	err := u.h.Changes.TellAll(u.ctx, changes.Change{Topic: changes.Roster, Key: at},
		changes.Change{Topic: changes.Own, Key: at}, changes.Change{Topic: changes.Push, Key: at},
		changes.Change{Topic: changes.Blocklist, Key: at})
	return errors.Join(err, u.h.AccountChanged(u.ctx, u.name))
}

func (u *incoming) child(s xml.StartElement) error {
	switch s.Name {
	case xml.Name{Space: nsArchive, Local: "archive"}:
		return u.archive()
	case xml.Name{Space: ns, Local: "offline-messages"}:
		return u.offline()
	}
	e, err := u.r.element(s)
	if err != nil {
		return err
	}
	switch e.Name {
	case wire.Name{Space: nsScram, Local: "scram-credentials"}:
		if err := readCredentials(&u.keys, e); err != nil {
			return u.problem(kindPasswords, "password", err)
		}
	case wire.Name{Space: wire.NSRoster, Local: "query"}:
		return u.roster(e)
	case wire.Name{Space: wire.NSClient, Local: "presence"}, wire.Name{Space: ns, Local: "presence"}:
		// COMPAT: Prosody forgets xmlns
		return u.problem(kindContacts, "a subscription request", u.request(e))
	case wire.Name{Space: nsVCard, Local: "vCard"}:
		u.card = e
		return u.do(kindCards, "the card", e)
	case wire.Name{Space: nsPrivate, Local: "query"}:
		for _, kept := range e.Elements() {
			kind := kindPrivate
			if kept.Name.Space == "storage:bookmarks" {
				kind = kindBookmarks
			}
			if err := u.do(kind, "private data "+kept.Name.Space, wire.E(nsPrivate, "query", kept)); err != nil {
				return err
			}
		}
	case wire.Name{Space: nsPrivacy, Local: "query"}:
		return u.privacy(e)
	case wire.Name{Space: wire.NSMAM, Local: "prefs"}:
		return u.do(kindOther, "archive preferences", e)
	case wire.Name{Space: nsOwner, Local: "pubsub"}:
		u.config = append(u.config, e.Elements()...)
	case wire.Name{Space: wire.NSPubSub, Local: "pubsub"}:
		u.items = append(u.items, e.Elements()...)
	case wire.Name{Space: nsAccount, Local: "account"}:
		u.own = e
	default:
		if !u.unknown[e.Name.Space] {
			u.unknown[e.Name.Space] = true
			u.report.problem(kindOther, "%s: <%s xmlns='%s'/> is not known", u.self, e.Name.Local, e.Name.Space)
		}
	}
	return nil
}

// do makes a request in the account's name.
func (u *incoming) do(kind, what string, e *wire.Element) error {
	_, err := u.h.Do(u.ctx, u.name, "set", e)
	return u.problem(kind, what, err)
}

func (u *incoming) roster(q *wire.Element) error {
	for _, it := range q.Elements() {
		j, err := jid.Parse(it.Attr("jid"))
		if err != nil || it.Name.Local != "item" || j.Bare() == u.self {
			continue
		}
		sub := it.Attr("subscription")
		switch sub {
		case store.SubNone, store.SubTo, store.SubFrom, store.SubBoth:
		default:
			sub = store.SubNone
		}
		var groups []string
		for _, g := range it.Elements() {
			if t := g.Text(); g.Name.Local == "group" && t != "" && len(t) < 1024 && len(groups) < 50 {
				groups = append(groups, t)
			}
		}
		_, err = u.Store.UpdateContact(u.ctx, u.h.Domain, u.name, j.Bare().String(), u.MaxContacts,
			func(c *store.Contact) (bool, error) {
				if c.InRoster {
					return false, store.ErrNoChange
				}
				c.InRoster, c.Name, c.Groups, c.Subscription = true, cut(it.Attr("name"), 1023), groups, sub
				c.Ask, c.Approved = it.Attr("ask") == "subscribe", it.Attr("approved") == "true"
				return false, nil
			})
		if err := u.problem(kindContacts, "contact "+j.String(), err); err != nil {
			return err
		}
	}
	return nil
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// request imports a subscription request that has not been answered (section 3.9).
func (u *incoming) request(e *wire.Element) error {
	from, err := jid.Parse(e.Attr("from"))
	if err != nil || e.Attr("type") != "subscribe" {
		return errValue
	}
	p := wire.E(wire.NSClient, "presence").Set("type", "subscribe").Set("from", from.Bare().String()).
		Set("to", u.self.String()).Set("id", e.Attr("id"))
	p.Nodes = e.Nodes
	kept := p.AppendXML(nil, "")
	if len(kept) > 4096 {
		p.Nodes = nil
		kept = p.AppendXML(nil, "")
	}
	_, err = u.Store.UpdateContact(u.ctx, u.h.Domain, u.name, from.Bare().String(), u.MaxContacts,
		func(c *store.Contact) (bool, error) {
			if c.Subscription == store.SubFrom || c.Subscription == store.SubBoth || c.Request != nil {
				return false, store.ErrNoChange
			}
			c.Request = kept
			return false, nil
		})
	return err
}

// privacy imports the default privacy list as far as it denies addresses everything, which is what XEP-0191 can
// express.
func (u *incoming) privacy(q *wire.Element) error {
	def := ""
	if d := q.Child(nsPrivacy, "default"); d != nil {
		def = d.Attr("name")
	}
	block := wire.E(nsBlock, "block")
	for _, l := range q.Elements() {
		if l.Name.Local != "list" {
			continue
		}
		if l.Attr("name") != def {
			u.report.problem(kindBlocked,
				"%s: the privacy list %q is not in force and is left out", u.self, l.Attr("name"))
			continue
		}
		for _, it := range l.Elements() {
			if it.Attr("type") == "jid" && it.Attr("action") == "deny" &&
				(len(it.Elements()) == 0 || it.Child(nsPrivacy, "message") != nil) {
				block.Add(wire.E(nsBlock, "item").Set("jid", it.Attr("value")))
			} else if it.Attr("action") == "deny" {
				u.report.problem(kindBlocked,
					"%s: the privacy list has a rule that is not by address and is left out", u.self)
			}
		}
	}
	if len(block.Elements()) == 0 {
		return nil
	}
	return u.do(kindBlocked, "blocked addresses", block)
}
