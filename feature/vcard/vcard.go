// Package vcard keeps people's business cards (XEP-0054), with one photo for the three places where clients look for
// it: the card, the account's avatar nodes (XEP-0084), and the hash in presence (XEP-0153). A change in one place is
// made in the others (XEP-0398).
package vcard

import (
	"context"
	"errors"

	"parley/internal/changes"
	"parley/internal/memo"
	"parley/internal/slot"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	ns       = "vcard-temp"
	nsUpdate = "vcard-temp:x:update"
	nsData   = "urn:xmpp:avatar:data"
	nsMeta   = "urn:xmpp:avatar:metadata"
)

// Config of cards; zero values mean the defaults.
type Config struct {
	Size int // bytes per card, default 128 KiB
}

// Words is how many bytes of a card are for everything but the photo, which may be as large as an item of a node.
const Words = 32 << 10

// Cards keeps the cards of a host's accounts. Safe from any goroutine.
type Cards struct {
	h      *server.Host
	st     Store
	rules  *people.People
	cfg    Config
	hashes memo.Map[string, string] // by account: SHA-1 of its photo in hex, "" if it has none
	said   memo.Map[string, string] // by account: the hash that its clients here have told contacts; it may be missing
	write  slot.Keyed[string]       // by account: one change at a time
}

// New makes the Cards of a host. rules know the organization's profiles and who sees what of them.
func New(h *server.Host, st Store, rules *people.People, c Config) *Cards {
	if c.Size <= 0 {
		c.Size = 128 << 10
	}
	v := &Cards{h: h, st: st, rules: rules, cfg: c}
	rules.UsePhotos(v)
	for _, t := range []changes.Topic{changes.Own, changes.Account} {
		h.On(t, memo.Forgetting(&v.hashes))
		h.On(t, memo.Forgetting(&v.said))
	}
	return v
}

// Feature gives the feature to install in the host, before the one that broadcasts presence.
func (v *Cards) Feature() *server.Feature {
	q := func(to server.Target, typ string) server.Query {
		return server.Query{To: to, Type: typ, Space: ns, Local: "vCard"}
	}
	return &server.Feature{
		Name: "vcard",
		XEP: []server.XEP{
			{
				Number:  54,
				Title:   "vcard-temp",
				Version: "1.3.0",
				Notes: "name, work e-mail, mobile, job title, company and department come from the profile, and " +
					"each is shown to the people that the profile names",
			},
			{
				Number:  153,
				Title:   "vCard-Based Avatars",
				Version: "1.1.1",
				Notes:   "the server puts the hash into presence",
			},
			{Number: 84, Title: "User Avatar", Version: "1.1.4"},
			{Number: 398, Title: "User Avatar to vCard-Based Avatars Conversion", Version: "1.0.0"},
			{
				Number:  292,
				Title:   "vCard4 Over XMPP",
				Version: "0.12.0",
				Notes: "converted to and from vcard-temp, but for pictures, which are XEP-0084; " +
					"fields that the organization has defined are extended properties",
			},
		},
		Disco:   []string{ns},
		Account: []string{ns, "urn:xmpp:pep-vcard-conversion:0", nsCard4},
		IQ: map[server.Query]server.IQFunc{
			q(server.ToSelf, "get"): v.own, q(server.ToSelf, "set"): v.set,
			q(server.ToAccount, "get"): v.get, q(server.ToAccount, "set"): forbidden,
			{To: server.ToHost, Type: "get", Space: ns, Local: "vCard"}: v.service,
		},
		Steps:     []server.Step{{Stage: server.SentStamp, Kind: wire.Presence, Do: v.stamp}},
		Published: v.published,
		Views:     map[string]server.ItemView{nodeCard4: v.shows},
		Changed:   v.follow,
	}
}

func forbidden(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }

// card gives an account's card as it is kept; store.ErrNotFound if it has none.
func (v *Cards) card(ctx context.Context, account string) (*wire.Element, error) {
	b, err := v.st.Private(ctx, v.h.Domain, account, ns, "vCard")
	if err != nil {
		return nil, err
	}
	return wire.ParseElement(b, "")
}

// own answers with the asker's own card; an empty one if there is none (XEP-0054, section 3.1).
func (v *Cards) own(ctx context.Context, r *server.Request) (*wire.Element, error) {
	card, err := v.card(ctx, r.Account)
	if errors.Is(err, store.ErrNotFound) {
		card, err = wire.E(ns, "vCard"), nil
	}
	if err != nil {
		return nil, err
	}
	return v.shown(ctx, temp, r.Account, r.From, card)
}

// get answers with another account's card. Without a card it answers as for an account that does not exist (section
// 3.3); colleagues get what the organization shows them.
func (v *Cards) get(ctx context.Context, r *server.Request) (*wire.Element, error) {
	card, err := v.card(ctx, r.Account)
	if errors.Is(err, store.ErrNotFound) {
		if r.From.Domain() != v.h.Domain {
			return nil, server.ServiceUnavailable
		}
		if card, err = v.shown(ctx, temp, r.Account, r.From, wire.E(ns, "vCard")); errors.Is(err, store.ErrNotFound) ||
			err == nil && len(card.Nodes) == 0 {
			return nil, server.ServiceUnavailable
		}
		return card, err
	}
	if err != nil {
		return nil, err
	}
	return v.shown(ctx, temp, r.Account, r.From, card)
}

// service answers with the host's own card.
func (v *Cards) service(context.Context, *server.Request) (*wire.Element, error) {
	return wire.E(ns, "vCard", wire.T(ns, "FN", v.h.Domain), wire.T(ns, "DESC", "parley, a chat server")), nil
}

// set keeps a card. Values that its owner may not change stay as the organization has them.
func (v *Cards) set(ctx context.Context, r *server.Request) (*wire.Element, error) {
	u, change, any, err := v.taken(ctx, r.Account, temp, r.Payload)
	if err != nil {
		return nil, err
	}
	card := temp.joined(r.Payload, u, u, v.rules.Company(), false)
	if err := v.keep(ctx, r.From, card); err != nil {
		return nil, err
	}
	if err := v.told(v.toCard4(ctx, r.Account, card, u)); err != nil {
		return nil, err
	}
	if err := v.told(v.toNodes(ctx, r.Account, card)); err != nil || !any {
		return nil, err
	}
	return nil, v.update(ctx, r.From, change)
}

// told passes on only errors that matter to the person. A refusal of the other place (too many nodes, or the photo is
// too large for it) does not: the request itself has succeeded.
func (v *Cards) told(err error) error {
	if _, ok := server.Refusal(err); ok {
		v.h.Log.Debug("cannot put a card or photo into all its places", "err", err)
		return nil
	}
	return err
}

func (v *Cards) save(ctx context.Context, account string, e *wire.Element) error {
	b := e.AppendXML(nil, "")
	if len(b) > v.cfg.Size {
		return server.WithText(server.NotAcceptable, "the card is too large")
	}
	return v.st.SetPrivate(ctx, v.h.Domain, account, ns, "vCard", b, 0)
}

// keep is save for a card that its owner published. A change of the photo is an act with an audit entry.
func (v *Cards) keep(ctx context.Context, who jid.JID, e *wire.Element) error {
	account, now := who.Local(), ""
	if p := photo(e); p != nil {
		now = p.hash()
	}
	was, err := v.hash(ctx, account)
	if err != nil {
		return err
	}
	if was == now {
		v.said.Put(account, now)
		return v.save(ctx, account, e)
	}
	u, err := v.rules.Get(ctx, account)
	if err != nil {
		return err
	}
	return v.rules.PhotoChanged(ctx, v.rules.ByClient(u, who), account,
		now != "", func(ctx context.Context) error { return v.save(ctx, account, e) })
}
