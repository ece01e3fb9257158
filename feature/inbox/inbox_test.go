package inbox

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"parley/server"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

// TestMarkerOfWhoHasGone checks that a marker whose sender goes away is noted like others, and no error in the log.
func TestMarkerOfWhoHasGone(t *testing.T) {
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	var logged bytes.Buffer
	h := &server.Host{Domain: "example.org", Log: slog.New(slog.NewTextHandler(&logged, nil))}
	b := &Inbox{h: h, st: st}
	marker := &wire.Stanza{Kind: wire.Message, Type: "chat", To: jid.MustParse("juliet@example.org")}
	marker.Add(wire.E(nsMarkers, "displayed").Set("id", "a message that is not kept"))
	ctx, goes := context.WithCancel(t.Context())
	goes()
	if err := b.marker(ctx, &server.Pass{Host: h, Account: "romeo", Sent: true, Stanza: marker}); err != nil {
		t.Error(err)
	}
	if logged.Len() > 0 {
		t.Error(logged.String())
	}
}
