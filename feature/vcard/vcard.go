// Package vcard keeps people's business cards (XEP-0054) and has one picture for them in all three places where clients
// look for it: the card, the account's avatar nodes (XEP-0084), and the hash in presence (XEP-0153). What is changed in
// one place is changed in the others (XEP-0398).
package vcard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
)

const (
	ns       = "vcard-temp"
	nsUpdate = "vcard-temp:x:update"
	nsData   = "urn:xmpp:avatar:data"
	nsMeta   = "urn:xmpp:avatar:metadata"
)

// Config of cards; zero values mean the defaults.
type Config struct {
	Size int // bytes of one card, default 128 KiB
}

// Words is how many bytes of a card are left for what is not the picture, which may be as large as an item of a node.
const Words = 32 << 10

type vcard struct {
	h      *server.Host
	cfg    Config
	hashes sync.Map // account → string: SHA-1 of its picture in hex, "" if it has none
	known  atomic.Int64
	write  sync.Mutex // one change at a time
}

const maxKnown = 100_000

// New makes the feature. It stands before the one that broadcasts presence.
func New(h *server.Host, c Config) *server.Feature {
	if c.Size <= 0 {
		c.Size = 128 << 10
	}
	v := &vcard{h: h, cfg: c}
	q := func(to server.Target, typ string) server.Query {
		return server.Query{To: to, Type: typ, Space: ns, Local: "vCard"}
	}
	return &server.Feature{
		Name: "vcard",
		XEP: []server.XEP{{Number: 54, Title: "vcard-temp", Version: "1.3.0"}, {Number: 153, Title: "vCard-Based Avatars", Version: "1.1.1", Notes: "the server puts the hash into presence"},
			{Number: 84, Title: "User Avatar", Version: "1.1.4"}, {Number: 398, Title: "User Avatar to vCard-Based Avatars Conversion", Version: "1.0.0"},
			{Number: 292, Title: "vCard4 Over XMPP", Version: "0.12.0", Notes: "converted to and from vcard-temp, but for pictures, which are XEP-0084"}},
		Disco:   []string{ns},
		Account: []string{ns, "urn:xmpp:pep-vcard-conversion:0", nsCard4},
		IQ: map[server.Query]server.IQFunc{
			q(server.ToSelf, "get"): v.own, q(server.ToSelf, "set"): v.set,
			q(server.ToAccount, "get"): v.get, q(server.ToAccount, "set"): forbidden,
			{To: server.ToHost, Type: "get", Space: ns, Local: "vCard"}: v.service,
		},
		Steps:     []server.Step{{Stage: server.SentStamp, Kind: wire.Presence, Do: v.stamp}},
		Published: v.published,
		Deleted:   func(_ context.Context, account string) { v.hashes.Delete(account) },
	}
}

func forbidden(context.Context, *server.Request) (*wire.Element, error) { return nil, server.Forbidden }

// card gives what an account has kept; store.ErrNotFound if nothing.
func (v *vcard) card(ctx context.Context, account string) (*wire.Element, error) {
	b, err := v.h.Store.Private(ctx, v.h.Domain, account, ns, "vCard")
	if err != nil {
		return nil, err
	}
	return wire.ParseElement(b, "")
}

// own: who has none gets an empty one (XEP-0054, section 3.1).
func (v *vcard) own(ctx context.Context, r *server.Request) (*wire.Element, error) {
	e, err := v.card(ctx, r.Account)
	if errors.Is(err, store.ErrNotFound) {
		if e, err = v.named(ctx, r.Account); e == nil && err == nil {
			e = wire.E(ns, "vCard")
		}
	}
	return e, err
}

// get: an account without a card answers as one that does not exist (section 3.3), but for colleagues, who are shown the
// name that the organization knows it by.
func (v *vcard) get(ctx context.Context, r *server.Request) (*wire.Element, error) {
	e, err := v.card(ctx, r.Account)
	if !errors.Is(err, store.ErrNotFound) {
		return e, err
	}
	if r.From.Domain() == v.h.Domain {
		if e, err := v.named(ctx, r.Account); e != nil || err != nil {
			return e, err
		}
	}
	return nil, server.ServiceUnavailable
}

// named makes a card of what the organization knows of an account: its full name; nil if that is nothing.
func (v *vcard) named(ctx context.Context, account string) (*wire.Element, error) {
	u, err := v.h.Store.User(ctx, v.h.Domain, account)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.FullName == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.E(ns, "vCard", wire.T(ns, "FN", u.FullName)), nil
}

// service is the host's own card.
func (v *vcard) service(context.Context, *server.Request) (*wire.Element, error) {
	return wire.E(ns, "vCard", wire.T(ns, "FN", v.h.Domain), wire.T(ns, "DESC", "parley, a chat server")), nil
}

func (v *vcard) set(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if err := v.save(ctx, r.Account, r.Payload); err != nil {
		return nil, err
	}
	if err := v.told(v.toCard4(ctx, r.Account, r.Payload)); err != nil {
		return nil, err
	}
	return nil, v.told(v.toNodes(ctx, r.Account, r.Payload))
}

// told takes a refusal for what it is: the account may have no more nodes, or what it has published is too large for the
// other place. What was asked for is done all the same.
func (v *vcard) told(err error) error {
	var refused stanza.Error
	if errors.As(err, &refused) {
		v.h.Log.Debug("a card or picture is not in all its places", "err", err)
		return nil
	}
	return err
}

func (v *vcard) save(ctx context.Context, account string, e *wire.Element) error {
	b := e.AppendXML(nil, "")
	if len(b) > v.cfg.Size {
		return server.WithText(server.NotAcceptable, "the card is too large")
	}
	return v.h.Store.SetPrivate(ctx, v.h.Domain, account, ns, "vCard", b, 0)
}
