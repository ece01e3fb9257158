package c2s

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"mellium.im/sasl"
)

// node is any element, as encoding/xml reads it.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []node     `xml:",any"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// at follows a path of "namespace local"; it returns nil if there is no such element.
func (n *node) at(path ...string) *node {
	for _, p := range path {
		space, local, _ := strings.Cut(p, " ")
		var next *node
		for i := range n.Nodes {
			if n.Nodes[i].XMLName == (xml.Name{Space: space, Local: local}) {
				next = &n.Nodes[i]
				break
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

func (n *node) all(local string) (texts []string) {
	for i := range n.Nodes {
		if n.Nodes[i].XMLName.Local == local {
			texts = append(texts, n.Nodes[i].Text)
		}
	}
	return texts
}

// client is the client's side of a stream, written by hand.
type client struct {
	t        *testing.T
	conn     *tls.Conn
	dec      *xml.Decoder
	features *node
}

// dial opens a stream inside TLS; from may be "".
func (d *testDoor) dial(t *testing.T, from string) *client {
	t.Helper()
	return d.dialTLS(t, from, &tls.Config{})
}

func (d *testDoor) dialTLS(t *testing.T, from string, cfg *tls.Config) *client {
	t.Helper()
	cfg.ServerName, cfg.RootCAs = domain, d.roots
	conn, err := tls.Dial("tcp", d.direct, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := &client{t: t, conn: conn, dec: xml.NewDecoder(conn)}
	if from != "" {
		from = " from='" + from + "'"
	}
	c.write("<?xml version='1.0'?><stream:stream" + from + " to='" + domain +
		"' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	for {
		tok, err := c.dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := tok.(xml.StartElement); ok {
			if s.Name.Local != "stream" {
				t.Fatalf("the stream begins with %v", s.Name)
			}
			break
		}
	}
	c.features = c.want("http://etherx.jabber.org/streams features")
	return c
}

func (c *client) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatal(err)
	}
}

// next reads an element, or returns nil at the end of the stream.
func (c *client) next() *node {
	c.t.Helper()
	for {
		tok, err := c.dec.Token()
		if err != nil {
			c.t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			n := new(node)
			if err := c.dec.DecodeElement(n, &tok); err != nil {
				c.t.Fatal(err)
			}
			return n
		}
	}
}

// want reads an element and checks its name.
func (c *client) want(name string) *node {
	c.t.Helper()
	n := c.next()
	if n == nil || n.XMLName.Space+" "+n.XMLName.Local != name {
		c.t.Fatalf("%s is expected; there comes %+v", name, n)
	}
	return n
}

// wantFailure reads a SASL2 failure of this condition.
func (c *client) wantFailure(condition string) {
	c.t.Helper()
	if n := c.want("urn:xmpp:sasl:2 failure"); n.at("urn:ietf:params:xml:ns:xmpp-sasl "+condition) == nil {
		c.t.Fatalf("%s is expected; there comes %+v", condition, n)
	}
}

// wantStreamError reads a stream error of this condition, and the stream's end.
func (c *client) wantStreamError(condition string) {
	c.t.Helper()
	if n := c.want("http://etherx.jabber.org/streams error"); n.at("urn:ietf:params:xml:ns:xmpp-streams "+
		condition) == nil {
		c.t.Fatalf("%s is expected; there comes %+v", condition, n)
	}
	if n := c.next(); n != nil {
		c.t.Fatalf("after the error comes %+v", n)
	}
}

func (c *client) decode(n *node) []byte {
	c.t.Helper()
	if n == nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// scram authenticates with mellium's SCRAM in SASL2's frames; inline goes into <authenticate/>. It returns the last
// element of the exchange, after checking the server's signature in <success/>.
func (c *client) scram(m sasl.Mechanism, user, password, inline string) *node {
	c.t.Helper()
	return c.scramAs(m, "", user, password, inline)
}

func (c *client) scramAs(m sasl.Mechanism, authzid, user, password, inline string) *node {
	c.t.Helper()
	neg := sasl.NewClient(m, sasl.Credentials(func() (u, p, id []byte) {
		return []byte(user), []byte(password), []byte(authzid)
	}),
		sasl.TLSState(c.conn.ConnectionState()),
		sasl.RemoteMechanisms(c.features.at("urn:xmpp:sasl:2 authentication").all("mechanism")...))
	_, first, err := neg.Step(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='" + m.Name + "'><initial-response>" +
		base64.StdEncoding.EncodeToString(first) +
		"</initial-response>" + inline + "</authenticate>")
	n := c.next()
	if n == nil || n.XMLName.Local != "challenge" {
		return n
	}
	_, final, err := neg.Step(c.decode(n))
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("<response xmlns='urn:xmpp:sasl:2'>" + base64.StdEncoding.EncodeToString(final) + "</response>")
	n = c.next()
	if n != nil && (n.XMLName.Local == "success" || n.XMLName.Local == "continue") {
		if _, _, err := neg.Step(c.decode(n.at("urn:xmpp:sasl:2 additional-data"))); err != nil {
			c.t.Fatalf("the server's signature: %v", err)
		}
	}
	return n
}

// agent is a <user-agent/> with this id.
func agent(id string) string {
	return "<user-agent xmlns='urn:xmpp:sasl:2' id='" + id +
		"'><software>AwesomeXMPP</software><device>Kiva's Phone</device></user-agent>"
}

const (
	phone  = "d4565fa7-4d72-4749-b3d3-740edbf87770"
	laptop = "0c6e8f8c-8d5e-4d0a-9c5e-0f2d6b8e1a11"
)

// identifier returns the address in a success.
func identifier(n *node) string {
	if id := n.at("urn:xmpp:sasl:2 authorization-identifier"); n.XMLName.Local == "success" && id != nil {
		return id.Text
	}
	return ""
}
