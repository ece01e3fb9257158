package federation

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/admin/api"
	"parley/config"
	"parley/node/devcert"
	"parley/testrig"
)

// browser fetches from a house's web listener, by its name and with its authority.
func (h *house) browser(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots(t, h.ca)},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, h.Node.Addr("websocket").String())
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

func fetch(t *testing.T, c *http.Client, method, url, authorization, body string) (int, string) {
	t.Helper()
	q, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		q.Header.Set("Authorization", authorization)
	}
	res, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestFileAbroad: people of other servers who have the link can fetch an uploaded file; only people of the host can
// upload (XEP-0363).
func TestFileAbroad(t *testing.T) {
	a, b := twoHouses(t, func(c *config.Config) { c.Web.PlainLinks = false })
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	const slot = "<iq type='get' id='%s' to='upload.a.example'>" +
		"<request xmlns='urn:xmpp:http:upload:0' filename='rose.txt' size='4' content-type='text/plain'/></iq>"
	romeo.sends(slot, "mine")
	e := romeo.gets("a slot", func(e *testrig.Element) bool { return e.Attr("id") == "mine" })
	if e.Attr("type") != "result" {
		t.Fatalf("got %s", e)
	}
	web := a.browser(t)
	if status, text := fetch(t, web, "PUT", e.Find("put").Attr("url"),
		e.Find("header").Text, "rose"); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	link := e.Find("get").Attr("url")
	romeo.sends("<message type='chat' to='%s'><body>%s</body><x xmlns='jabber:x:oob'><url>%s</url></x></message>",
		juliet.bare, link, link)
	got := juliet.getsMessage("chat", romeo.c.Address, link)
	if oob := got.Find("url"); oob == nil || oob.Text != link {
		t.Fatalf("got %s", got)
	}
	if status, text := fetch(t, web, "GET", got.Find("url").Text, "", ""); status != http.StatusOK || text != "rose" {
		t.Errorf("her client gets %d %q", status, text)
	}
	juliet.sends(slot, "hers")
	if e := juliet.gets("a refusal", func(e *testrig.Element) bool {
		return e.Attr("id") == "hers"
	}); e.Attr("type") != "error" {
		t.Errorf("who is of another server uploads: %s", e)
	}
}

// TestPushFromAbroad: a message from another server wakes the phone of somebody who is away (XEP-0357).
func TestPushFromAbroad(t *testing.T) {
	dns := startDNS(t)
	a := newHouse(t, "a.example", dns.addr, certificates(t, "a.example", "groups"), func(*config.Config) {})
	b := newHouse(t, "b.example", dns.addr, certificates(t, "b.example", "groups"),
		testrig.WithComponent("push.example"))
	for _, h := range []*house{a, b} {
		dns.point(h.Node.Addr("s2s"), h.domain, "groups."+h.domain)
	}
	service, err := b.Component("push.example")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	romeo, juliet := a.party(t, "romeo"), b.party(t, "juliet")
	juliet.sends("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='push.example' node='telephone'/></iq>")
	juliet.gets("it is enabled", func(e *testrig.Element) bool {
		return e.Attr("id") == "e" && e.Attr("type") == "result"
	})
	juliet.sends("</stream:stream>")
	for {
		if _, err := juliet.c.Next(); err != nil {
			break
		}
	}
	romeo.sends("<message type='chat' to='%s' id='m'><body>wake up</body></message>", juliet.bare)
	for {
		e, err := service.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Find("notification") == nil {
			continue
		}
		if p := e.Find("publish"); p == nil || p.Attr("node") != "telephone" ||
			strings.Contains(e.String(), "wake up") || e.Attr("from") != "b.example" && e.Attr("from") != juliet.bare {
			t.Errorf("got %s", e)
		}
		return
	}
}

// saysExpired: the other server was reached, and the expired certificate is why the connection was refused.
func (h *house) saysExpired(t *testing.T, domain string) {
	t.Helper()
	var ds []api.Domain
	line := testrig.NewLine(t, ours, h.Node.Config.Listeners.Control.Path)
	if err := line.Do("GET", "/federation/domains", "", &ds); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ds, func(d api.Domain) bool { return d.Domain == domain })
	if i < 0 || !strings.Contains(ds[i].Error, "has expired") {
		t.Errorf("got %+v", ds)
	}
}

// TestEjabberdExpired: where a certificate is required, an expired one counts as none.
func TestEjabberdExpired(t *testing.T) {
	if !namespaced(t) {
		return
	}
	startDNSMasq(t, false)
	fo := certificates(t, ours, "groups")
	ft, err := devcert.Ensure(filepath.Join(t.TempDir(), theirs), []string{theirs, "conference." + theirs},
		time.Now().AddDate(-2, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	startEjabberd(t, false, ft, ft.CA)
	h := newHouse(t, ours, dnsAddr+":53", fo, func(c *config.Config) {
		c.Federation.Addresses = []string{ourAddr + ":5269"}
		c.Federation.RequireCertificate = true
		c.TLS.CAFiles = []string{ft.CA}
	})
	h.party(t, "romeo").fails("juliet@"+theirs, "expired", "remote-server-timeout")
	h.saysExpired(t, theirs)
}
