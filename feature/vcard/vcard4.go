package vcard

import (
	"context"
	"errors"
	"strings"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A card has two forms: vcard-temp (XEP-0054), and vCard4 in a node of the account (XEP-0292). A card that is written
// in one is converted to the other; what only one form can express stays there. Photos are not converted: they have
// nodes of their own, and every contact would get them with each change.

const (
	nsCard4   = "urn:ietf:params:xml:ns:vcard-4.0"
	nodeCard4 = "urn:xmpp:vcard4"
)

// property converts a property between both forms (XEP-0292, section 8). old gives the new form of a card's properties
// in the old form, made the reverse; nil: it cannot be expressed there.
type property struct {
	old, new string
	made     func(old *wire.Element) *wire.Element
	back     func(new *wire.Element) *wire.Element
}

// text is a property with one text; the new form has it in an element of this type.
func text(old, new, typ string) property {
	return property{old, new,
		func(o *wire.Element) *wire.Element {
			if o.Text() == "" {
				return nil
			}
			return wire.E(nsCard4, new, wire.T(nsCard4, typ, o.Text()))
		},
		func(n *wire.Element) *wire.Element {
			if v := value(n); v != "" {
				return wire.T(ns, old, v)
			}
			return nil
		}}
}

// value gives a property's first value, whatever its type (RFC 6351, section 5).
func value(n *wire.Element) string {
	for _, e := range n.Elements() {
		if e.Name.Local != "parameters" {
			return e.Text()
		}
	}
	return ""
}

// uri is a property whose value is a URI with a scheme in the new form.
func uri(old, new, scheme string) property {
	return property{old, new,
		func(o *wire.Element) *wire.Element {
			if o.Text() == "" {
				return nil
			}
			return wire.E(nsCard4, new, wire.T(nsCard4, "uri", scheme+o.Text()))
		},
		func(n *wire.Element) *wire.Element {
			v, ok := strings.CutPrefix(value(n), scheme)
			if !ok || v == "" {
				return nil
			}
			return wire.T(ns, old, v)
		}}
}

// parts is a property of several named texts; types are parameters that say what it is for.
func parts(old, new string, types []string, names ...string) property {
	p := property{old: old, new: new}
	p.made = func(o *wire.Element) *wire.Element {
		n := wire.E(nsCard4, new, parameters(o, types))
		some := false
		for i := 0; i < len(names); i += 2 {
			v := o.ChildText(ns, names[i])
			some = some || v != ""
			n.Add(wire.T(nsCard4, names[i+1], v))
		}
		if !some {
			return nil
		}
		return n
	}
	p.back = func(n *wire.Element) *wire.Element {
		o := flags(wire.E(ns, old), n, types)
		some := false
		for i := 0; i < len(names); i += 2 {
			if v := n.ChildText(nsCard4, names[i+1]); v != "" {
				some = true
				o.Add(wire.T(ns, names[i], v))
			}
		}
		if !some {
			return nil
		}
		return o
	}
	return p
}

// parameters gives the parameters that the old form expresses by empty elements; nil if there are none.
func parameters(o *wire.Element, types []string) *wire.Element {
	t := wire.E(nsCard4, "type")
	for _, name := range types {
		if o.Child(ns, name) != nil {
			t.Add(wire.T(nsCard4, "text", strings.ToLower(name)))
		}
	}
	p := wire.E(nsCard4, "parameters")
	if len(t.Nodes) > 0 {
		p.Add(t)
	}
	if types != nil && o.Child(ns, "PREF") != nil {
		p.Add(wire.E(nsCard4, "pref", wire.T(nsCard4, "integer", "1")))
	}
	if len(p.Nodes) == 0 {
		return nil
	}
	return p
}

// flags adds the parameters of n to o as empty elements.
func flags(o, n *wire.Element, types []string) *wire.Element {
	p := n.Child(nsCard4, "parameters")
	for _, name := range types {
		for _, t := range p.Child(nsCard4, "type").Elements() {
			if strings.EqualFold(t.Text(), name) {
				o.Add(wire.E(ns, name))
				break
			}
		}
	}
	if types != nil && p.Child(nsCard4, "pref") != nil {
		o.Add(wire.E(ns, "PREF"))
	}
	return o
}

var places = []string{"HOME", "WORK"}

var properties = []property{
	text("FN", "fn", "text"),
	parts("N", "n", nil, "FAMILY", "surname", "GIVEN", "given", "MIDDLE", "additional", "PREFIX",
		"prefix", "SUFFIX", "suffix"),
	text("NICKNAME", "nickname", "text"), text("BDAY", "bday", "date"), text("TITLE", "title", "text"),
	text("ROLE", "role", "text"), text("TZ", "tz", "text"), text("URL", "url", "uri"), text("UID", "uid", "uri"),
	text("DESC", "note", "text"), uri("JABBERID", "impp", "xmpp:"),
	parts("ADR", "adr", places, "POBOX", "pobox", "EXTADD", "ext", "STREET", "street", "LOCALITY", "locality", "REGION",
		"region", "PCODE", "code", "CTRY", "country"),
	{"EMAIL", "email", func(o *wire.Element) *wire.Element {
		v := o.ChildText(ns, "USERID")
		if v == "" {
			return nil
		}
		return wire.E(nsCard4, "email", parameters(o, places), wire.T(nsCard4, "text", v))
	}, func(n *wire.Element) *wire.Element {
		v := strings.TrimPrefix(value(n), "mailto:")
		if v == "" {
			return nil
		}
		return flags(wire.E(ns, "EMAIL", wire.E(ns, "INTERNET")), n, places).Add(wire.T(ns, "USERID", v))
	}},
	{"TEL", "tel", telephone, func(n *wire.Element) *wire.Element {
		v := value(n)
		if t, ok := strings.CutPrefix(v, "tel:"); ok {
			v = t
		}
		if v == "" {
			return nil
		}
		return flags(wire.E(ns, "TEL"), n, lines).Add(wire.T(ns, "NUMBER", v))
	}},
	{"GEO", "geo", func(o *wire.Element) *wire.Element {
		lat, lon := o.ChildText(ns, "LAT"), o.ChildText(ns, "LON")
		if lat == "" || lon == "" {
			return nil
		}
		return wire.E(nsCard4, "geo", wire.T(nsCard4, "uri", "geo:"+lat+","+lon))
	}, func(n *wire.Element) *wire.Element {
		v, _, _ := strings.Cut(strings.TrimPrefix(value(n), "geo:"), ";")
		lat, rest, ok := strings.Cut(v, ",")
		if !ok {
			return nil
		}
		lon, _, _ := strings.Cut(rest, ",") // without altitude
		return wire.E(ns, "GEO", wire.T(ns, "LAT", lat), wire.T(ns, "LON", lon))
	}},
	{"ORG", "org", func(o *wire.Element) *wire.Element {
		return several(o, "ORGNAME", "ORGUNIT", "org")
	}, func(n *wire.Element) *wire.Element {
		o := wire.E(ns, "ORG")
		name := "ORGNAME"
		for _, e := range n.Elements() {
			if e.Name.Local == "text" {
				o.Add(wire.T(ns, name, e.Text()))
				name = "ORGUNIT"
			}
		}
		return orNil(o)
	}},
	{"CATEGORIES", "categories", func(o *wire.Element) *wire.Element {
		return several(o, "KEYWORD", "KEYWORD", "categories")
	}, func(n *wire.Element) *wire.Element {
		o := wire.E(ns, "CATEGORIES")
		for _, e := range n.Elements() {
			if e.Name.Local == "text" {
				o.Add(wire.T(ns, "KEYWORD", e.Text()))
			}
		}
		return orNil(o)
	}},
}

// lines are the kinds of telephones that both forms have.
var lines = []string{"HOME", "WORK", "TEXT", "VOICE", "FAX", "CELL", "VIDEO", "PAGER"}

// telephone gives a number as a tel URI if it is one (RFC 3966).
func telephone(o *wire.Element) *wire.Element {
	v := strings.TrimSpace(o.ChildText(ns, "NUMBER"))
	if v == "" {
		return nil
	}
	n := wire.E(nsCard4, "tel", parameters(o, lines))
	number := strings.ReplaceAll(v, " ", "-")
	if strings.HasPrefix(number, "+") && strings.Trim(number[1:], "0123456789-.()") == "" {
		return n.Add(wire.T(nsCard4, "uri", "tel:"+number))
	}
	return n.Add(wire.T(nsCard4, "text", v))
}

func several(o *wire.Element, first, others, name string) *wire.Element {
	n := wire.E(nsCard4, name)
	for _, e := range o.Elements() {
		if e.Text() != "" && (e.Name.Local == first || e.Name.Local == others) {
			n.Add(wire.T(nsCard4, "text", e.Text()))
		}
	}
	return orNil(n)
}

func orNil(e *wire.Element) *wire.Element {
	if len(e.Nodes) == 0 {
		return nil
	}
	return e
}

// card4 converts a card to the new form, and keeps from was what the old form cannot express.
func card4(card, was *wire.Element) *wire.Element {
	n := wire.E(nsCard4, "vcard")
	for _, p := range properties {
		for _, o := range card.Elements() {
			if o.Name == (wire.Name{Space: ns, Local: p.old}) {
				n.Add(p.made(o))
			}
		}
	}
	return n.Add(others(was, nsCard4, func(p property) string { return p.new })...)
}

// cardTemp converts a card to the old form, and keeps from was what the new form cannot express.
func cardTemp(card, was *wire.Element) *wire.Element {
	o := wire.E(ns, "vCard")
	for _, p := range properties {
		for _, n := range card.Elements() {
			if n.Name == (wire.Name{Space: nsCard4, Local: p.new}) {
				o.Add(p.back(n))
			}
		}
	}
	return o.Add(others(was, ns, func(p property) string { return p.old })...)
}

func others(was *wire.Element, space string, name func(property) string) (left []*wire.Element) {
	for _, e := range was.Elements() {
		known := false
		for _, p := range properties {
			known = known || e.Name == wire.Name{Space: space, Local: name(p)}
		}
		if !known {
			left = append(left, e)
		}
	}
	return left
}

// converted marks a card that is published because of the other form, so that it is not converted back.
type converted struct{}

// toCard4 publishes a card in its new form. Everybody can read it, as the old one.
func (v *Cards) toCard4(ctx context.Context, account string, card *wire.Element, u store.Person) error {
	pep := v.h.PEP()
	if pep == nil {
		return nil
	}
	id := "current"
	var was *wire.Element
	switch last, err := pep.Last(ctx, account, nodeCard4); {
	case err == nil:
		id = last.ID
		if was, err = wire.ParseElement(last.Payload, ""); err != nil || was.Name.Space != nsCard4 {
			was = nil
		}
	case !errors.Is(err, server.ItemNotFound):
		return err
	}
	fs, err := v.rules.Fields(ctx)
	if err != nil {
		return err
	}
	n := marked(card4th.joined(card4(card, was), u, u, v.rules.Company(), len(card.Elements()) > 0), fs, u)
	if was == nil && len(n.Nodes) == 0 {
		return nil // there is nothing that this form can express
	}
	return pep.Publish(context.WithValue(ctx, converted{}, true), account, nodeCard4, "open",
		server.PEPItem{ID: id, Payload: n.AppendXML(nil, "")})
}

// fromCard4 keeps a card that was published in the new form in the old one, too, and updates the profile from it. If
// the profile refuses a value, it stays as it is, and so does what others see.
func (v *Cards) fromCard4(ctx context.Context, account string, it server.PEPItem) error {
	if ctx.Value(converted{}) != nil {
		return nil
	}
	card, err := wire.ParseElement(it.Payload, "")
	if err != nil || card.Name != (wire.Name{Space: nsCard4, Local: "vcard"}) {
		return nil // not a card
	}
	u, change, any, err := v.taken(ctx, account, card4th, card)
	if fault.Of(err) != nil {
		v.h.Log.Debug("cannot update the profile from a card", "account", account, "err", err)
		any = false
		u, err = v.rules.Get(ctx, account)
	}
	if err != nil {
		return err
	}
	if err := v.keepOld(ctx, account, card, u); err != nil {
		return err
	}
	if !any {
		return v.cleaned(ctx, account, card)
	}
	who, err := jid.New(account, v.h.Domain, "")
	if err != nil {
		return err
	}
	if err := v.update(ctx, who, change); err != nil {
		return err
	}
	return v.cleaned(ctx, account, card)
}

func (v *Cards) keepOld(ctx context.Context, account string, card *wire.Element, u store.Person) error {
	if err := v.write.Take(ctx, account); err != nil {
		return err
	}
	defer v.write.Free(account)
	was, err := v.card(ctx, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return v.save(ctx, account, temp.joined(cardTemp(card, was), u, u, v.rules.Company(), false))
}
