package extdisco

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

// client collects what a session's client gets.
type client chan *wire.Stanza

func (c client) Send(st *wire.Stanza, _ jid.JID) error { c <- st; return nil }
func (c client) Close(*wire.StreamError)               {}

// TestRenew checks that a client that asked for services gets new credentials before its own expire.
func TestRenew(t *testing.T) {
	ctx := t.Context()
	st, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	services := func() []Service {
		return []Service{
			{Type: "stun", Host: "a.example", Port: 3478},
			{Type: "turn", Host: "a.example", Port: 3478, Secret: "s"},
			{Type: "ftp", Host: "a.example", Username: "guest", Password: "guest"},
		}
	}
	h, err := server.NewHost(server.HostConfig{
		Domain:  "a.example",
		Store:   st,
		IDs:     new(store.IDs),
		Router:  server.NewRouter(),
		Log:     slog.New(slog.DiscardHandler),
		Metrics: server.NewMetrics(prometheus.NewRegistry()),
		Features: func(h *server.Host) []*server.Feature {
			return []*server.Feature{New(h, Config{Services: services, Lifetime: 2 * time.Second})}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := make(client, 10)
	s, err := h.Bind(ctx, "romeo", "r", server.Replace, c, server.SessionInfo{})
	if err != nil {
		t.Fatal(err)
	}
	run, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.Run(run) }()
	defer func() {
		cancel()
		<-done
	}()
	q := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "get",
		ID:   "1",
		From: s.JID,
		To:   h.JID,
	}
	h.Sent(ctx, s, q.Add(wire.E(ns, "services")))
	first := (<-c).Element(ns, "services")
	if len(first.Elements()) != 3 {
		t.Fatalf("%d services", len(first.Elements()))
	}
	for typ, credentials := range map[string]bool{"stun": false, "turn": true, "ftp": true} {
		ask := &wire.Stanza{Kind: q.Kind, Name: q.Name, Type: "get", ID: typ, From: s.JID, To: h.JID}
		h.Sent(ctx, s, ask.Add(wire.E(ns, "credentials",
			wire.E(ns, "service").Set("type", typ).Set("host", "A.example"))))
		answer := (<-c).Element(ns, "credentials")
		if es := answer.Elements(); len(es) != 1 || (es[0].Attr("password") != "") != credentials {
			t.Errorf("credentials of %s: %v", typ, answer)
		}
	}
	push := <-c
	got := push.Element(ns, "services").Elements()
	if push.Type != "set" || len(got) != 1 || got[0].Attr("action") != "modify" || got[0].Attr("type") != "turn" ||
		got[0].Attr("password") == first.Elements()[1].Attr("password") {
		t.Errorf("%s %s", push.Type, push.Payload)
	}
}
