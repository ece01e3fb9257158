package muc

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A room's picture (XEP-0486): the PHOTO of its vCard, which owners set; its hash is in muc#roominfo, and in presence
// of the room itself for clients that look there.

const (
	nsVCard       = "vcard-temp"
	nsVCardUpdate = "vcard-temp:x:update"

	maxCard    = 256 << 10 // bytes of a vCard
	maxPicture = 100 << 10 // bytes of one picture
	maxPhotos  = 4         // of one room: the same picture in several formats
)

// cardKey is where a free room's vCard is kept.
func (r *Room) cardKey() string { return "muc/vcard/" + r.name }

// vcard answers a request for the room's vCard, or one to change it.
func (r *Room) vcard(ctx context.Context, st *wire.Stanza, card *wire.Element) (*wire.Element, error) {
	if err := r.known(ctx, st.From); err != nil {
		return nil, err
	}
	if st.Type == "get" {
		return r.keeper.Picture(ctx)
	}
	a, err := r.affiliation(ctx, st.From)
	switch {
	case err != nil:
		return nil, err
	case a != Owner:
		return nil, server.WithText(server.Forbidden, "only owners may set the room's picture")
	}
	return nil, r.keeper.SetPicture(ctx, st, card)
}

// SetPicture keeps the vCard unchanged, as it was sent.
func (k *free) SetPicture(ctx context.Context, st *wire.Stanza, card *wire.Element) error {
	hashes, _, err := ReadPhotos(card)
	if err != nil {
		return err
	}
	c, _ := st.Child(nsVCard, "vCard")
	raw := slices.Clone(st.Raw(c))
	if len(raw) > maxCard {
		return server.WithText(server.PolicyViolation, "the vCard is too large")
	}
	return k.r.ask(ctx, func(ctx context.Context, r *Room) error { return r.setCard(ctx, raw, hashes) })
}

// Picture is the vCard that an owner has set.
func (k *free) Picture(ctx context.Context) (*wire.Element, error) {
	r, empty := k.r, wire.E(nsVCard, "vCard")
	if len(r.Config().Avatars) == 0 {
		return empty, nil
	}
	raw, err := r.s.st.Get(ctx, r.s.cfg.Domain, r.cardKey())
	if errors.Is(err, store.ErrNotFound) {
		return empty, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.ParseElement(raw, wire.NSClient)
}

// ReadPhotos gives the pictures of a vCard (XEP-0054) and their SHA-1 hashes in hex, none if it has none. It accepts at
// most four pictures of 100 KiB each; the error is a stanza error that describes the fault.
func ReadPhotos(card *wire.Element) (hashes []string, photos [][]byte, err error) {
	for _, ph := range card.Elements() {
		text := strings.Join(strings.Fields(ph.ChildText(nsVCard, "BINVAL")), "")
		if ph.Name != (wire.Name{Space: nsVCard, Local: "PHOTO"}) || text == "" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(text)
		typ := ph.ChildText(nsVCard, "TYPE")
		switch {
		case err != nil || len(data) == 0:
			return nil, nil, server.WithText(server.BadRequest, "the picture is not in base64")
		case len(data) > maxPicture || len(photos) == maxPhotos:
			return nil, nil, server.WithText(server.PolicyViolation, "the picture is too large: at most 100 KiB")
		case !strings.HasPrefix(typ, "image/") && !strings.HasPrefix(http.DetectContentType(data), "image/"):
			return nil, nil, server.WithText(server.NotAcceptable, "this is not a picture")
		}
		sum := sha1.Sum(data)
		hashes, photos = append(hashes, hex.EncodeToString(sum[:])), append(photos, data)
	}
	return hashes, photos, nil
}

// sendAvatar tells clients that look for it in presence of the room itself (XEP-0486, section 5.2); nothing if there
// never was a picture, as some take such presence for an occupant's.
func (r *Room) sendAvatar(ctx context.Context, tos []jid.JID) {
	if len(r.cfg.Avatars) == 0 {
		return
	}
	st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, From: r.jid}
	r.send(ctx, st.Add(wire.E(nsVCardUpdate, "x", wire.T(nsVCardUpdate, "photo", r.cfg.Avatars[0]))), tos)
}

// avatarChanged tells all occupants that the picture is new or gone.
func (r *Room) avatarChanged(ctx context.Context, was []string) {
	if slices.Equal(was, r.cfg.Avatars) {
		return
	}
	photo := wire.E(nsVCardUpdate, "photo")
	if len(r.cfg.Avatars) > 0 {
		photo = wire.T(nsVCardUpdate, "photo", r.cfg.Avatars[0])
	}
	st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, From: r.jid}
	r.send(ctx, st.Add(wire.E(nsVCardUpdate, "x", photo)), r.everyone(nil))
}

// setCard keeps a free room's vCard and tells all occupants.
func (r *Room) setCard(ctx context.Context, raw []byte, hashes []string) error {
	if len(hashes) == 0 {
		if err := r.s.st.Delete(ctx, r.s.cfg.Domain, r.cardKey()); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	} else if err := r.s.st.Put(ctx, r.s.cfg.Domain, r.cardKey(), raw); err != nil {
		return err
	}
	now := r.cfg
	now.Avatars = hashes
	return r.saveConfig(ctx, now)
}

// dropCard forgets the vCard of a room that ends.
func (r *Room) dropCard(ctx context.Context) {
	if len(r.cfg.Avatars) == 0 {
		return
	}
	if err := r.s.st.Delete(ctx, r.s.cfg.Domain, r.cardKey()); err != nil && !errors.Is(err, store.ErrNotFound) {
		r.s.log.Error("the vCard of a room that was destroyed is kept", "room", r.jid.String(), "err", err)
	}
}
