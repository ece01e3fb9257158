package vcard

import (
	"context"
	"errors"
	"strings"

	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A card has two forms: vcard-temp (XEP-0054), and vCard4 in a node of the account (XEP-0292). What is written in one is
// read in the other; what only one of them can say stays there. Pictures are not carried over: they have nodes of their
// own, and would go out to every contact with each change.

const (
	nsCard4   = "urn:ietf:params:xml:ns:vcard-4.0"
	nodeCard4 = "urn:xmpp:vcard4"
)

// property is how one is written in both forms (XEP-0292, section 8). old gives those of a card in the old form as
// properties of the new one, made is the other way round; nil: not to be said there.
type property struct {
	old, new string
	made     func(old *wire.Element) *wire.Element
	back     func(new *wire.Element) *wire.Element
}

// text is a property of one text, kept in the new form in an element of this type.
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

// value is a property's first value, whatever its type (RFC 6351, section 5).
func value(n *wire.Element) string {
	for _, e := range n.Elements() {
		if e.Name.Local != "parameters" {
			return e.Text()
		}
	}
	return ""
}

// uri is a property whose value begins with a scheme in the new form.
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

// parts is a property of several named texts; types are those that say what it is for.
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

// parameters gives what the old form says by empty elements; nil if it says nothing.
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

// flags adds to o what the parameters of n say.
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
	parts("N", "n", nil, "FAMILY", "surname", "GIVEN", "given", "MIDDLE", "additional", "PREFIX", "prefix", "SUFFIX", "suffix"),
	text("NICKNAME", "nickname", "text"), text("BDAY", "bday", "date"), text("TITLE", "title", "text"), text("ROLE", "role", "text"),
	text("TZ", "tz", "text"), text("URL", "url", "uri"), text("UID", "uid", "uri"), text("DESC", "note", "text"),
	uri("JABBERID", "impp", "xmpp:"),
	parts("ADR", "adr", places, "POBOX", "pobox", "EXTADD", "ext", "STREET", "street", "LOCALITY", "locality", "REGION", "region", "PCODE", "code", "CTRY", "country"),
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
		lon, _, _ := strings.Cut(rest, ",") // no altitude
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

// lines are the kinds of telephones that both forms know.
var lines = []string{"HOME", "WORK", "TEXT", "VOICE", "FAX", "CELL", "VIDEO", "PAGER"}

// telephone gives a number as an address of that kind, if it is one (RFC 3966).
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

// card4 makes the new form of a card: of was stays what the old one cannot say.
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

// cardTemp makes the old form of a card: of was stays what the new one cannot say.
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

// converted marks what is published because of the other form: it is not converted back.
type converted struct{}

// toCard4 publishes a card in its new form. It is for everybody to read, as the old one is.
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
		return nil // nothing that this form can say
	}
	return pep.Publish(context.WithValue(ctx, converted{}, true), account, nodeCard4, "open", server.PEPItem{ID: id, Payload: n.AppendXML(nil, "")})
}

// fromCard4 keeps in its old form a card that was published in the new one, and takes what it says of the person. Of what
// cannot be taken the profile stays as it is, and with it what anybody is shown of the card.
func (v *Cards) fromCard4(ctx context.Context, account string, it server.PEPItem) error {
	if ctx.Value(converted{}) != nil {
		return nil
	}
	card, err := wire.ParseElement(it.Payload, "")
	if err != nil || card.Name != (wire.Name{Space: nsCard4, Local: "vcard"}) {
		return nil // not what the node is for
	}
	u, change, any, err := v.taken(ctx, account, card4th, card)
	var bad *people.Error
	if errors.As(err, &bad) {
		v.h.Log.Debug("what a card says is not taken into the profile", "account", account, "err", err)
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
	v.write.Lock()
	defer v.write.Unlock()
	was, err := v.card(ctx, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return v.save(ctx, account, temp.joined(cardTemp(card, was), u, u, v.rules.Company(), false))
}
