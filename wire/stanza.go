// Package wire reads and writes XML on a connection. It has stanzas as values, a strict reader with limits, and a
// writer that joins small writes.
package wire

import (
	"time"
	"unicode/utf8"

	"parley/wire/jid"
)

// Kind says what a first-level element of a stream is: a stanza of one of three kinds, or an Other.
type Kind uint8

// The kinds of first-level elements.
const (
	Message Kind = iota + 1
	Presence
	IQ
	Other // not a stanza: stream management, SASL, features and the like (a "nonza")
)

// kindNames holds the names of the three stanzas.
var kindNames = [...]string{Message: "message", Presence: "presence", IQ: "iq"}

// String returns "message", "presence", "iq" or "other".
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "other"
}

// Name is an expanded XML name.
type Name struct{ Space, Local string }

// Attr is an attribute. Space is empty for an attribute without a prefix.
type Attr struct {
	Name  Name
	Value string
}

// Child is a first-level payload of a stanza: its name and its position in Stanza.Payload, in bytes.
type Child struct {
	Name       Name
	Start, End int
}

// Stanza is one first-level element of a stream: its header parsed, its payload kept as bytes.
//
// The payload is self-contained: it can be put into any element whose default namespace is the content namespace
// (jabber:client or jabber:server). First-level payloads in the content namespace (body, show, error …) carry no xmlns;
// every other one declares all that it uses, so that it means the same in any context.
//
// A Stanza is immutable once it has been sent, routed or handed to a Session; many recipients share it. Who needs
// another header makes a copy (Copy) and changes that: the payload stays shared until it is replaced.
type Stanza struct {
	Kind     Kind
	Name     Name // as received; in stanzas the content namespace is always NSClient
	Type     string
	ID       string
	Lang     string
	To, From jid.JID
	Attrs    []Attr // of an Other: all attributes except xmlns and xml:lang; of a stanza: unused
	Payload  []byte
	Children []Child
	Text     string // of an Other: its character data (SASL responses); of a stanza: unused
	// Malformed says that to or from was not an address and was left out, or that its resource was. The answer is
	// jid-malformed (RFC 6120, section 8.3.3.8).
	Malformed bool
	// Delivery is shared by the copies of a message that several clients of its recipient get.
	Delivery *Delivery
	// At is when the stanza was read from a connection, so that the sender is not charged for delays of the server. It
	// is zero for a stanza that was made here.
	At time.Time
	// Receipt is the stanza's place in the window of the stream that it came in on. A copy has none.
	Receipt Receipt

	tail []byte // see Render
}

// Copy returns a shallow copy that shares the payload. The copy has no Receipt and no rendered form.
func (st *Stanza) Copy() *Stanza {
	c := *st
	c.tail, c.Receipt = nil, Receipt{}
	return &c
}

// Reply returns an empty stanza of the same kind and id, of type result for an iq, addressed back to the sender of st.
func (st *Stanza) Reply() *Stanza {
	r := &Stanza{Kind: st.Kind, Name: st.Name, ID: st.ID, To: st.From, From: st.To}
	if st.Kind == IQ {
		r.Type = "result"
	} else {
		r.Type = st.Type
	}
	return r
}

// Has reports whether the stanza has a first-level payload of that name. An empty local name matches any.
func (st *Stanza) Has(space, local string) bool {
	_, ok := st.Child(space, local)
	return ok
}

// Child returns the first payload of that name, and whether there is one. An empty local name matches any in the
// namespace.
func (st *Stanza) Child(space, local string) (Child, bool) {
	for _, c := range st.Children {
		if c.Name.Space == space && (local == "" || c.Name.Local == local) {
			return c, true
		}
	}
	return Child{}, false
}

// Raw returns a payload's bytes. Do not change them.
func (st *Stanza) Raw(c Child) []byte { return st.Payload[c.Start:c.End:c.End] }

// Element parses the first payload of that name. It returns nil if there is none.
func (st *Stanza) Element(space, local string) *Element {
	c, ok := st.Child(space, local)
	if !ok {
		return nil
	}
	e, err := ParseElement(st.Raw(c), NSClient)
	if err != nil { // the reader checked it before, so this is our bug
		return nil
	}
	return e
}

// BodyText returns the text of the first <body/> in any language, or "".
func (st *Stanza) BodyText() string {
	if e := st.Element(NSClient, "body"); e != nil {
		return e.Text()
	}
	return ""
}

// Attr returns an attribute of an Other, or "".
func (st *Stanza) Attr(local string) string {
	for _, a := range st.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// Add appends payloads to a stanza that is not shared yet and returns it. It copies the old payload instead of changing
// it in place.
func (st *Stanza) Add(es ...*Element) *Stanza {
	b := make([]byte, len(st.Payload), len(st.Payload)+128*len(es))
	copy(b, st.Payload)
	cs := make([]Child, len(st.Children), len(st.Children)+len(es))
	copy(cs, st.Children)
	for _, e := range es {
		if e == nil {
			continue
		}
		start := len(b)
		b = e.AppendXML(b, NSClient)
		cs = append(cs, Child{e.Name, start, len(b)})
	}
	st.Payload, st.Children, st.tail = b, cs, nil
	return st
}

// AddRaw appends a serialised, self-contained payload to a stanza that is not shared yet and returns it.
func (st *Stanza) AddRaw(n Name, raw []byte) *Stanza {
	b := make([]byte, len(st.Payload), len(st.Payload)+len(raw))
	copy(b, st.Payload)
	cs := make([]Child, len(st.Children), len(st.Children)+1)
	copy(cs, st.Children)
	st.Children = append(cs, Child{n, len(b), len(b) + len(raw)})
	st.Payload, st.tail = append(b, raw...), nil
	return st
}

// SetPayload replaces the payload of a stanza that is not shared yet and returns it. children give the position of each
// payload in b.
func (st *Stanza) SetPayload(b []byte, children []Child) *Stanza {
	st.Payload, st.Children, st.tail = b, children, nil
	return st
}

// Remove drops every payload for which drop returns true, in a stanza that is not shared yet, and returns the stanza.
// It allocates nothing if no payload is dropped. drop may call st.Raw(c).
func (st *Stanza) Remove(drop func(Child) bool) *Stanza {
	hit := false
	for _, c := range st.Children {
		if drop(c) {
			hit = true
			break
		}
	}
	if !hit {
		return st
	}
	b := make([]byte, 0, len(st.Payload))
	cs := make([]Child, 0, len(st.Children))
	for _, c := range st.Children {
		if drop(c) {
			continue
		}
		start := len(b)
		b = append(b, st.Payload[c.Start:c.End]...)
		cs = append(cs, Child{c.Name, start, len(b)})
	}
	st.Payload, st.Children, st.tail = b, cs, nil
	return st
}

// Render serialises everything but the recipient, for a stanza with many recipients: AppendXML then only copies. Call
// it before the stanza is shared. It returns st.
func (st *Stanza) Render() *Stanza {
	if st.tail == nil {
		st.tail = st.appendTail(make([]byte, 0, len(st.Payload)+160))
	}
	return st
}

// Root says how a stanza's start tag declares its namespace.
type Root uint8

const (
	Inherit Root = iota // inside a stream whose default namespace is the content namespace
	Client              // xmlns='jabber:client' on the stanza itself: WebSocket (RFC 7395), forwarded (XEP-0297)
)

// AppendXML appends the stanza as XML, addressed to `to` (usually st.To), and returns the longer slice.
func (st *Stanza) AppendXML(b []byte, to jid.JID, root Root) []byte {
	if st.Kind == Other {
		return st.appendOther(b)
	}
	b = append(b, '<')
	b = append(b, kindNames[st.Kind]...)
	if root == Client {
		b = append(b, ` xmlns='jabber:client'`...)
	}
	if !to.IsZero() {
		b = append(b, ` to='`...)
		b = AppendEscaped(b, to.String())
		b = append(b, '\'')
	}
	if st.tail != nil {
		return append(b, st.tail...)
	}
	return st.appendTail(b)
}

func (st *Stanza) appendTail(b []byte) []byte {
	if !st.From.IsZero() {
		b = appendAttr(b, "from", st.From.String())
	}
	if st.Type != "" {
		b = appendAttr(b, "type", st.Type)
	}
	if st.ID != "" {
		b = appendAttr(b, "id", st.ID)
	}
	if st.Lang != "" {
		b = appendAttr(b, "xml:lang", st.Lang)
	}
	if len(st.Payload) == 0 {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	b = append(b, st.Payload...)
	b = append(b, '<', '/')
	b = append(b, kindNames[st.Kind]...)
	return append(b, '>')
}

func (st *Stanza) appendOther(b []byte) []byte {
	b, _ = appendStart(b, st.Name, noParent)
	if st.Lang != "" {
		b = appendAttr(b, "xml:lang", st.Lang)
	}
	b = appendAttrs(b, st.Attrs)
	if len(st.Payload) == 0 && st.Text == "" {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	b = appendCharData(b, st.Text)
	b = append(b, st.Payload...)
	return appendEnd(b, st.Name)
}

// noParent is not the name of any namespace: an element with this parent always declares its own.
const noParent = "\x00"

func appendAttr(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '\'')
	b = AppendEscaped(b, value)
	return append(b, '\'')
}

// AppendEscaped appends s, escaped for character data and for attribute values in either quote, and returns the longer
// slice. Characters that XML forbids become U+FFFD, so that no text can break a stream.
func AppendEscaped(b []byte, s string) []byte { return appendEscaped(b, s, stopText|stopValue) }

// appendCharData is AppendEscaped for character data only: it leaves line breaks and quotes as they are.
func appendCharData(b []byte, s string) []byte { return appendEscaped(b, s, stopText) }

func appendEscaped(b []byte, s string, stop uint8) []byte {
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if class[c]&stop == 0 && c != '\r' {
			i++
			continue
		}
		n, esc := 1, ""
		switch {
		case c == '<':
			esc = "&lt;"
		case c == '>':
			esc = "&gt;"
		case c == '&':
			esc = "&amp;"
		case c == '\'':
			esc = "&apos;"
		case c == '"':
			esc = "&quot;"
		case c == '\t':
			esc = "&#9;"
		case c == '\n':
			esc = "&#10;"
		case c == '\r':
			esc = "&#13;"
		case c < utf8.RuneSelf:
			esc = "\uFFFD"
		default:
			var r rune
			if r, n = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && n == 1 || !isChar(r) {
				esc = "\uFFFD"
			}
		}
		if esc != "" {
			b = append(append(b, s[last:i]...), esc...)
			last = i + n
		}
		i += n
	}
	return append(b, s[last:]...)
}
