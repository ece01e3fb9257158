package wire

import (
	"sync"
	"unicode/utf8"

	"parley/wire/jid"
)

// stanza takes a complete first-level element in p.b apart. contentNS is what stands for the content namespace in this
// stream; p.ns holds the declarations of the stream header, at depth 0.
func (p *parser) stanza(contentNS string, cache *jids) (*Stanza, error) {
	if !utf8.Valid(p.b) {
		return nil, errNotWellFormed
	}
	base := len(p.ns)
	defer func() { p.ns = p.ns[:base] }()
	p.outer, p.borrowed = -1, p.borrowed[:0]
	t, err := p.startTag(0)
	if err != nil {
		return nil, err
	}
	if err := p.declare(1); err != nil {
		return nil, err
	}
	n, err := p.resolveTag(t)
	if err != nil {
		return nil, err
	}
	st := &Stanza{Name: n, Kind: Other}
	if n.Space == contentNS {
		switch n.Local {
		case "message":
			st.Kind = Message
		case "presence":
			st.Kind = Presence
		case "iq":
			st.Kind = IQ
		default:
			return nil, &StreamError{Condition: "unsupported-stanza-type"}
		}
		st.Name.Space = NSClient
	} else {
		contentNS = "\x00" // payloads of others inherit nothing
	}
	p.headerAttrs(st, cache)
	if t.selfClose {
		if t.end != len(p.b) {
			return nil, errNotWellFormed
		}
		return st, nil
	}
	return st, p.payloads(st, t, contentNS)
}

func (p *parser) headerAttrs(st *Stanza, cache *jids) {
	for _, a := range p.attrs {
		prefix, local := p.text(a.name.p0, a.name.p1), p.text(a.name.l0, a.name.l1)
		if string(prefix) == "xmlns" || len(prefix) == 0 && string(local) == "xmlns" {
			continue
		}
		if string(prefix) == "xml" && string(local) == "lang" {
			st.Lang = p.value(a)
			continue
		}
		if st.Kind == Other {
			b, _ := p.lookup(prefix)
			uri := b.uri
			if len(prefix) == 0 {
				uri = ""
			}
			st.Attrs = append(st.Attrs, Attr{Name{uri, intern(local)}, p.value(a)})
			continue
		}
		if len(prefix) > 0 {
			continue
		}
		switch string(local) {
		case "to":
			p.address(a, &st.To, st, cache)
		case "from":
			p.address(a, &st.From, st, cache)
		case "type":
			st.Type = p.value(a)
		case "id":
			st.ID = p.value(a)
		}
	}
}

func (p *parser) address(a attr, to *jid.JID, st *Stanza, cache *jids) {
	if !a.entity {
		raw := p.b[a.v0:a.v1]
		for i := range cache.last {
			if cache.last[i].String() == string(raw) && len(raw) > 0 {
				*to = cache.last[i]
				return
			}
		}
	}
	j, err := cache.parse(p.value(a))
	if err != nil {
		st.Malformed = true
		return
	}
	*to = j
}

// payloads reads the children of the root, makes each self-contained, and checks that the root ends the buffer.
func (p *parser) payloads(st *Stanza, root tag, contentNS string) error {
	i := root.end
	out := make([]byte, 0, len(p.b)-i)
	for {
		from := i
		end, blank, err := p.chars(i)
		if err != nil {
			return err
		}
		if i = end; !blank {
			p.rootText(st, p.b[from:i], false)
		}
		if i+1 >= len(p.b) {
			return errNotWellFormed
		}
		switch p.b[i+1] {
		case '/':
			if i, err = p.endTag(i, root); err != nil {
				return err
			}
			if i != len(p.b) {
				return errNotWellFormed
			}
			if len(out) > 0 {
				st.Payload = out
			}
			return nil
		case '!', '?':
			end, ok, err := p.cdata(i)
			if err != nil {
				return err
			}
			if !ok {
				return errRestricted
			}
			p.rootText(st, p.b[i+len(cdataOpen):end-3], true)
			i = end
		default:
			if len(st.Children) >= p.lim.Children {
				return errTooMany
			}
			start := len(out)
			var n Name
			if out, n, i, err = p.payload(out, i, contentNS); err != nil {
				return err
			}
			if st.Children == nil {
				st.Children = make([]Child, 0, 4)
			}
			st.Children = append(st.Children, Child{n, start, len(out)})
		}
	}
}

// payload checks the child at i and appends it in self-contained form.
func (p *parser) payload(out []byte, i int, contentNS string) ([]byte, Name, int, error) {
	t, err := p.startTag(i)
	if err != nil {
		return out, Name{}, i, err
	}
	own, has := attr{}, false
	for _, a := range p.attrs {
		if a.name.p1 == a.name.p0 && string(p.text(a.name.l0, a.name.l1)) == "xmlns" {
			own, has = a, true
		}
	}
	p.outer, p.borrowed = 1, p.borrowed[:0]
	n, end, err := p.element(i, 2, nil)
	p.outer = -1
	if err != nil {
		return out, n, i, err
	}
	inner := n.Space == contentNS && t.name.p0 == t.name.p1
	if n.Space == contentNS {
		n.Space = NSClient
	}
	scope, _ := p.lookup(nil)
	inject := !has && scope.uri != contentNS
	if !inject && len(p.borrowed) == 0 && !(has && inner) {
		return append(out, p.b[i:end]...), n, end, nil
	}
	out = append(out, p.b[i:t.nameEnd]...)
	if inject {
		out = appendAttr(out, "xmlns", scope.uri)
	}
	for _, b := range p.borrowed {
		out = appendAttr(out, "xmlns:"+b.prefix, b.uri)
	}
	if has && inner { // said by the stanza's own namespace, which may be jabber:server elsewhere
		out = append(out, p.b[t.nameEnd:own.start]...)
		return append(out, p.b[own.end:end]...), n, end, nil
	}
	return append(out, p.b[t.nameEnd:end]...), n, end, nil
}

func (p *parser) rootText(st *Stanza, raw []byte, cdata bool) {
	if st.Kind != Other {
		return
	}
	if cdata {
		st.Text += string(raw)
		return
	}
	st.Text += string(unescape(nil, raw, false))
}

// ParseStanza takes one element that stands alone, with nothing but white space around it: a WebSocket frame.
func ParseStanza(frame []byte, lim Limits) (*Stanza, error) {
	lim = lim.withDefaults()
	if len(frame) > lim.Stanza {
		return nil, errTooLarge
	}
	for len(frame) > 0 && space(frame[0]) {
		frame = frame[1:]
	}
	for len(frame) > 0 && space(frame[len(frame)-1]) {
		frame = frame[:len(frame)-1]
	}
	if len(frame) < 2 || frame[0] != '<' {
		return nil, errNotWellFormed
	}
	if frame[1] == '!' || frame[1] == '?' {
		return nil, errRestricted
	}
	p := parsers.Get().(*parser)
	defer p.release()
	p.b, p.lim, p.ns = frame, lim, p.ns[:0]
	return p.stanza(NSClient, &p.cache)
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

func (p *parser) release() {
	p.b = nil
	p.cache = jids{}
	if cap(p.attrs) <= 128 && cap(p.open) <= 128 && cap(p.ns) <= 128 {
		parsers.Put(p)
	}
}
