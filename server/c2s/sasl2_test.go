package c2s

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"mellium.im/sasl"

	"parley/wire"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func plainAuth(data, inline string) string {
	return "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" + data + "</initial-response>" +
		inline + "</authenticate>"
}

func TestSASL2Offer(t *testing.T) {
	d := newDoor(t, nil)
	c := d.dial(t, "")
	old, offer := c.features.at(wire.NSSASL+" mechanisms"), c.features.at(wire.NSSASL2+" authentication")
	if old == nil || offer == nil {
		t.Fatalf("one profile is missing: %+v", c.features)
	}
	if a, b := old.all("mechanism"), offer.all("mechanism"); !slices.Equal(a, b) || len(b) != 5 {
		t.Errorf("mechanisms: %v and %v", a, b)
	}
	for _, path := range [][]string{
		{wire.NSSASL2 + " inline", "urn:xmpp:sm:3 sm"},
		{wire.NSSASL2 + " inline", "urn:xmpp:bind:0 bind", "urn:xmpp:bind:0 inline"},
	} {
		if offer.at(path...) == nil {
			t.Errorf("%v is not offered", path)
		}
	}
	if c.features.at("urn:xmpp:sasl-cb:0 sasl-channel-binding") == nil {
		t.Error("no channel bindings (XEP-0440)")
	}
}

func TestSASL2SignsInWithoutANewHeader(t *testing.T) {
	d := newDoor(t, nil)
	for _, m := range []sasl.Mechanism{sasl.ScramSha256Plus, sasl.ScramSha1Plus, sasl.ScramSha256, sasl.ScramSha1} {
		t.Run(m.Name, func(t *testing.T) {
			c := d.dial(t, "romeo@"+domain)
			n := c.scram(m, "romeo", "pencil", agent(phone))
			if identifier(n) != "romeo@"+domain {
				t.Fatalf("%+v", n)
			}
			if f := c.want("http://etherx.jabber.org/streams features"); f.at(wire.NSBind+" bind") == nil {
				t.Fatalf("no binding among %+v", f)
			}
			c.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" +
				"<resource>orchard</resource></bind></iq>")
			if r := c.want("jabber:client iq").at(wire.NSBind+" bind", wire.NSBind+" jid"); r == nil ||
				r.Text != "romeo@"+domain+"/orchard" {
				t.Fatalf("bound to %+v", r)
			}
			c.write("<iq type='get' id='p' to='" + domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
			if r := c.want("jabber:client iq"); r.attr("id") != "p" {
				t.Fatalf("%+v", r)
			}
			c.write(plainAuth(b64("\x00romeo\x00pencil"), ""))
			c.wantStreamError("unsupported-stanza-type")
		})
	}
}

func TestSASL2AsksForTheInitialResponse(t *testing.T) {
	d := newDoor(t, nil)
	c := d.dial(t, "")
	c.write("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>")
	if n := c.want("urn:xmpp:sasl:2 challenge"); n.Text != "" {
		t.Fatalf("%+v", n)
	}
	c.write("<response xmlns='urn:xmpp:sasl:2'>\n  " + b64("\x00romeo\x00pencil") + "\n</response>")
	n := c.want("urn:xmpp:sasl:2 success")
	if identifier(n) != "romeo@"+domain || n.at("urn:xmpp:sasl:2 additional-data") != nil {
		t.Fatalf("%+v", n)
	}
}

// The hash of XEP-0474 in SCRAM covers the mechanisms that SASL2 offered.
func TestSASL2DowngradeHash(t *testing.T) {
	d := newDoor(t, func(c *Config) { c.DowngradeHash = true })
	c := d.dial(t, "")
	ms := c.features.at("urn:xmpp:sasl:2 authentication").all("mechanism")
	var cbs []string
	for _, cb := range c.features.at("urn:xmpp:sasl-cb:0 sasl-channel-binding").Nodes {
		cbs = append(cbs, cb.attr("type"))
	}
	slices.Sort(ms)
	slices.Sort(cbs)
	sum := sha256.Sum256([]byte(strings.Join(ms, "\x1e") + "\x1f" + strings.Join(cbs, "\x1e")))
	c.write("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'><initial-response>" +
		b64("n,,n=romeo,r=abc") + "</initial-response></authenticate>")
	got := string(c.decode(c.want("urn:xmpp:sasl:2 challenge")))
	if want := ",h=" + base64.StdEncoding.EncodeToString(sum[:]); !strings.HasSuffix(got, want) {
		t.Errorf("%q does not end with %q", got, want)
	}
}

func TestSASL2Failures(t *testing.T) {
	d := newDoor(t, func(c *Config) { c.AuthAttempts = 100 })
	good := b64("\x00romeo\x00pencil")
	for name, tc := range map[string]struct{ from, send, want string }{
		"wrong password": {"", plainAuth(b64("\x00romeo\x00pen"), ""), "not-authorized"},
		"nobody":         {"", plainAuth(b64("\x00tybalt\x00pencil"), ""), "not-authorized"},
		"mechanism not offered": {"",
			"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='X-NONE'/>", "invalid-mechanism"},
		"no mechanism":           {"", "<authenticate xmlns='urn:xmpp:sasl:2'/>", "malformed-request"},
		"not base64":             {"", plainAuth("*", ""), "incorrect-encoding"},
		"the old empty response": {"", plainAuth("=", ""), "incorrect-encoding"},
		"empty response":         {"", plainAuth("", ""), "malformed-request"},
		"too long":               {"", plainAuth(strings.Repeat("AAAA", maxSASL/4+1), ""), "malformed-request"},
		"agent without a UUID":   {"", plainAuth(good, agent("mine")), "malformed-request"},
		"acting for another":     {"", plainAuth(b64("juliet@"+domain+"\x00romeo\x00pencil"), ""), "invalid-authzid"},
		"authzid against from": {"juliet@" + domain,
			plainAuth(b64("romeo@"+domain+"\x00romeo\x00pencil"), ""), "invalid-authzid"},
		"response out of nowhere": {"", "<response xmlns='urn:xmpp:sasl:2'/>", "malformed-request"},
	} {
		t.Run(name, func(t *testing.T) {
			c := d.dial(t, tc.from)
			c.write(tc.send)
			c.wantFailure(tc.want)
			c.write(plainAuth(good, "")) // the stream is as it was
			if n := c.want("urn:xmpp:sasl:2 success"); identifier(n) != "romeo@"+domain {
				t.Fatalf("%+v", n)
			}
		})
	}
	t.Run("abort", func(t *testing.T) {
		c := d.dial(t, "")
		c.write("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><initial-response>" +
			b64("n,,n=romeo,r=abc") + "</initial-response></authenticate>")
		c.want("urn:xmpp:sasl:2 challenge")
		c.write("<abort xmlns='urn:xmpp:sasl:2'><text>no more</text></abort>")
		c.wantFailure("aborted")
	})
	t.Run("authzid of one's own", func(t *testing.T) {
		c := d.dial(t, "romeo@"+domain+"/x")
		if n := c.scramAs(sasl.ScramSha256, "Romeo@A.example",
			"romeo", "pencil", ""); identifier(n) != "romeo@"+domain {
			t.Fatalf("%+v", n)
		}
	})
}

func TestSASL2EndsStreams(t *testing.T) {
	d := newDoor(t, nil)
	begin := "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><initial-response>" +
		b64("n,,n=romeo,r=abc") + "</initial-response></authenticate>"
	for name, tc := range map[string]struct{ from, first, then, want string }{
		"a stanza in between":        {"", begin, "<presence/>", "not-authorized"},
		"another request in between": {"", begin, begin, "policy-violation"},
		"the other profile": {"", begin,
			"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YQ==</response>", "policy-violation"},
		"from another domain": {"romeo@b.example", "", begin, "invalid-from"},
	} {
		t.Run(name, func(t *testing.T) {
			c := d.dial(t, tc.from)
			if tc.first != "" {
				c.write(tc.first)
				c.want("urn:xmpp:sasl:2 challenge")
			}
			c.write(tc.then)
			c.wantStreamError(tc.want)
		})
	}
	t.Run("too many failures", func(t *testing.T) {
		c := d.dial(t, "")
		for range 3 {
			c.write(plainAuth(b64("\x00romeo\x00pen"), ""))
			c.wantFailure("not-authorized")
		}
		c.wantStreamError("policy-violation")
	})
}

// If the authentication fails, none of the other requests is done.
func TestSASL2FailureBindsNothing(t *testing.T) {
	d := newDoor(t, nil)
	c := d.dial(t, "")
	c.write(plainAuth(b64("\x00romeo\x00pen"), "<bind xmlns='urn:xmpp:bind:0'><tag>x</tag></bind>"))
	c.wantFailure("not-authorized")
	if ss := d.host.Account("romeo").Sessions(); len(ss) != 0 {
		t.Errorf("%d sessions", len(ss))
	}
}
