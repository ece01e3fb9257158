package testrig_test

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// browser is a BOSH client of a few lines (XEP-0124): one request at a time, unless told otherwise.
type browser struct {
	t    *testing.T
	url  string
	http *http.Client
	rid  int64
	sid  string
}

type body struct {
	SID       string `xml:"sid,attr"`
	Type      string `xml:"type,attr"`
	Condition string `xml:"condition,attr"`
	Requests  string `xml:"requests,attr"`
	Inner     string `xml:",innerxml"`
}

func newBrowser(t *testing.T, r *testrig.Rig) *browser {
	return &browser{
		t:   t,
		url: "https://" + r.Node.Addr("websocket").String() + "/http-bind",
		rid: rand.Int64N(1 << 40),
		http: &http.Client{
			Timeout:   time.Minute,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.Roots, ServerName: testrig.Host}},
		},
	}
}

func (b *browser) post(text string) (body, error) {
	resp, err := b.http.Post(b.url, "text/xml", strings.NewReader(text))
	if err != nil {
		return body{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return body{}, err
	}
	var out body
	if err := xml.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("%d %q: %w", resp.StatusCode, raw, err)
	}
	return out, nil
}

func (b *browser) request(attrs, inner string) string {
	b.rid++
	return b.with(b.rid, attrs, inner)
}

func (b *browser) with(rid int64, attrs, inner string) string {
	return fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='%d' "+
		"sid='%s' %s>%s</body>", rid, b.sid, attrs, inner)
}

// send posts and expects something in the answer.
func (b *browser) send(attrs, inner, want string) body {
	b.t.Helper()
	out, err := b.post(b.request(attrs, inner))
	if err != nil {
		b.t.Fatal(err)
	}
	for n := 0; !strings.Contains(out.Inner, want); n++ { // the wanted stanza may come with a later answer
		if n == 5 || out.Type != "" {
			b.t.Fatalf("got %+v, want %s", out, want)
		}
		more, err := b.post(b.request("", ""))
		if err != nil {
			b.t.Fatal(err)
		}
		out.Inner += more.Inner
		out.Type, out.Condition = more.Type, more.Condition
	}
	return out
}

func (b *browser) begin(wait int) body {
	b.t.Helper()
	b.rid++
	out, err := b.post(fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "+
		"rid='%d' to='%s' hold='1' wait='%d' ver='1.6' xmpp:version='1.0' xml:lang='en'/>", b.rid, testrig.Host, wait))
	if err != nil {
		b.t.Fatal(err)
	}
	b.sid = out.SID
	if out.SID == "" || out.Requests != "2" || !strings.Contains(out.Inner, "<mechanism>PLAIN</mechanism>") {
		b.t.Fatalf("got %+v", out)
	}
	return out
}

func (b *browser) signIn(name string) {
	b.t.Helper()
	b.beginAndSignIn(name, 5)
}

func (b *browser) beginAndSignIn(name string, wait int) {
	b.t.Helper()
	b.begin(wait)
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + testrig.Password))
	b.send("", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+plain+"</auth>", "<success")
	b.send("xmpp:restart='true' to='"+testrig.Host+"'", "", "urn:ietf:params:xml:ns:xmpp-bind")
	b.send("", "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"+
		"<resource>web</resource></bind></iq>", name+"@"+testrig.Host+"/web")
}

func TestBOSH(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo", "juliet")
	romeo, juliet := newBrowser(t, r), newBrowser(t, r)
	romeo.signIn("romeo")
	juliet.signIn("juliet")
	juliet.send("", "<presence xmlns='jabber:client'/>", "<presence")
	romeo.send("", "<message xmlns='jabber:client' to='juliet@example.org' type='chat'><body>But soft</body>"+
		"</message><iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", "id='p'")
	juliet.send("", "", "But soft")

	// A request that waits is answered by what comes later.
	got := make(chan body, 1)
	waiting := juliet.request("", "")
	go func() {
		b, err := juliet.post(waiting)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	romeo.send("", "<message xmlns='jabber:client' to='juliet@example.org' type='chat'><body>what light</body>"+
		"</message><iq xmlns='jabber:client' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>", "id='q'")
	if b := <-got; !strings.Contains(b.Inner, "what light") {
		t.Errorf("got %+v", b)
	}
	// The same request again has the same answer: the first may have been lost.
	if b, err := juliet.post(waiting); err != nil || !strings.Contains(b.Inner, "what light") {
		t.Errorf("again: %+v %v", b, err)
	}
	// A request id out of the window ends the session.
	if b, err := juliet.post(juliet.with(juliet.rid+100, "", "")); err != nil || b.Type != "terminate" ||
		b.Condition != "item-not-found" {
		t.Errorf("got %+v %v", b, err)
	}
	if b, err := juliet.post(juliet.request("", "")); err != nil || b.Type != "terminate" {
		t.Errorf("got %+v %v", b, err)
	}
	// The client's own end.
	if b, err := romeo.post(romeo.request("type='terminate'",
		"<presence xmlns='jabber:client' type='unavailable'/>")); err != nil ||
		b.Type != "terminate" || b.Condition != "" {
		t.Errorf("got %+v %v", b, err)
	}
}

func TestBOSHRefuses(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) { c.Limits.StanzaSize = 16 * config.KiB })
	r.Account("romeo")
	b := newBrowser(t, r)
	for text, condition := range map[string]string{
		"hello": "bad-request",
		"<a/>":  "bad-request",
		"<body xmlns='http://jabber.org/protocol/httpbind'/>":                              "bad-request",
		"<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='nowhere.example'/>": "host-unknown",
		"<body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>":                      "improper-addressing",
		"<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>":           "item-not-found",

		"<body xmlns='http://jabber.org/protocol/httpbind' rid='1'>" + strings.Repeat(" ", 32<<10) + "</body>": "policy-violation",
	} {
		out, err := b.post(text)
		if err != nil || out.Type != "terminate" || out.Condition != condition {
			t.Errorf("%.80s: %+v %v", text, out, err)
		}
	}
	// A stream error ends the session, and says which.
	b.signIn("romeo")
	out, err := b.post(b.request("",
		"<message xmlns='jabber:client' from='juliet@example.org' to='romeo@example.org'/>"))
	if err != nil || out.Type != "terminate" && !strings.Contains(out.Inner, "invalid-from") {
		t.Errorf("got %+v %v", out, err)
	}
}

// Browsers find the doors that are for them (XEP-0156).
func TestHostMeta(t *testing.T) {
	r := testrig.Start(t, nil)
	c := newBrowser(t, r)
	get := func(path, host string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET",
			"https://"+r.Node.Addr("websocket").String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error("pages of other hosts may not read it")
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	_, text := get("/.well-known/host-meta.json", testrig.Host)
	var meta struct{ Links []struct{ Rel, Href string } }
	if err := json.Unmarshal([]byte(text), &meta); err != nil || len(meta.Links) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, l := range meta.Links {
		if !strings.Contains(l.Href, testrig.Host) || !strings.Contains(l.Rel, "urn:xmpp:alt-connections:") {
			t.Errorf("%+v", l)
		}
	}
	if _, text := get("/.well-known/host-meta", testrig.Host+":443"); !strings.Contains(text,
		"<Link rel=\"urn:xmpp:alt-connections:websocket\" href=\"wss://") {
		t.Error(text)
	}
	if code, _ := get("/.well-known/host-meta", "nowhere.example"); code != 404 {
		t.Errorf("a host that is not hosted: %d", code)
	}
}
