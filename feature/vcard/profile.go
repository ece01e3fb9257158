package vcard

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// An organization's profile and a card share some values: full name, work e-mail, mobile, job title, company and
// department and, in vCard4, profile fields (see fields.go). The profile has the last word: a card is kept as its owner
// published it, and the profile's values replace the card's for each asker, as far as the asker may see them. A
// client's change of them goes into the profile, if the person may change it there. Everything else in a card is its
// owner's own.

// shared is such a value in one of the two forms of a card.
type shared struct {
	is    func(e *wire.Element) bool
	value func(e *wire.Element) string
	make  func(value string) *wire.Element
	same  func(a, b string) bool
}

// form is one of the two forms of a card; only the organization sets email and org.
type form struct {
	name, phone, email, title, org shared
	parts                          wire.Name // the name in pieces, which is wrong when the name changes
}

func equal(a, b string) bool { return a == b }

func named(space, local string) func(*wire.Element) bool {
	return func(e *wire.Element) bool { return e.Name == wire.Name{Space: space, Local: local} }
}

// line makes a shared text: old in vcard-temp, new in vCard4.
func line(of property) (o, n shared) {
	return shared{named(ns, of.old), (*wire.Element).Text,
			func(v string) *wire.Element { return wire.T(ns, of.old, v) }, equal},
		shared{named(nsCard4, of.new), value,
			func(v string) *wire.Element { return of.made(wire.T(ns, of.old, v)) }, equal}
}

// flagged is a shared property with a flag, such as a mobile telephone.
func flagged(of property, flag, text string, fresh *wire.Element, good func(string) bool,
	same func(a, b string) bool) (o, n shared) {
	val := func(e *wire.Element) string { return strings.TrimSpace(e.ChildText(ns, text)) }
	val4 := func(e *wire.Element) string {
		if b := of.back(e); b != nil {
			return val(b)
		}
		return ""
	}
	make := func(v string) *wire.Element {
		return wire.E(ns, of.old).Add(fresh.Elements()...).Add(wire.T(ns, text, v))
	}
	o = shared{func(e *wire.Element) bool { return named(ns, of.old)(e) && e.Child(ns, flag) != nil && good(val(e)) },
		val, make, same}
	n = shared{func(e *wire.Element) bool {
		if !named(nsCard4, of.new)(e) {
			return false
		}
		b := of.back(e)
		return b != nil && b.Child(ns, flag) != nil && good(val(b))
	}, val4, func(v string) *wire.Element { return of.made(make(v)) }, same}
	return o, n
}

func propertyOf(old string) property {
	for _, p := range properties {
		if p.old == old {
			return p
		}
	}
	panic("vcard: no property " + old)
}

const nextPart = "\x00" // between company and department

func organization(of property) (o, n shared) {
	val := func(e *wire.Element) string {
		return e.ChildText(ns, "ORGNAME") + nextPart + e.ChildText(ns, "ORGUNIT")
	}
	make := func(v string) *wire.Element {
		company, department, _ := strings.Cut(v, nextPart)
		e := wire.E(ns, "ORG", wire.T(ns, "ORGNAME", company))
		if department != "" {
			e.Add(wire.T(ns, "ORGUNIT", department))
		}
		return e
	}
	o = shared{named(ns, of.old), val, make, equal}
	n = shared{named(nsCard4, of.new), func(e *wire.Element) string {
		if b := of.back(e); b != nil {
			return val(b)
		}
		return ""
	}, func(v string) *wire.Element {
		e := wire.E(nsCard4, of.new)
		for _, part := range strings.Split(v, nextPart) {
			if part != "" {
				e.Add(wire.T(nsCard4, "text", part))
			}
		}
		return e
	}, equal}
	return o, n
}

var temp, card4th = func() (o, n form) {
	some := func(s string) bool { return s != "" }
	sameNumber := func(a, b string) bool { return digits(a) == digits(b) }
	o.parts, n.parts = wire.Name{Space: ns, Local: "N"}, wire.Name{Space: nsCard4, Local: "n"}
	o.name, n.name = line(propertyOf("FN"))
	o.title, n.title = line(propertyOf("TITLE"))
	o.phone, n.phone = flagged(propertyOf("TEL"), "CELL", "NUMBER", wire.E(ns, "TEL", wire.E(ns, "CELL")),
		people.IsPhone, sameNumber)
	o.email, n.email = flagged(propertyOf("EMAIL"), "WORK", "USERID",
		wire.E(ns, "EMAIL", wire.E(ns, "INTERNET"), wire.E(ns, "WORK")), some, strings.EqualFold)
	o.org, n.org = organization(propertyOf("ORG"))
	return o, n
}()

// digits gives the digits of a number, without its formatting.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// first gives the first element of a card for this value; nil if there is none.
func (s shared) first(card *wire.Element) *wire.Element {
	for _, e := range card.Elements() {
		if s.is(e) {
			return e
		}
	}
	return nil
}

// put makes a card have only this value; add: even if it had none.
func (s shared) put(card *wire.Element, v string, add bool) {
	done := v == ""
	var left []wire.Node
	for _, n := range card.Nodes {
		switch {
		case n.Element == nil || !s.is(n.Element):
			left = append(left, n)
		case !done:
			if done = true; !s.same(s.value(n.Element), v) {
				n.Element = s.make(v)
			}
			left = append(left, n)
		}
	}
	if card.Nodes = left; !done && add {
		card.Add(s.make(v))
	}
}

// joined gives a copy of a card with the profile's values: u is the whole profile, seen what the asker sees, company
// the organization's name ("": left out).
func (f form) joined(card *wire.Element, u, seen store.Person, company string, add bool) *wire.Element {
	out := &wire.Element{Name: card.Name, Attrs: card.Attrs, Nodes: append([]wire.Node{}, card.Nodes...)}
	if n := f.name.first(out); u.FullName != "" {
		if n != nil && f.name.value(n) != u.FullName {
			out.Nodes = dropped(out.Nodes, f.parts)
		}
		f.name.put(out, u.FullName, add)
	}
	f.phone.put(out, seen.Phone, add)
	f.title.put(out, seen.Title, add)
	if u.Email != "" {
		f.email.put(out, seen.Email, add)
	}
	if company != "" || u.Department != "" {
		v := company + nextPart + seen.Department
		if v == nextPart {
			v = ""
		}
		f.org.put(out, v, add)
	}
	return out
}

func dropped(ns []wire.Node, name wire.Name) (left []wire.Node) {
	for _, n := range ns {
		if n.Element == nil || n.Element.Name != name {
			left = append(left, n)
		}
	}
	return left
}

// change gives what a published card changes in its owner's profile. A card with nothing but a photo changes nothing,
// and a card without a name does not change the name.
func (f form) change(card *wire.Element, u store.Person) (c people.Change, any bool) {
	says := false
	for _, s := range []shared{f.name, f.phone, f.email, f.title, f.org} {
		says = says || s.first(card) != nil
	}
	if !says {
		return c, false
	}
	text := func(s shared) string {
		if e := s.first(card); e != nil {
			return strings.TrimSpace(s.value(e))
		}
		return ""
	}
	if v := text(f.name); v != "" && v != u.FullName {
		c.FullName, any = &v, true
	}
	if v := text(f.phone); !f.phone.same(v, u.Phone) {
		c.Phone, any = &v, true
	}
	if v := text(f.title); v != u.Title {
		c.Title, any = &v, true
	}
	return c, any
}

// taken gives the person as a published card makes them, and the change of the profile.
func (v *Cards) taken(ctx context.Context, account string, f form,
	card *wire.Element) (u store.Person, ch people.Change, any bool, err error) {
	if u, err = v.rules.Get(ctx, account); err != nil {
		return u, ch, false, err
	}
	ch, any = f.change(card, u)
	if card.Name.Space == nsCard4 {
		fs, err := v.rules.Fields(ctx)
		if err != nil {
			return u, ch, false, err
		}
		if changed := fieldsChanged(card, fs, u); len(changed) > 0 {
			ch.Fields, any = changed, true
		}
	}
	if any {
		u, err = v.rules.Try(ctx, u, ch)
	}
	return u, ch, any, err
}

// update makes the change in the profile of the person, by their full address if it is known.
func (v *Cards) update(ctx context.Context, who jid.JID, ch people.Change) error {
	u, err := v.rules.Get(ctx, who.Local())
	if err == nil {
		_, err = v.rules.Update(ctx, v.rules.ByClient(u, who), u.Name, ch)
	}
	return err
}

// shown gives an account's card as the asker sees it.
func (v *Cards) shown(ctx context.Context, f form, account string, who jid.JID,
	card *wire.Element) (*wire.Element, error) {
	u, err := v.st.Person(ctx, v.h.Domain, account)
	if err != nil {
		return nil, err
	}
	a, err := v.rules.Actor(ctx, who)
	if err != nil {
		return nil, err
	}
	seen, err := v.rules.Seen(ctx, a, u)
	if err != nil {
		return nil, err
	}
	if card.Name.Space == nsCard4 {
		fs, err := v.rules.Fields(ctx)
		if err != nil {
			return nil, err
		}
		card = withFields(card, fs, seen.Fields)
	}
	if a != people.Outside {
		return f.joined(card, u, seen, v.rules.Company(), true), nil
	}
	out := f.joined(card, u, seen, "", false)
	if v.rules.Company() != "" {
		f.org.put(out, "", false)
	}
	return out, nil
}

// shows gives an item of the vCard4 node as the asker sees it.
func (v *Cards) shows(ctx context.Context, account string, who jid.JID, payload []byte) ([]byte, error) {
	card, err := wire.ParseElement(payload, "")
	if err != nil || card.Name != (wire.Name{Space: nsCard4, Local: "vcard"}) {
		return payload, nil // not a card
	}
	out, err := v.shown(ctx, card4th, account, who, card)
	if err != nil {
		return nil, err
	}
	if who.Domain() != v.h.Domain { // strangers learn nothing about an account without a card
		own, err := v.card(ctx, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if temp.name.first(own) == nil {
			card4th.name.put(out, "", false)
		}
	}
	return out.AppendXML(nil, ""), nil
}

// follow publishes a card again after a change of the profile, so that subscribers are notified.
func (v *Cards) follow(account string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := v.told(v.followed(ctx, account)); err != nil {
		v.h.Log.Error("cannot update a card from the profile", "account", account, "err", err)
	}
}

func (v *Cards) followed(ctx context.Context, account string) error {
	u, err := v.st.Person(ctx, v.h.Domain, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := v.write.Take(ctx, account); err != nil {
		return err
	}
	defer v.write.Free(account)
	switch card, err := v.card(ctx, account); {
	case err == nil:
		now := temp.joined(card, u, u, v.rules.Company(), false)
		if !bytes.Equal(now.AppendXML(nil, ""), card.AppendXML(nil, "")) {
			if err := v.save(ctx, account, now); err != nil {
				return err
			}
		}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	pep := v.h.PEP()
	if pep == nil {
		return nil
	}
	id, was := "current", wire.E(nsCard4, "vcard")
	last, err := pep.Last(ctx, account, nodeCard4)
	switch {
	case err == nil:
		id = last.ID
		if was, err = wire.ParseElement(last.Payload, ""); err != nil || was.Name.Space != nsCard4 {
			return nil // the owner has published something else: leave it
		}
	case !errors.Is(err, server.ItemNotFound):
		return err
	}
	fs, err := v.rules.Fields(ctx)
	if err != nil {
		return err
	}
	now := marked(card4th.joined(was, u, u, v.rules.Company(), true), fs, u).AppendXML(nil, "")
	known := u.FullName+u.Email+u.Phone+u.Title+u.Department != "" || len(u.Fields) > 0
	if !known && last.ID == "" || bytes.Equal(now, was.AppendXML(nil, "")) {
		return nil
	}
	return pep.Publish(context.WithValue(ctx, converted{}, true), account, nodeCard4, "open",
		server.PEPItem{ID: id, Payload: now})
}
