package serverinfo

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
)

// TestNames checks that a domain is named only if it publishes such information itself (section 6), and is asked only
// once a day.
func TestNames(t *testing.T) {
	ctx := t.Context()
	st, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	router, asked := server.NewRouter(), map[string]int{}
	host := func(domain string, features ...string) *server.Host {
		t.Helper()
		h, err := server.NewHost(server.HostConfig{
			Domain:  domain,
			Store:   st,
			IDs:     new(store.IDs),
			Router:  router,
			Log:     slog.New(slog.DiscardHandler),
			Metrics: server.NewMetrics(prometheus.NewRegistry()),
			Features: func(h *server.Host) []*server.Feature {
				return []*server.Feature{{Name: "disco", Disco: features, IQ: map[server.Query]server.IQFunc{
					{To: server.ToHost, Type: "get", Space: wire.NSDiscoInfo, Local: "query"}: func(context.Context,
						*server.Request) (*wire.Element, error) {
						asked[domain]++
						return h.Info().Element(""), nil
					},
				}}}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	a := host("a.example")
	host("b.example", ns)
	host("c.example")
	i := &info{h: a, known: make(map[string]opted), cfg: Config{Version: "1", Peers: func() []Peer {
		return []Peer{
			{"c.example", "outgoing"}, {"b.example", "outgoing"}, {"b.example", "incoming"}, {"b.example", "incoming"},
			{"gone.example", "bidi"},
		}
	}}}
	for range 2 {
		e := i.payload(ctx)
		want := "<serverinfo xmlns='urn:xmpp:serverinfo:0'><domain name='a.example'><federation>" +
			"<remote-domain name='b.example'><connection type='incoming'/>" +
			"<connection type='outgoing'/></remote-domain><remote-domain><connection type='outgoing'/>" +
			"</remote-domain><remote-domain><connection type='bidi'/></remote-domain>" +
			"</federation></domain><query xmlns='jabber:iq:version'><name>parley</name>" +
			"<version>1</version></query></serverinfo>"
		if got := string(e.AppendXML(nil, "")); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if asked["b.example"] != 1 || asked["c.example"] != 1 {
		t.Errorf("asked %v", asked)
	}
}
