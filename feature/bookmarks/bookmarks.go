// Package bookmarks keeps a person's list of rooms (XEP-0402) once and shows it in three views: the node of that XEP,
// the older node of XEP-0048, and private storage (XEP-0049). A change by any of them, or by the server itself when
// somebody joins a group, is notified on both nodes.
package bookmarks

import (
	"context"
	"errors"
	"slices"

	"mellium.im/xmpp/stanza"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Namespaces of the views.
const (
	nsBookmarks = "urn:xmpp:bookmarks:1"
	nsStorage   = "storage:bookmarks"
)

// Config of bookmarks; zero values mean the defaults.
type Config struct {
	Max       int // per account, default 1000
	Extension int // bytes of one bookmark's extensions, default 16 KiB
	// Changed is called after a person's client has changed whether clients enter a room by themselves. May be nil.
	Changed func(ctx context.Context, account string, room jid.JID, was, is bool)
}

// Bookmarks is the feature, with methods for changes by the server itself.
type Bookmarks struct {
	// Saved is called after bookmarks of an account have changed. It is set before the host serves; nil: nobody.
	Saved func(account string)

	h   *server.Host
	st  Store
	cfg Config

	settings memo.Map[string, *accountSettings] // by account
}

// New makes the Bookmarks of a host.
func New(h *server.Host, st Store, c Config) *Bookmarks {
	if c.Max <= 0 {
		c.Max = 1000
	}
	if c.Extension <= 0 {
		c.Extension = 16 << 10
	}
	b := &Bookmarks{h: h, st: st, cfg: c}
	b.settings.Most = maxSettings
	for _, t := range []changes.Topic{changes.Own, changes.Account} {
		h.On(t, memo.Forgetting(&b.settings))
	}
	return b
}

// Feature gives the feature to install in the host.
func (b *Bookmarks) Feature() *server.Feature {
	return &server.Feature{
		Name: "bookmarks",
		XEP: []server.XEP{
			{Number: 402, Title: "PEP Native Bookmarks", Version: "1.2.0"},
			{Number: 48, Title: "Bookmarks", Version: "1.2"},
			{Number: 411, Title: "Bookmarks Conversion", Version: "1.1.0"},
			{
				Number:  492,
				Title:   "Chat Notification Settings",
				Version: "0.2.0",
				Notes:   "push notifications keep to what a room's bookmark says",
			},
			{
				Number:  469,
				Title:   "Bookmark Pinning",
				Version: "0.1.0",
				Notes:   "favourites of the chat in the browser",
			},
		},
		Account: []string{nsBookmarks + "#compat", nsBookmarks + "#compat-pep", "urn:xmpp:bookmarks-conversion:0"},
		PEP: []server.PEPNode{
			{
				Name:    nsBookmarks,
				Access:  "whitelist",
				Like:    nsStorage,
				Items:   b.items,
				Publish: b.publish,
				Retract: b.retract,
			},
			{
				Name:    nsStorage,
				Access:  "whitelist",
				Like:    nsBookmarks,
				Single:  true,
				Items:   b.storageItems,
				Publish: b.publishStorage,
				Retract: b.retractStorage,
			},
		},
		Private: map[wire.Name]server.PrivateView{
			{Space: nsStorage, Local: "storage"}: {Get: b.storage, Set: b.setStorage},
		},
	}
}

// items gives the view of XEP-0402: one item per room.
func (b *Bookmarks) items(ctx context.Context, account string) ([]server.PEPItem, error) {
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(bs, func(x, y store.Bookmark) int { return x.Updated.Compare(y.Updated) })
	nick, err := b.nick(ctx, account)
	if err != nil {
		return nil, err
	}
	items := make([]server.PEPItem, len(bs))
	for i := range bs {
		items[i] = item(named(nick, &bs[i]))
	}
	return items, nil
}

const nsNick = "http://jabber.org/protocol/nick"

// nick gives the nickname that a person has published (XEP-0172); "" if none.
func (b *Bookmarks) nick(ctx context.Context, account string) (string, error) {
	its, _, err := b.st.Items(ctx, b.h.Domain, account, nsNick, store.ItemPage{Max: 1, Backwards: true})
	if err != nil || len(its) == 0 {
		return "", err
	}
	e, err := wire.ParseElement(its[0].Payload, "")
	if err != nil || e.Name != (wire.Name{Space: nsNick, Local: "nick"}) || len(e.Text()) > 1023 {
		return "", nil
	}
	return e.Text(), nil
}

// named gives a bookmark without a nick the person's own nickname, if there is one (XEP-0402, section 2).
func named(nick string, b *store.Bookmark) *store.Bookmark {
	if b.Nick != "" || nick == "" {
		return b
	}
	c := *b
	c.Nick = nick
	return &c
}

func item(b *store.Bookmark) server.PEPItem {
	return server.PEPItem{ID: b.Room, Payload: conference(b, nsBookmarks).AppendXML(nil, ""), At: b.Updated}
}

// conference makes the element of a bookmark in either namespace; only the newer one has extensions.
func conference(b *store.Bookmark, space string) *wire.Element {
	e := wire.E(space, "conference").Set("name", b.Name)
	if space == nsStorage {
		e.Set("jid", b.Room)
	}
	if b.Autojoin {
		e.Set("autojoin", "true")
	} else if space == nsStorage {
		e.Set("autojoin", "false")
	}
	if b.Nick != "" {
		e.Add(wire.T(space, "nick", b.Nick))
	}
	if b.Password != "" {
		e.Add(wire.T(space, "password", b.Password))
	}
	if space == nsBookmarks && len(b.Extensions) > 0 {
		e.AddRaw(b.Extensions)
	}
	return e
}

// parse reads a <conference/>; room is the id in XEP-0402.
func (b *Bookmarks) parse(e *wire.Element, room string) (store.Bookmark, error) {
	j, err := jid.Parse(room)
	if err != nil || !j.IsBare() || j.Local() == "" {
		return store.Bookmark{}, server.WithText(server.BadRequest, "a bookmark's id is the address of a room")
	}
	m := store.Bookmark{
		Room:     j.String(),
		Name:     e.Attr("name"),
		Nick:     e.ChildText(e.Name.Space, "nick"),
		Password: e.ChildText(e.Name.Space, "password"),
		Updated:  b.h.Clock.Now(),
	}
	switch e.Attr("autojoin") {
	case "true", "1":
		m.Autojoin = true
	case "", "false", "0":
	default:
		return m, server.BadRequest
	}
	if len(m.Name) > 1024 || len(m.Nick) > 1023 || len(m.Password) > 1023 {
		return m, server.WithText(server.NotAcceptable, "a name, nick or password is too long")
	}
	if x := e.Child(nsBookmarks, "extensions"); x != nil {
		if m.Extensions = x.AppendXML(nil, ""); len(m.Extensions) > b.cfg.Extension {
			return m, server.WithText(server.NotAcceptable, "the extensions are too large")
		}
	}
	return m, nil
}

// publish makes a client's change through XEP-0402. Extensions that it leaves out stay: some clients drop what they do
// not know.
func (b *Bookmarks) publish(ctx context.Context, account, id string, e *wire.Element) error {
	if e.Name != (wire.Name{Space: nsBookmarks, Local: "conference"}) {
		return server.BadRequest
	}
	m, err := b.parse(e, id)
	if err != nil {
		return err
	}
	if err := b.merge(ctx, account, &m); err != nil {
		return err
	}
	return b.save(ctx, account, []store.Bookmark{m}, nil)
}

// merge keeps parts of the earlier bookmark that m does not have.
func (b *Bookmarks) merge(ctx context.Context, account string, m *store.Bookmark) error {
	if m.Extensions != nil {
		return nil
	}
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return err
	}
	for i := range bs {
		if bs[i].Room == m.Room {
			m.Extensions = bs[i].Extensions
		}
	}
	return nil
}

func (b *Bookmarks) retract(ctx context.Context, account, id string) error {
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return err
	}
	if j, err := jid.Parse(id); err == nil {
		id = j.String()
	}
	if !slices.ContainsFunc(bs, func(m store.Bookmark) bool { return m.Room == id }) {
		return server.ItemNotFound
	}
	return b.save(ctx, account, nil, []string{id})
}

// save writes a change, and notifies on both nodes.
func (b *Bookmarks) save(ctx context.Context, account string, set []store.Bookmark, drop []string) error {
	var was []store.Bookmark
	if b.cfg.Changed != nil {
		var err error
		if was, err = b.st.Bookmarks(ctx, b.h.Domain, account); err != nil {
			return err
		}
	}
	err := b.write(ctx, account, set, drop)
	// also after an error: something may be kept
	if err := errors.Join(err, b.forget(ctx, account)); err != nil {
		return err
	}
	b.changed(ctx, account, was, set, drop)
	if b.Saved != nil {
		b.Saved(account)
	}
	return b.tell(ctx, account, set, drop)
}

func (b *Bookmarks) write(ctx context.Context, account string, set []store.Bookmark, drop []string) error {
	if len(set) > 0 {
		err := b.st.SetBookmarks(ctx, b.h.Domain, account, b.cfg.Max, set...)
		if errors.Is(err, store.ErrLimit) {
			return server.WithText(stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint},
				"there are too many bookmarks")
		}
		if err != nil {
			return err
		}
	}
	if len(drop) == 0 {
		return nil
	}
	return b.st.DeleteBookmarks(ctx, b.h.Domain, account, drop...)
}

// changed calls Changed for each room that clients now enter, or no longer do.
func (b *Bookmarks) changed(ctx context.Context, account string, was, set []store.Bookmark, drop []string) {
	if b.cfg.Changed == nil {
		return
	}
	entered := make(map[string]bool, len(was))
	for i := range was {
		entered[was[i].Room] = was[i].Autojoin
	}
	call := func(room string, is bool) {
		if j, err := jid.Parse(room); err == nil && entered[room] != is {
			b.cfg.Changed(ctx, account, j, entered[room], is)
		}
	}
	for i := range set {
		call(set[i].Room, set[i].Autojoin)
	}
	for _, room := range drop {
		call(room, false)
	}
}

// tell notifies the account's own clients.
func (b *Bookmarks) tell(ctx context.Context, account string, set []store.Bookmark, drop []string) error {
	pep := b.h.PEP()
	if pep == nil || len(b.h.Account(account).Sessions()) == 0 {
		return nil
	}
	nick, err := b.nick(ctx, account)
	if err != nil {
		return err
	}
	for i := range set {
		if err := pep.Notify(ctx, account, nsBookmarks,
			server.PEPEvent{Items: []server.PEPItem{item(named(nick, &set[i]))}}); err != nil {
			return err
		}
	}
	if len(drop) > 0 {
		if err := pep.Notify(ctx, account, nsBookmarks, server.PEPEvent{Retract: drop}); err != nil {
			return err
		}
	}
	old, err := b.storageItems(ctx, account)
	if err != nil {
		return err
	}
	return pep.Notify(ctx, account, nsStorage, server.PEPEvent{Items: old})
}

// Added notifies an account's clients of bookmarks that the server itself has written: they enter by themselves.
func (b *Bookmarks) Added(ctx context.Context, account string, rooms []jid.JID) error {
	if err := b.forget(ctx, account); err != nil {
		return err
	}
	all, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return err
	}
	var set []store.Bookmark
	for _, m := range all {
		if slices.ContainsFunc(rooms, func(r jid.JID) bool { return r.String() == m.Room }) {
			set = append(set, m)
		}
	}
	if len(set) == 0 {
		return nil
	}
	return b.tell(ctx, account, set, nil)
}

// Removed notifies an account's clients of bookmarks that the server itself has removed.
func (b *Bookmarks) Removed(ctx context.Context, account string, rooms []jid.JID) error {
	if err := b.forget(ctx, account); err != nil {
		return err
	}
	drop := make([]string, len(rooms))
	for i, r := range rooms {
		drop[i] = r.String()
	}
	return b.tell(ctx, account, nil, drop)
}
