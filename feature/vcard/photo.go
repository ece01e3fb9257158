package vcard

import (
	"context"
	"encoding/base64"
	"errors"

	"parley/store"
	"parley/wire"
)

// SetPhoto sets or removes the photo in an account's card; tell publishes it in the other places where clients look. It
// implements people.Photos.
func (v *Cards) SetPhoto(ctx context.Context, account string, data []byte,
	typ string) (tell func(context.Context), err error) {
	card, err := v.card(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		if card, err = wire.E(ns, "vCard"), nil; data == nil {
			return func(context.Context) {}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	var p *picture
	if data != nil {
		p = &picture{typ, data}
	}
	now := withPhoto(card, p)
	if err := v.save(ctx, account, now); err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		if err := v.told(v.toNodes(ctx, account, now)); err != nil {
			v.h.Log.Error("cannot put a photo into all its places", "account", account, "err", err)
		}
	}, nil
}

// withPhoto gives a copy of a card with another photo, or with none.
func withPhoto(card *wire.Element, p *picture) *wire.Element {
	out := &wire.Element{
		Name:  card.Name,
		Attrs: card.Attrs,
		Nodes: dropped(card.Nodes, wire.Name{Space: ns, Local: "PHOTO"}),
	}
	if p != nil {
		out.Add(wire.E(ns, "PHOTO", wire.T(ns, "TYPE", p.typ),
			wire.T(ns, "BINVAL", base64.StdEncoding.EncodeToString(p.data))))
	}
	return out
}

// PhotoHash gives the SHA-1 of an account's photo in hex; "" if it has none.
func (v *Cards) PhotoHash(ctx context.Context, account string) (string, error) {
	return v.hash(ctx, account)
}

// Photo gives an account's photo as it was published, unchecked; store.ErrNotFound if it has none.
func (v *Cards) Photo(ctx context.Context, account string) (data []byte, hash string, err error) {
	card, err := v.card(ctx, account)
	if err != nil {
		return nil, "", err
	}
	p := photo(card)
	if p == nil {
		return nil, "", store.ErrNotFound
	}
	return p.data, p.hash(), nil
}
