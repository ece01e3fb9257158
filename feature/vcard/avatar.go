package vcard

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"image"
	_ "image/gif"  // the sizes of pictures
	_ "image/jpeg" // of these
	_ "image/png"  // kinds
	"net/http"
	"strconv"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// picture is the photo of a card.
type picture struct {
	typ  string
	data []byte
}

func (p *picture) hash() string {
	sum := sha1.Sum(p.data)
	return hex.EncodeToString(sum[:])
}

// photo reads the photo of a card; nil if the card has no readable photo.
func photo(card *wire.Element) *picture {
	ph := card.Child(ns, "PHOTO")
	text := strings.Join(strings.Fields(ph.ChildText(ns, "BINVAL")), "")
	if text == "" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return nil
	}
	typ := ph.ChildText(ns, "TYPE")
	if !strings.HasPrefix(typ, "image/") {
		typ = http.DetectContentType(data)
	}
	return &picture{typ, data}
}

// hash gives the SHA-1 of an account's photo; "" if it has none.
func (v *Cards) hash(ctx context.Context, account string) (string, error) {
	if h, ok := v.hashes.Get(account); ok {
		return h, nil
	}
	h, drops := "", v.hashes.Drops()
	card, err := v.card(ctx, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if err == nil {
		if p := photo(card); p != nil {
			h = p.hash()
		}
	}
	v.hashes.PutUnless(account, h, drops)
	return h, nil
}

// stamp puts the photo's hash into presence (XEP-0398, section 3), unless the client has put one there itself.
func (v *Cards) stamp(ctx context.Context, p *server.Pass) error {
	if p.Stanza.Type != "" {
		return nil
	}
	x := p.Stanza.Element(nsUpdate, "x")
	h, err := v.hash(ctx, p.Account)
	if err != nil {
		return err
	}
	if h == "" && x == nil || x != nil && x.ChildText(nsUpdate, "photo") == h && x.Child(nsUpdate, "photo") != nil {
		return nil
	}
	p.Stanza = p.Stanza.Copy().Remove(isUpdate).Add(wire.E(nsUpdate, "x", wire.T(nsUpdate, "photo", h)))
	return nil
}

func isUpdate(c wire.Child) bool { return c.Name == wire.Name{Space: nsUpdate, Local: "x"} }

// changed sends every client's presence to contacts again, with the new photo's hash.
func (v *Cards) changed(ctx context.Context, account, hash string) {
	if old, ok := v.said.Get(account); ok && old == hash {
		return
	}
	v.said.Put(account, hash)
	for _, s := range v.h.Account(account).Sessions() {
		pr, _ := s.Presence()
		if pr == nil {
			continue
		}
		again := pr.Copy().Remove(isUpdate).Add(wire.E(nsUpdate, "x", wire.T(nsUpdate, "photo", hash)))
		again.ID = v.h.NewID()
		v.h.Sent(ctx, s, again)
	}
}

// toNodes publishes a card's photo in the avatar nodes, where newer clients look.
func (v *Cards) toNodes(ctx context.Context, account string, card *wire.Element) error {
	if err := v.write.Take(ctx, account); err != nil {
		return err
	}
	defer v.write.Free(account)
	pep := v.h.PEP()
	p := photo(card)
	was := ""
	if pep != nil {
		if last, err := pep.Last(ctx, account, nsMeta); err == nil && bytes.Contains(last.Payload, []byte("<info")) {
			was = last.ID
		}
	}
	switch {
	case p == nil:
		v.changed(ctx, account, "")
		if pep == nil || was == "" {
			return nil
		}
		return pep.Publish(ctx, account, nsMeta, "open",
			server.PEPItem{ID: "none", Payload: wire.E(nsMeta, "metadata").AppendXML(nil, "")})
	case pep == nil || was == p.hash():
		v.changed(ctx, account, p.hash())
		return nil
	}
	h := p.hash()
	data := wire.T(nsData, "data", base64.StdEncoding.EncodeToString(p.data))
	if err := pep.Publish(ctx, account, nsData, "open",
		server.PEPItem{ID: h, Payload: data.AppendXML(nil, "")}); err != nil {
		return err
	}
	info := wire.E(nsMeta, "info").Set("bytes", strconv.Itoa(len(p.data))).Set("id", h).Set("type", p.typ)
	if c, _, err := image.DecodeConfig(bytes.NewReader(p.data)); err == nil {
		info.Set("width", strconv.Itoa(c.Width)).Set("height", strconv.Itoa(c.Height))
	}
	if err := pep.Publish(ctx, account, nsMeta, "open",
		server.PEPItem{ID: h, Payload: wire.E(nsMeta, "metadata", info).AppendXML(nil, "")}); err != nil {
		return err
	}
	v.changed(ctx, account, h)
	return nil
}

// published puts a photo from the avatar nodes into the card, where older clients look.
func (v *Cards) published(ctx context.Context, account, node string, it server.PEPItem) {
	if node == nodeCard4 {
		if err := v.told(v.fromCard4(ctx, account, it)); err != nil {
			v.h.Log.Error("cannot keep a card in its old form", "account", account, "err", err)
		}
		return
	}
	if node != nsMeta {
		return
	}
	if err := v.told(v.toCard(ctx, account, it)); err != nil {
		v.h.Log.Error("cannot put an avatar into a card", "account", account, "err", err)
	}
}

func (v *Cards) toCard(ctx context.Context, account string, it server.PEPItem) error {
	meta, err := wire.ParseElement(it.Payload, "")
	if err != nil {
		return nil // its hash is wrong
	}
	card, err := v.card(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		card, err = wire.E(ns, "vCard"), nil
	}
	if err != nil {
		return err
	}
	var now *picture
	if info := meta.Child(nsMeta, "info"); info != nil {
		last, err := v.h.PEP().Last(ctx, account, nsData)
		if err != nil || last.ID != info.Attr("id") {
			return nil // the photo is elsewhere (a URL), or was never published
		}
		d, err := wire.ParseElement(last.Payload, "")
		if err != nil {
			return nil
		}
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(d.Text()), ""))
		if err != nil {
			return nil
		}
		now = &picture{info.Attr("type"), data}
	}
	was := photo(card)
	if was == nil && now == nil || was != nil && now != nil && was.hash() == now.hash() {
		return nil
	}
	hash := ""
	if now != nil {
		hash = now.hash()
	}
	owner, err := jid.New(account, v.h.Domain, "")
	if err != nil {
		return err
	}
	if err := v.keep(ctx, owner, withPhoto(card, now)); err != nil {
		return err
	}
	v.changed(ctx, account, hash)
	return nil
}
