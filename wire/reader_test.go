package wire

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"
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
		{`<message><q:a q:b='c'><q:d/></q:a></message>`,
			`<message><q:a xmlns:q='urn:q' q:b='c'><q:d/></q:a></message>`},
		{`<message xmlns:w='urn:w'><w:a xmlns='urn:n'/></message>`,
			`<message><w:a xmlns:w='urn:w' xmlns='urn:n'/></message>`},
		{`<message><body xmlns='jabber:client'>x</body></message>`, `<message><body>x</body></message>`},
		{`<iq type='get' id='a&apos;b'> <query xmlns="jabber:iq:roster"/> </iq>`,
			`<iq type='get' id='a&apos;b'><query xmlns="jabber:iq:roster"/></iq>`},
		{`<presence/>`, `<presence/>`},
		{`<message><a xmlns='urn:a' t='>'><b>]</b></a></message>`,
			`<message><a xmlns='urn:a' t='>'><b>]</b></a></message>`},
		{`<r xmlns='urn:xmpp:sm:3'/>`, `<r xmlns='urn:xmpp:sm:3'/>`},
		{`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGE=</auth>`,
			`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGE=</auth>`},
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
		{`<message><body>&</body></message>`, "not-well-formed"},
		{`<message><body>&#x110000;</body></message>`, "not-well-formed"},
		{`<message><body>&#xD800;</body></message>`, "not-well-formed"},
		{`<message><body>&#00000000000000000065;</body></message>`, "not-well-formed"},
		{`<message><body>&averylongentitynamethatis;</body></message>`, "restricted-xml"},
		{`<message id='&e;'/>`, "restricted-xml"},
		{"<message><body>\xed\xa0\x80</body></message>", "unsupported-encoding"}, // a surrogate
		{"<message><body>\xc0\xaf</body></message>", "unsupported-encoding"},     // not the shortest form
		{"<message><body>\uFFFF</body></message>", "not-well-formed"},
		{"<message id='\x00'/>", "not-well-formed"},
		{`<message><![CDATA[` + "\x1f" + `]]></message>`, "not-well-formed"},
		{`<![CDATA[x]]>`, "restricted-xml"},
		{`<message><![cdata[x]]></message>`, "not-well-formed"},
		{`<message><!DOCTYPE x></message>`, "restricted-xml"},
		{`<message><?pi?></message>`, "restricted-xml"},
		{`<message><a:b:c xmlns:a='urn:x'/></message>`, "not-well-formed"},
		{`<message><:a/></message>`, "not-well-formed"},
		{`<message><q:/></message>`, "not-well-formed"},
		{`<message><1a/></message>`, "not-well-formed"},
		{`<message><q:1/></message>`, "not-well-formed"},
		{`<message><xmlns:a/></message>`, "not-well-formed"},
		{`<message p:a='1'/>`, "not-well-formed"},
		{`<message><a p:a='1'/></message>`, "not-well-formed"},
		{`<message><a xmlns:p='urn:x'/><p:b/></message>`, "not-well-formed"}, // out of scope again
		{`<message xmlns:xmlns='urn:x'/>`, "not-well-formed"},
		{`<message xmlns:p='http://www.w3.org/XML/1998/namespace'/>`, "not-well-formed"},
		{`<message><a xmlns='http://www.w3.org/2000/xmlns/'/></message>`, "not-well-formed"},
		{`<message><a q:b='1' w:b='2' xmlns:w='urn&#58;q'/></message>`, "not-well-formed"},
		{`<message a='1'b='2'/>`, "not-well-formed"},
		{`<message a/>`, "not-well-formed"},
		{`<message / >`, "not-well-formed"},
		{`< message/>`, "not-well-formed"},
		{`<message></message x>`, "not-well-formed"},
		{`<message></ message>`, "not-well-formed"},
		{`<message></messag>`, "not-well-formed"},
		{`<message<`, "not-well-formed"},
		{`</stream:stream x>`, "not-well-formed"},
		{`</stream:streamer>`, "not-well-formed"},
		{`</` + strings.Repeat("x", 200), "not-well-formed"},
		{`<features/>`, "unsupported-stanza-type"},
		{`<message` + manyAttrs(65) + `/>`, "policy-violation"},
		{`<message><a` + manyAttrs(65) + `/></message>`, "policy-violation"},
		{`<message>` + strings.Repeat("<a/>", 257) + `</message>`, "policy-violation"},
		{`<r xmlns='urn:xmpp:sm:3'>` + strings.Repeat("<a/>", 257) + `</r>`, "policy-violation"},
		{`<message>` + strings.Repeat("<a"+manyDecls(40)+">", 2), "policy-violation"},
		{`<message xmlns:a='urn:` + strings.Repeat("a", 300) + `'/>`, "policy-violation"},
		{`<message` + longDecls() + `>` + strings.Repeat(`<a0:x`+strings.ReplaceAll(manyAttrs(60), "=", ":y=")+`/>`,
			240) + `</message>`, "policy-violation"},
		{`<message id='` + strings.Repeat("a", 300<<10) + `'/>`, "policy-violation"},
		{`<message id='` + strings.Repeat("a", 300<<10), "policy-violation"},
	} {
		for _, src := range []io.Reader{
			strings.NewReader(hdr + c.in), iotest.OneByteReader(strings.NewReader(hdr + c.in)),
		} {
			r := NewReader(src, Limits{})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			_, err := r.Next()
			var se *StreamError
			if !errors.As(err, &se) || se.Condition != c.want {
				t.Errorf("%.60s: %v, want %s", c.in, err, c.want)
			}
			if _, again := r.Next(); again != err {
				t.Errorf("%.60s: then %v", c.in, again)
			}
		}
	}
}

func manyAttrs(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, " a%d='1'", i)
	}
	return s.String()
}

func manyDecls(n int) string { return strings.ReplaceAll(manyAttrs(n), " a", " xmlns:a") }

// longDecls declares 60 prefixes, of namespaces that are all long.
func longDecls() string {
	var s strings.Builder
	for i := range 60 {
		fmt.Fprintf(&s, " xmlns:a%d='urn:%s%d'", i, strings.Repeat("a", 240), i)
	}
	return s.String()
}

func TestHeaderErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<stream:stream xmlns='jabber:client' xmlns:stream='urn:wrong'>`, "invalid-namespace"},
		{`<stream:stream xmlns='urn:wrong' xmlns:stream='http://etherx.jabber.org/streams'>`, "invalid-namespace"},
		{`<?xml version='1.0' encoding='latin1'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`, "unsupported-encoding"},
		{`<stream:stream xmlns='jabber:client'>`, "not-well-formed"},
		{`<stream:foo xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`, "bad-format"},
		{`GET / HTTP/1.1`, "not-well-formed"},
		{"\x16\x03\x01\x02\x00", "not-well-formed"}, // a TLS client hello
		{`<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>`, "invalid-namespace"},
		{`<stream xmlns='jabber:client'>`, "invalid-namespace"},
		{`<?xml version='1.1'?>`, "not-well-formed"},
		{`<?xml encoding='utf-8'?>`, "not-well-formed"},
		{`<?xml version='1.0' standalone='yes' encoding='utf-8'?>`, "not-well-formed"},
		{`<?xml version='1.0'encoding='utf-8'?>`, "not-well-formed"},
		{`<?xml version='1.0'>`, "not-well-formed"},
		{`<?xml?>`, "not-well-formed"},
		{`<?xml-stylesheet href='x'?>`, "not-well-formed"},
		{` <?xml version='1.0'?>`, "not-well-formed"},
		{`<?xml version='1.0'?><?xml version='1.0'?>`, "not-well-formed"},
		{`<?php ?>`, "restricted-xml"},
		{`<!-- x -->`, "restricted-xml"},
		{`</stream:stream>`, "not-well-formed"},
		{`<stream:stream xmlns='jabber:client' ` + strings.Repeat(" ", 20<<10), "policy-violation"},
		{`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'` + manyAttrs(70) +
			`>`, "policy-violation"},
		{`<!DOCTYPE x>`, "restricted-xml"},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
			_, err := NewReader(src, Limits{}).Header()
			var se *StreamError
			if !errors.As(err, &se) || se.Condition != c.want {
				t.Errorf("%.200s: %v, want %s", c.in, err, c.want)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	const ns = ` xmlns:stream='http://etherx.jabber.org/streams'`
	for _, c := range []struct {
		in   string
		want Header
	}{
		{`<stream:stream xmlns='jabber:client'` + ns +
			` to="a.example" from='b@a.example' version='1.0' id='&lt;' xml:lang='de'>`,
			Header{To: "a.example", From: "b@a.example", Version: "1.0", ID: "<", Lang: "de", ContentNS: NSClient}},
		{`<?xml version="1.0" encoding='utf-8' standalone="yes" ?>` + "\n" + `<stream:stream xmlns='jabber:server'` +
			ns + ">", Header{ContentNS: NSServer}},
		{" \n<x:stream xmlns='jabber:server' xmlns:x='http://etherx.jabber.org/streams'>", Header{ContentNS: NSServer}},
		{`<stream xmlns='http://etherx.jabber.org/streams'>`, Header{ContentNS: NSClient}},
		{`<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:server'>`, Header{ContentNS: NSServer}},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
			if h, err := NewReader(src, Limits{}).Header(); err != nil || h != c.want {
				t.Errorf("%s: %+v, %v", c.in, h, err)
			}
		}
	}
}

// TestRestart: after SASL the client may already have sent its next header; after STARTTLS nothing that it sent before
// counts.
func TestRestart(t *testing.T) {
	auth := `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`
	r := NewReader(strings.NewReader(hdr+auth+"\n"+hdr+`<iq/></stream:stream>`), Limits{})
	mustHeader(t, r)
	if st, err := r.Next(); err != nil || st.Name.Local != "auth" {
		t.Fatal(st, err)
	}
	if r.Buffered() == 0 {
		t.Fatal("nothing is buffered")
	}
	r.Restart()
	mustHeader(t, r)
	if st, err := r.Next(); err != nil || st.Kind != IQ {
		t.Fatal(st, err)
	}
	for range 2 {
		if _, err := r.Next(); err != ErrStreamEnd {
			t.Fatal(err)
		}
	}
	r = NewReader(strings.NewReader(hdr+
		`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><iq id='injected'/>`), Limits{})
	mustHeader(t, r)
	if _, err := r.Next(); err != nil || r.Buffered() == 0 {
		t.Fatal(err)
	}
	r.Reset(strings.NewReader(hdr + `<iq id='genuine'/>`))
	mustHeader(t, r)
	if st, err := r.Next(); err != nil || st.ID != "genuine" || r.Buffered() != 0 {
		t.Fatal(st, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

func mustHeader(t *testing.T, r *Reader) {
	t.Helper()
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
}

// TestReady: half a stanza is not ready, a whole one is, and so is a mistake.
func TestReady(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []bool
	}{
		{`<iq/>`, []bool{false}},
		{`<iq/> `, []bool{false}},
		{`<iq/><iq`, []bool{false}},
		{`<iq/><iq><query xmlns='urn:x'/>`, []bool{false}},
		{`<iq/> <iq/><iq/>`, []bool{true, true, false}},
		{`<iq/></stream:stream>`, []bool{true, true}},
		{`<iq/><!--`, []bool{true, true}},
	} {
		r := NewReader(io.MultiReader(strings.NewReader(hdr), strings.NewReader(c.in)), Limits{})
		mustHeader(t, r)
		for i, want := range c.want {
			st, err := r.Next()
			if i == 0 && (err != nil || st.Kind != IQ) {
				t.Fatalf("%s: %v", c.in, err)
			}
			for range 2 {
				if got := r.Ready(); got != want {
					t.Errorf("%s: %d: %v", c.in, i, got)
				}
			}
		}
	}
}

func TestLimitsRise(t *testing.T) {
	big := `<message><body>` + strings.Repeat("a", 5000) + `</body></message>`
	r := NewReader(strings.NewReader(hdr+big), Limits{Stanza: 1000})
	mustHeader(t, r)
	r.SetLimits(Limits{Stanza: 10000})
	if st, err := r.Next(); err != nil || len(st.BodyText()) != 5000 {
		t.Fatal(err)
	}
	r = NewReader(strings.NewReader(hdr+big), Limits{Stanza: len(big)})
	mustHeader(t, r)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r = NewReader(strings.NewReader(hdr+big), Limits{Stanza: len(big) - 1})
	mustHeader(t, r)
	if _, err := r.Next(); err == nil {
		t.Fatal("one byte too many was accepted")
	}
}

// TestIdle: a reader without pending data holds no buffer, whatever it has read before.
func TestIdle(t *testing.T) {
	a, b := net.Pipe()
	r := NewReader(a, Limits{})
	for _, s := range []string{hdr, chat, " ", chat + "\n" + chat, `<message><body>` + strings.Repeat("a", 100<<10) +
		`</body></message>`, "\n"} {
		go func() { _, _ = io.WriteString(b, s) }()
		if s == hdr {
			mustHeader(t, r)
		}
		for range strings.Count(s, "</message>") {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if r.buf != nil && r.Buffered() == 0 && r.from == r.to || r.p != nil && r.buf == nil {
			t.Fatalf("after %.20q it holds %d bytes", s, len(r.buf))
		}
	}
	if size := unsafe.Sizeof(*r); size > 640 {
		t.Errorf("a Reader takes %d bytes", size)
	}
}

// TestLinear: when data arrives byte by byte, no byte is read again, except the few of a reference or of a tag that is
// tried once more.
func TestLinear(t *testing.T) {
	const n = 20 << 10
	for _, s := range []string{
		`<message id='` + strings.Repeat("a", n) + `'/>`,
		`<message id='` + strings.Repeat("&lt;", n/4) + `'/>`,
		`<message><body>` + strings.Repeat("a", n) + `</body></message>`,
		`<message><body>` + strings.Repeat("é", n/2) + `</body></message>`,
		`<message><body>` + strings.Repeat("&#x1F600;", n/9) + `</body></message>`,
		`<message><body><![CDATA[` + strings.Repeat("]", n) + `]]></body></message>`,
		`<message` + strings.Repeat(" ", n) + `/>`,
		`<message><` + strings.Repeat("a", n) + `/></message>`,
		`<message>` + strings.Repeat("<a>x</a >", n/8) + `</message` + strings.Repeat(" ", n) + `>`,
	} {
		p := new(parser)
		p.begin(&scope{content: NSClient, def: NSClient}, Limits{Children: n}.withDefaults(), nil)
		tried := 0
		for i := 1; i <= len(s); i++ {
			end, err := p.run([]byte(s[:i]))
			if i == len(s) && (err != nil || end != len(s)) {
				t.Fatalf("%.30s: %d, %v", s, end, err)
			}
			if i < len(s) && err != errMore {
				t.Fatalf("%.30s after %d bytes: %v", s, i, err)
			}
			seen := p.pos
			if p.state == inTag {
				seen = max(seen, p.scan)
			}
			switch {
			case i-seen <= maxRef:
				tried = 0
			default:
				if tried++; tried > 1 {
					t.Fatalf("%.30s: of %d bytes only %d are done with", s, i, seen)
				}
			}
		}
	}
}

func TestParseStanza(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind Kind
		name Name
	}{
		{` <message xmlns='jabber:client'><body>x</body></message>` + "\n", Message, Name{NSClient, "message"}},
		{`<iq xmlns='jabber:server'><ping xmlns='urn:xmpp:ping'/></iq>`, IQ, Name{NSClient, "iq"}},
		{`<c:presence xmlns:c='jabber:client'><c:show>away</c:show></c:presence>`, Presence,
			Name{NSClient, "presence"}},
		{`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0' xml:lang='en'/>`, Other,
			Name{NSFraming, "open"}},
		{`<message><body>x</body></message>`, Other, Name{"", "message"}},
	} {
		st, err := ParseStanza([]byte(c.in), Limits{})
		if err != nil || st.Kind != c.kind || st.Name != c.name {
			t.Errorf("%s: %+v, %v", c.in, st, err)
			continue
		}
		if c.kind == Presence && string(st.Payload) != `<show>away</show>` {
			t.Errorf("%s", st.Payload)
		}
	}
	for in, want := range map[string]string{
		``:                             "not-well-formed",
		` `:                            "not-well-formed",
		`x<a/>`:                        "not-well-formed",
		`<a/>x`:                        "not-well-formed",
		`<a/><b/>`:                     "not-well-formed",
		`<a>`:                          "not-well-formed",
		`</a>`:                         "not-well-formed",
		`<?xml version='1.0'?><a/>`:    "restricted-xml",
		`<!-- --><a/>`:                 "restricted-xml",
		`<foo xmlns='jabber:client'/>`: "unsupported-stanza-type",
		`<a>` + strings.Repeat(" ", 300<<10) + `</a>`: "policy-violation",
	} {
		_, err := ParseStanza([]byte(in), Limits{})
		var se *StreamError
		if !errors.As(err, &se) || se.Condition != want {
			t.Errorf("%.30q: %v, want %s", in, err, want)
		}
	}
}

func TestHeaderOfStanza(t *testing.T) {
	sts := read(t, hdr+`<message to='A@B.example/R' from='b.example' id='' type='chat' xml:lang='de' x='y' q:to='z'/>`+
		`<message to='@'/><message to='a@b.example' from=''/><message to='a&#64;b.example'/></stream:stream>`)
	if st := sts[0]; st.To.String() != "a@b.example/R" || st.From.String() != "b.example" || st.Type != "chat" ||
		st.Lang != "de" || st.Malformed || st.Attrs != nil {
		t.Errorf("%+v", st)
	}
	if st := sts[1]; !st.Malformed || !st.To.IsZero() {
		t.Errorf("%+v", st)
	}
	if st := sts[2]; !st.Malformed || st.To.String() != "a@b.example" {
		t.Errorf("%+v", st)
	}
	if st := sts[3]; st.Malformed || st.To.String() != "a@b.example" {
		t.Errorf("%+v", st)
	}
}

func TestNextAllocates(t *testing.T) {
	if raceOn {
		t.Skip("pools lose things under the race detector")
	}
	r := NewReader(&endless{head: hdr, s: chat}, Limits{})
	mustHeader(t, r)
	if n := testing.AllocsPerRun(200, func() { _, _ = r.Next() }); n > 3 {
		t.Errorf("%v allocations for each stanza", n)
	}
}

const chat = `<message from='romeo@montague.example/orchard' to='juliet@capulet.example/balcony' type='chat' id='2f2f2c2e-8f35-4bff-a8a5-5ad9a15a2d3a'><body>Wherefore art thou, Romeo? Deny thy father and refuse thy name.</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='2f2f2c2e-8f35-4bff-a8a5-5ad9a15a2d3a'/></message>`

// endless returns the same bytes without end.
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
