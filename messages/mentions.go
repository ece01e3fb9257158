package messages

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"parley/wire"
	"parley/wire/jid"
)

const (
	nsReference = "urn:xmpp:reference:0"
	nsMentions  = "urn:xmpp:mentions:0"
)

// mentions reads the places of the body that mean somebody, as places in what is left of it.
func mentions(st *wire.Stanza, c *cutting) (all []Mention) {
	for _, child := range st.Children {
		if len(all) >= maxMentions {
			break
		}
		var m Mention
		var ok bool
		switch child.Name {
		case wire.Name{Space: nsReference, Local: "reference"}:
			m, ok = reference(parse(st, child), st.From)
		case wire.Name{Space: nsMentions, Local: "mention"}:
			m, ok = explicit(parse(st, child), st.From)
		}
		if !ok {
			continue
		}
		at, ok := c.place(span{m.Begin, m.End})
		if !ok {
			continue
		}
		m.Begin, m.End = at.begin, at.end
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b Mention) int { return cmp.Compare(a.Begin, b.Begin) })
	return all
}

func parse(st *wire.Stanza, c wire.Child) *wire.Element {
	e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
	if err != nil {
		return nil
	}
	return e
}

// reference is XEP-0372, section 3.2.
func reference(e *wire.Element, from jid.JID) (m Mention, ok bool) {
	if e.Attr("type") != "mention" {
		return m, false
	}
	rest, ok := strings.CutPrefix(e.Attr("uri"), "xmpp:")
	if !ok {
		return m, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	m = placed(e)
	if back, err := url.PathUnescape(rest); err == nil {
		rest = back
	}
	m.Address, ok = addressOf(rest, from)
	return m, ok
}

// explicit is XEP-0513.
func explicit(e *wire.Element, from jid.JID) (m Mention, ok bool) {
	m = placed(e)
	kind, typed := strings.CutPrefix(e.Attr("mentions"), nsMentions+"#")
	switch {
	case typed && (kind == "channel" || kind == "space"):
		m.Everyone = true
	case e.Attr("mentions") != "":
		return m, false // people by their role or team
	case e.Attr("occupantid") != "":
		m.Occupant = shorten(e.Attr("occupantid"), maxID)
	default:
		m.Address, ok = addressOf(e.Attr("jid"), from)
		return m, ok
	}
	return m, true
}

func placed(e *wire.Element) Mention {
	return Mention{Begin: number(e.Attr("begin")), End: number(e.Attr("end"))}
}

// addressOf gives a person's bare address, or the full one of an occupant of the room that a message is from.
func addressOf(s string, from jid.JID) (string, bool) {
	j, err := jid.Parse(s)
	if err != nil || j.Local() == "" {
		return "", false
	}
	if j.Bare() == from.Bare() {
		return j.String(), true
	}
	return j.Bare().String(), true
}
