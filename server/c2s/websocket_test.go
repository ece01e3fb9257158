package c2s

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/wire"
)

// A WebSocket client gets an <open/> and the mechanisms, with and without TLS (RFC 7395, section 3.3.2). There is no
// channel binding, since the connection may end at a proxy.
func TestWebSocketOffersSASL(t *testing.T) {
	d := newDoor(t, func(c *Config) { c.Unauthenticated = wire.Limits{Stanza: 10_000} })
	web := httptest.NewServer(d.WebSocket(nil, true))
	defer web.Close()
	secure := httptest.NewTLSServer(d.WebSocket(nil, false))
	defer secure.Close()
	for _, s := range []*httptest.Server{web, secure} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, _, err := websocket.Dial(ctx, s.URL,
			&websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: s.Client()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if err := c.Write(ctx, websocket.MessageText,
			[]byte(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='`+domain+`' version='1.0'/>`)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"<open ", "<mechanism>SCRAM-SHA-256</mechanism>"} {
			_, b, err := c.Read(ctx)
			if err != nil {
				t.Fatalf("no %s: %v", want, err)
			}
			if !strings.Contains(string(b), want) || strings.Contains(string(b), "-PLUS") {
				t.Errorf("got %s", b)
			}
		}
	}
}

// A silent stream over HTTP is kept open through proxies: WebSocket by pings, BOSH by answers.
func TestQuietStreams(t *testing.T) {
	d := newDoor(t, func(c *Config) { c.Unauthenticated, c.Quiet = wire.Limits{Stanza: 10_000}, 20*time.Millisecond })
	web := httptest.NewServer(d.WebSocket(nil, true))
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pings := make(chan bool, 100)
	c, _, err := websocket.Dial(ctx, web.URL, &websocket.DialOptions{Subprotocols: []string{"xmpp"},
		// one is not answered
		OnPingReceived: func(context.Context, []byte) bool { pings <- true; return len(pings) != 2 }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	go c.Read(ctx)
	for range 5 {
		select {
		case <-pings:
		case <-ctx.Done():
			t.Fatal("no ping")
		}
	}
	if quietTime >= 50*time.Second {
		t.Error("proxies cut streams before")
	}
	bosh := httptest.NewServer(d.BOSH(true))
	defer bosh.Close()
	res, err := bosh.Client().Post(bosh.URL, "text/xml",
		strings.NewReader("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='1' to='"+
			domain+"' hold='1' wait='3600' xmpp:version='1.0'/>"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), " wait='0'") {
		t.Errorf("a request may wait for longer: %s, %v", b, err)
	}
}
