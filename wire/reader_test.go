package wire

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const hdr = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0' xmlns:q='urn:q'>`

func read(t *testing.T, s string) []*Stanza {
	t.Helper()
	var out []*Stanza
	for _, one := range []bool{false, true} {
		var src io.Reader = strings.NewReader(s)
		if one {
			src = iotest.OneByteReader(src)
		}
		r := NewReader(src, Limits{})
		if _, err := r.Header(); err != nil {
			t.Fatal(err)
		}
		var got []*Stanza
		for {
			st, err := r.Next()
			if errors.Is(err, ErrStreamEnd) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, st)
		}
		if one && len(got) != len(out) {
			t.Fatalf("byte by byte: %d, else %d", len(got), len(out))
		}
		out = got
	}
	return out
}

func TestNextKeepsPayloadsSelfContained(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<message to='b@a.example' type="chat" id='1'><body>hi &amp; <![CDATA[<x>]]></body><x xmlns='urn:x'><y/></x></message>`,
			`<message to='b@a.example' type='chat' id='1'><body>hi &amp; <![CDATA[<x>]]></body><x xmlns='urn:x'><y/></x></message>`},
		{`<message><q:a q:b='c'><q:d/></q:a></message>`, `<message><q:a xmlns:q='urn:q' q:b='c'><q:d/></q:a></message>`},
		{`<message xmlns:w='urn:w'><w:a xmlns='urn:n'/></message>`, `<message><w:a xmlns:w='urn:w' xmlns='urn:n'/></message>`},
		{`<message><body xmlns='jabber:client'>x</body></message>`, `<message><body>x</body></message>`},
		{`<iq type='get' id='a&apos;b'> <query xmlns="jabber:iq:roster"/> </iq>`, `<iq type='get' id='a&apos;b'><query xmlns="jabber:iq:roster"/></iq>`},
		{`<presence/>`, `<presence/>`},
		{`<message><a xmlns='urn:a' t='>'><b>]</b></a></message>`, `<message><a xmlns='urn:a' t='>'><b>]</b></a></message>`},
		{`<r xmlns='urn:xmpp:sm:3'/>`, `<r xmlns='urn:xmpp:sm:3'/>`},
		{`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGE=</auth>`, `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGE=</auth>`},
	} {
		sts := read(t, hdr+" "+c.in+"\n</stream:stream>")
		if len(sts) != 1 {
			t.Fatalf("%s: %d elements", c.in, len(sts))
		}
		if got := string(sts[0].AppendXML(nil, sts[0].To, Inherit)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
		for _, ch := range sts[0].Children {
			e, err := ParseElement(sts[0].Raw(ch), NSClient)
			if err != nil || e.Name != ch.Name && ch.Name.Space != NSClient {
				t.Errorf("%s: child %v parses as %v, %v", c.in, ch.Name, e, err)
			}
		}
	}
}

func TestStreamErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<message><body>x</message>`, "not-well-formed"},
		{`<message></body>`, "not-well-formed"},
		{`<message>&nbsp;</message>`, "restricted-xml"},
		{`<message><!-- x --></message>`, "restricted-xml"},
		{`<!-- x --><message/>`, "restricted-xml"},
		{`<?pi x?>`, "restricted-xml"},
		{`<!DOCTYPE x><message/>`, "restricted-xml"},
		{`<message><body>` + "\x01" + `</body></message>`, "not-well-formed"},
		{`<message><body>` + "\xff" + `</body></message>`, "unsupported-encoding"},
		{`<message><body>&#0;</body></message>`, "not-well-formed"},
		{`<message><p:x/></message>`, "not-well-formed"},
		{`<message a='1' a='2'/>`, "not-well-formed"},
		{`<message a='<'/>`, "not-well-formed"},
		{`<message to=a/>`, "not-well-formed"},
		{`text`, "not-well-formed"},
		{`<foo/>`, "unsupported-stanza-type"},
		{`<message>` + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + `</message>`, "policy-violation"},
		{`<message><body>` + strings.Repeat("a", 300<<10) + `</body></message>`, "policy-violation"},
		{`<message xmlns:xml='urn:x'/>`, "not-well-formed"},
		{`<message xmlns:p=''/>`, "not-well-formed"},
		{`<message><a b:c='1' d:c='2' xmlns:b='urn:x' xmlns:d='urn:x'/></message>`, "not-well-formed"},
		{`</foo>`, "not-well-formed"},
		{`<message><body>a]]>b</body></message>`, "not-well-formed"},
	} {
		r := NewReader(strings.NewReader(hdr+c.in), Limits{})
		if _, err := r.Header(); err != nil {
			t.Fatal(err)
		}
		_, err := r.Next()
		var se *StreamError
		if !errors.As(err, &se) || se.Condition != c.want {
			t.Errorf("%.60s: %v, want %s", c.in, err, c.want)
		}
	}
}

func TestHeaderErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<stream:stream xmlns='jabber:client' xmlns:stream='urn:wrong'>`, "invalid-namespace"},
		{`<stream:stream xmlns='urn:wrong' xmlns:stream='http://etherx.jabber.org/streams'>`, "invalid-namespace"},
		{`<?xml version='1.0' encoding='latin1'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`, "unsupported-encoding"},
		{`<stream:stream xmlns='jabber:client'>`, "not-well-formed"},
		{`<stream:foo xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`, "bad-format"},
		{`GET / HTTP/1.1`, "not-well-formed"},
		{`<!DOCTYPE x>`, "restricted-xml"},
	} {
		_, err := NewReader(strings.NewReader(c.in), Limits{}).Header()
		var se *StreamError
		if !errors.As(err, &se) || se.Condition != c.want {
			t.Errorf("%s: %v, want %s", c.in, err, c.want)
		}
	}
}

const chat = `<message from='romeo@montague.example/orchard' to='juliet@capulet.example/balcony' type='chat' id='2f2f2c2e-8f35-4bff-a8a5-5ad9a15a2d3a'><body>Wherefore art thou, Romeo? Deny thy father and refuse thy name.</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='2f2f2c2e-8f35-4bff-a8a5-5ad9a15a2d3a'/></message>`

// endless gives the same bytes for ever.
type endless struct {
	head, s string
	at      int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := copy(p, e.s[e.at:])
	e.at = (e.at + n) % len(e.s)
	return n, nil
}

func BenchmarkNext(b *testing.B) {
	r := NewReader(&endless{head: hdr, s: chat}, Limits{})
	if _, err := r.Header(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(chat)))
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingXML(b *testing.B) {
	d := xml.NewDecoder(&endless{head: hdr, s: chat})
	b.ReportAllocs()
	for b.Loop() {
		for {
			t, err := d.Token()
			if err != nil {
				b.Fatal(err)
			}
			if e, ok := t.(xml.EndElement); ok && e.Name.Local == "message" {
				break
			}
		}
	}
}
