package wire

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"parley/wire/jid"
)

// encoding/xml is the oracle: it must accept what this package accepts and see the same content, and it must see the
// same again in what is written for another stream.

const streamNS = ` xmlns:stream='http://etherx.jabber.org/streams'`

// headers are the streams that fuzzed content is put in.
var headers = []string{
	`<stream:stream xmlns='jabber:client'` + streamNS + `>`,
	`<stream:stream xmlns='jabber:server'` + streamNS + ` xmlns:db='jabber:server:dialback'>`,
	`<stream:stream xmlns='jabber:client'` + streamNS +
		` xmlns:a='urn:a' xmlns:b='urn:&apos;b' xmlns:c='jabber:client'>`,
	`<s:stream xmlns:c='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:a='urn:a'>`,
	`<s:stream xmlns='urn:d' xmlns:c='jabber:server' xmlns:s='http://etherx.jabber.org/streams' xmlns:a='urn:a'>`,
	`<stream xmlns='http://etherx.jabber.org/streams' xmlns:a='jabber:server'>`,
	`<stream xmlns='http://etherx.jabber.org/streams' xmlns:a='urn:a'>`,
}

// surroundings are other streams to put an element into: its prefixes mean something else there.
var surroundings = func() (out []string) {
	var wrong strings.Builder
	for c := 'a'; c <= 'z'; c++ {
		fmt.Fprintf(&wrong, " xmlns:%c='urn:wrong:%c'", c, c)
	}
	for _, p := range []string{"stream", "db", "ns000", "ns0"} {
		fmt.Fprintf(&wrong, " xmlns:%s='urn:wrong'", p)
	}
	for _, ns := range []string{NSClient, "urn:elsewhere", NSServer} {
		out = append(out, "<w xmlns='"+ns+"'"+wrong.String()+">")
	}
	return out
}()

// tree is the oracle's view of an element.
type tree struct {
	name  Name
	attrs []Attr // sorted; without declarations
	text  string // all text directly inside; marks separate the parts between elements
	kids  []*tree
}

func (t *tree) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "(%s %s %q %q", t.name.Space, t.name.Local, t.attrs, t.text)
	for _, k := range t.kids {
		s.WriteString(k.String())
	}
	return s.String() + ")"
}

func byName(a, b Attr) int {
	return strings.Compare(a.Name.Space+" "+a.Name.Local, b.Name.Space+" "+b.Name.Local)
}

// normalise does attribute value normalisation, which encoding/xml does not do. Nor can a test see whether white space
// was written as a reference.
var normalise = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func oracleTree(d *xml.Decoder, start xml.StartElement) (*tree, error) {
	t := &tree{name: Name{normalise.Replace(start.Name.Space), start.Name.Local}}
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" || a.Name == (xml.Name{Local: "xmlns"}) {
			continue
		}
		t.attrs = append(t.attrs, Attr{Name{normalise.Replace(a.Name.Space), a.Name.Local}, normalise.Replace(a.Value)})
	}
	slices.SortFunc(t.attrs, byName)
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			k, err := oracleTree(d, tok)
			if err != nil {
				return nil, err
			}
			t.kids = append(t.kids, k)
			t.text += "\x00"
		case xml.CharData:
			t.text += string(tok)
		case xml.EndElement:
			return t, nil
		default:
			return nil, fmt.Errorf("unexpected %T", tok)
		}
	}
}

// oracleOf parses a whole element inside these start tags.
func oracleOf(around, s string) (*tree, error) {
	d := xml.NewDecoder(strings.NewReader(around + s))
	for skip := around != ""; ; {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		if start, ok := tok.(xml.StartElement); ok {
			if !skip {
				return oracleTree(d, start)
			}
			skip = false
		}
	}
}

func treeOf(e *Element) *tree {
	t := &tree{name: Name{normalise.Replace(e.Name.Space), e.Name.Local}, attrs: slices.Clone(e.Attrs)}
	for i := range t.attrs {
		t.attrs[i].Name.Space = normalise.Replace(t.attrs[i].Name.Space)
		t.attrs[i].Value = normalise.Replace(t.attrs[i].Value)
	}
	slices.SortFunc(t.attrs, byName)
	for _, n := range e.Nodes {
		if n.Element != nil {
			t.kids = append(t.kids, treeOf(n.Element))
			t.text += "\x00"
			continue
		}
		t.text += n.Text
	}
	return t
}

// oneContent removes the difference between the two content namespaces, which stand for each other on a stream between
// servers.
func (t *tree) oneContent() *tree {
	if t.name.Space == NSServer {
		t.name.Space = NSClient
	}
	for i := range t.attrs {
		if t.attrs[i].Name.Space == NSServer {
			t.attrs[i].Name.Space = NSClient
		}
	}
	slices.SortFunc(t.attrs, byName)
	for _, k := range t.kids {
		k.oneContent()
	}
	return t
}

// pieces returns its data in pieces of random length.
type pieces struct {
	r   io.Reader
	rnd *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	return p.r.Read(b[:min(len(b), 1+p.rnd.IntN(1+p.rnd.IntN(60)))])
}

func readAll(src io.Reader, lim Limits) (h Header, sts []*Stanza, err error) {
	r := NewReader(src, lim)
	if h, err = r.Header(); err != nil {
		return h, nil, err
	}
	for {
		st, err := r.Next()
		if err != nil {
			if r.buf != nil && err != io.EOF {
				return h, sts, errors.New("a buffer was kept")
			}
			return h, sts, err
		}
		if r.buf == nil != (r.from == r.to) {
			return h, sts, errors.New("a buffer was kept")
		}
		if st.At.IsZero() {
			return h, sts, errors.New("it is not said when a stanza was read")
		}
		st.At = time.Time{} // the time of reading does not matter
		sts = append(sts, st)
	}
}

// condition returns the part of an error that two readings of the same bytes must agree on. Of two mistakes in a tag
// either may be seen first; an error that ends the stream at once in one reading may wait for the end of its tag in the
// other; limits may strike earlier.
func condition(err error) string {
	var se *StreamError
	if errors.As(err, &se) || err == io.EOF {
		return "broken"
	}
	return err.Error()
}

func FuzzReader(f *testing.F) {
	for i, s := range []string{
		chat,
		`<message to='b@a.example' type="chat" id='1'><body>hi &amp; <![CDATA[<x>]]></body><x xmlns='urn:x'><y/></x></message></stream:stream>`,
		`<message xmlns:w='urn:w'><w:a xmlns='urn:n'/><a:b a:c='1' b:d='2'><e/></a:b></message> <r xmlns='urn:xmpp:sm:3'/>`,
		`<c:message><c:body>x<c:y xmlns='urn:y'><z/></c:y></c:body><body/></c:message>`,
		`<message xmlns='jabber:client' xml:lang='de' to='A@B.example/ü'><body xmlns='jabber:client'>ü&#x10FFFF;</body></message>`,
		`<c:iq xmlns='urn:d' type='get'><q/><q xmlns=''/><q xmlns='urn:d'/></c:iq>`,
		`<message xmlns='jabber:server'><x:db xmlns:x='jabber:server'/><db:y/></message>`,
		`<stream:features><x xmlns='urn:x'/><y/></stream:features><auth xmlns='urn:s' a:m='1' xml:lang='x'>a<b/>c&#13;` + "\r\n" + `</auth>`,
		"<presence\r\n\tid = '1\n2' ><größe\u00a0/></presence>", `<presence><größe/></presence>`,
		`<iq><a b='&quot;&#39;>' c="]]>"/>]]&gt;</iq><iq>]]></iq>`,
		`<iq><xml:a xml:b='1'/></iq><xml:iq/>`,
	} {
		f.Add(s, uint8(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, s string, which uint8, seed uint64) {
		check(t, headers[int(which)%len(headers)], s, seed)
	})
}

// TestGenerated does the same with generated content that is nearly always well-formed, with many declarations that
// hide each other.
func TestGenerated(t *testing.T) {
	accepted := 0
	for seed := range uint64(4000) {
		g := generator{rnd: rand.New(rand.NewPCG(seed, 2))}
		for range 3 {
			g.element(0)
			g.s.WriteString("\n")
		}
		accepted += check(t, headers[g.rnd.IntN(len(headers))], g.s.String(), seed)
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, g.s.String())
		}
	}
	if accepted < 2000 {
		t.Fatalf("only %d elements were accepted", accepted)
	}
}

// generator makes elements with namespaces at random.
type generator struct {
	rnd   *rand.Rand
	s     strings.Builder
	bound []string // prefixes that are in scope
}

func pick(rnd *rand.Rand, of ...string) string { return of[rnd.IntN(len(of))] }

func (g *generator) prefix() string {
	switch {
	case g.rnd.IntN(3) == 0:
		return ""
	case len(g.bound) > 0 && g.rnd.IntN(20) > 0:
		return pick(g.rnd, g.bound...) + ":"
	}
	return pick(g.rnd, "a:", "c:", "xml:", "stream:", "")
}

func (g *generator) namespace() string {
	return pick(g.rnd, NSClient, NSServer, "urn:a", "urn:b", "urn:&#98;", "urn:x&apos;y", NSStream)
}

func (g *generator) element(depth int) {
	before := len(g.bound)
	var attrs []string
	if g.rnd.IntN(4) == 0 {
		attrs = append(attrs, "xmlns='"+pick(g.rnd, g.namespace(), g.namespace(), "")+"'")
	}
	for range g.rnd.IntN(3) {
		p := pick(g.rnd, "a", "b", "c", "d")
		g.bound = append(g.bound, p)
		attrs = append(attrs, "xmlns:"+p+"=\""+g.namespace()+"\"")
	}
	for range g.rnd.IntN(3) {
		attrs = append(attrs, g.prefix()+pick(g.rnd, "to", "from", "id", "type", "lang", "x")+"='"+
			pick(g.rnd, "1", "a@b.example/c", "&lt;\"", "\tx", "ü", "")+"'")
	}
	g.rnd.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
	name := g.prefix() + pick(g.rnd, "message", "iq", "body", "x")
	if depth == 0 {
		name = g.prefix() + pick(g.rnd, "message", "iq", "presence", "message", "x")
	}
	fmt.Fprintf(&g.s, "<%s %s", name, strings.Join(attrs, pick(g.rnd, " ", "\n\t")))
	if g.rnd.IntN(4) == 0 || depth > 5 {
		g.s.WriteString(pick(g.rnd, "/>", " />"))
	} else {
		g.s.WriteString(pick(g.rnd, ">", " >"))
		for range g.rnd.IntN(4) {
			g.s.WriteString(pick(g.rnd, "", "", "t&amp;", "<![CDATA[<&]]]]>", "\r\n", "]]&gt;", "ü&#x1F600;"))
			g.element(depth + 1)
		}
		g.s.WriteString(pick(g.rnd, "", " ", "end") + "</" + name + pick(g.rnd, ">", " >"))
	}
	g.bound = g.bound[:before]
}

// check reads content in several ways and compares it with the oracle. It returns how many elements were accepted.
func check(t *testing.T, header, s string, seed uint64) int {
	t.Helper()
	lim := Limits{Stanza: 8 << 10}
	h, sts, err := readAll(strings.NewReader(header+s), lim)
	for _, src := range []io.Reader{
		&pieces{strings.NewReader(header + s), rand.New(rand.NewPCG(seed, 1))},
		iotest.OneByteReader(strings.NewReader(header + s)),
		iotest.DataErrReader(strings.NewReader(header + s)),
	} {
		_, again, errAgain := readAll(src, lim)
		if !reflect.DeepEqual(sts, again) {
			t.Fatalf("%T:\n got %+v\nwant %+v", src, again, sts)
		}
		if condition(err) != condition(errAgain) {
			t.Fatalf("%T: %v, else %v", src, errAgain, err)
		}
	}
	d := xml.NewDecoder(strings.NewReader(header + s))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for _, st := range sts {
		compare(t, d, h, st)
	}
	return len(sts)
}

// compare checks a stanza against the oracle's next element.
func compare(t *testing.T, d *xml.Decoder, h Header, st *Stanza) {
	t.Helper()
	var want *tree
	for want == nil {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("accepted %+v, but: %v", st, err)
		}
		if start, ok := tok.(xml.StartElement); ok {
			if want, err = oracleTree(d, start); err != nil {
				t.Fatalf("accepted %+v, but: %v", st, err)
			}
		}
	}
	one := func(x *tree) *tree { return x }
	if st.Kind != Other {
		want.header(t, st)
		if h.ContentNS == NSServer {
			one = (*tree).oneContent
		}
	} else { // its text comes before its elements when it is written again
		want.attrs = slices.DeleteFunc(want.attrs, func(a Attr) bool { return a == Attr{Name{NSXML, "lang"}, ""} })
		want.text = strings.ReplaceAll(want.text, "\x00", "") + strings.Repeat("\x00", len(want.kids))
	}
	want = one(want)
	if len(st.Children) != len(want.kids) {
		t.Fatalf("%d payloads, want %d", len(st.Children), len(want.kids))
	}
	at := 0
	for i, c := range st.Children {
		if c.Start != at || c.End <= at {
			t.Fatalf("payload %d lies at %d, want %d", i, c.Start, at)
		}
		at = c.End
		if (Name{normalise.Replace(c.Name.Space), c.Name.Local}) != want.kids[i].name {
			t.Fatalf("payload %v, want %v", c.Name, want.kids[i].name)
		}
		e, err := ParseElement(st.Raw(c), NSClient)
		if err != nil {
			t.Fatalf("%s: %v", st.Raw(c), err)
		}
		if got := one(treeOf(e)); got.String() != want.kids[i].String() {
			t.Fatalf("as an Element\n got %v\nwant %v\nfrom %s", got, want.kids[i], st.Raw(c))
		}
	}
	if at != len(st.Payload) {
		t.Fatal("bytes behind the last payload")
	}
	for i, around := range surroundings {
		root := Inherit
		if i == 1 {
			root = Client
		}
		b := st.AppendXML(nil, st.To, root)
		got, err := oracleOf(around, string(b))
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if i == 2 && st.Kind != Other { // elements that inherit jabber:server here were in the content namespace there
			got.oneContent()
			want.oneContent()
		}
		sorted(got, want)
		if got = one(got); got.String() != want.String() {
			t.Fatalf("in %.25s\n got %v\nwant %v\nfrom %s", around, got, want, b)
		}
	}
	if st.Kind == Other && (st.Name.Space == NSClient || st.Name.Space == NSServer) ||
		st.Kind != Other && h.ContentNS == NSServer {
		return // without its surroundings it means something else
	}
	b := st.AppendXML(nil, st.To, Client)
	alone, err := ParseStanza(b, Limits{Stanza: 1 << 20, Attrs: 128, Depth: 128})
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	alone.Malformed = st.Malformed
	if !reflect.DeepEqual(alone, st) {
		t.Fatalf("alone\n got %+v\nwant %+v", alone, st)
	}
}

// sorted puts the roots' attributes in the same order.
func sorted(ts ...*tree) {
	for _, t := range ts {
		slices.SortFunc(t.attrs, byName)
	}
}

// header checks the header of a stanza, and leaves in t what is written again.
func (t *tree) header(tt *testing.T, st *Stanza) {
	tt.Helper()
	var want Stanza
	var kept []Attr
	for _, a := range t.attrs {
		switch a.Name {
		case Name{"", "type"}:
			want.Type = a.Value
		case Name{"", "id"}:
			want.ID = a.Value
		case Name{NSXML, "lang"}:
			want.Lang = a.Value
		case Name{"", "to"}, Name{"", "from"}:
			j, err := jid.Parse(a.Value)
			if err != nil {
				want.Malformed = true
				continue
			}
			if a.Name.Local == "to" {
				want.To = j
			} else {
				want.From = j
			}
			a.Value = j.String()
		default:
			continue
		}
		if a.Value != "" {
			kept = append(kept, a)
		}
	}
	t.attrs, t.text = kept, strings.Repeat("\x00", strings.Count(t.text, "\x00"))
	if normalise.Replace(st.Type) != want.Type || normalise.Replace(st.ID) != want.ID ||
		normalise.Replace(st.Lang) != want.Lang || st.Malformed != want.Malformed ||
		!st.Malformed && (st.To != want.To || st.From != want.From) {
		tt.Fatalf("header\n got %+v\nwant %+v", st, want)
	}
}

// FuzzStanza is FuzzReader for elements that stand alone.
func FuzzStanza(f *testing.F) {
	for _, s := range []string{
		`<message xmlns='jabber:client'` + chat[len("<message"):], ` <r xmlns='urn:xmpp:sm:3'/>` + "\n",
		`<c:iq xmlns:c='jabber:server'><c:x/></c:iq>`,
		`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a' xml:lang='de'/>`, `<message/>`, `<a>x<b/>y</a>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st, err := ParseStanza([]byte(s), Limits{Stanza: 8 << 10})
		if err != nil {
			var se *StreamError
			if !errors.As(err, &se) {
				t.Fatal(err)
			}
			return
		}
		root, err := oracleOf("", s)
		if err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		compare(t, xml.NewDecoder(strings.NewReader(s)), Header{ContentNS: root.name.Space}, st)
	})
}

func FuzzElement(f *testing.F) {
	for _, s := range []string{
		`<a/>`, `<a xmlns='y'><b/>t</a>`, `<p:a xmlns:p='y' p:b='1' xml:lang='de'><b/><p:c/>&#9;</p:a>`,
		`<a>1&amp;2<![CDATA[<3>]]>4<b/>5</a>`, `<a b='1&#10;2'>&#13;</a>`, `<xml:a/>`, `<größe/>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseElement([]byte(s), "")
		if err != nil {
			var se *StreamError
			if !errors.As(err, &se) {
				t.Fatal(err)
			}
			return
		}
		want, err := oracleOf("", s)
		if err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		if got := treeOf(e); got.String() != want.String() {
			t.Fatalf("\n got %v\nwant %v", got, want)
		}
		for _, around := range surroundings {
			parent := around[len("<w xmlns='"):]
			parent = parent[:strings.IndexByte(parent, '\'')]
			b := string(e.AppendXML(nil, parent))
			got, err := oracleOf(around, b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			if got.String() != want.String() {
				t.Fatalf("\n got %v\nwant %v\nfrom %s", got, want, b)
			}
		}
	})
}
