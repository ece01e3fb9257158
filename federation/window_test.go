package federation

import (
	"context"
	"testing"
	"time"

	"parley/wire"
)

// from makes a client's stream send a message through the site.
func (s *site) from(w *wire.Window, to, body string) {
	s.t.Helper()
	st := message("romeo@a.example/x", to, body)
	w.Begin(st)
	if err := s.router.Route(context.Background(), st); err != nil {
		s.t.Fatal(err)
	}
	w.End()
}

// finished waits until a client's stream has nothing under way.
func finished(t *testing.T, w *wire.Window, want uint32) {
	t.Helper()
	if !w.Finished(time.Now().Add(time.Minute)) || w.Handled() != want {
		t.Errorf("%d are handled, not %d", w.Handled(), want)
	}
}

// TestClientsCountWhatArrived: a client's stanza counts when the other server has acknowledged it,
// or when it came back.
func TestClientsCountWhatArrived(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	accept := called(t, ca, d, "b.example")
	var w wire.Window
	a.from(&w, "juliet@b.example", "one")
	x := accept("<sm xmlns='" + nsSM + "'/>")
	x.next()
	x.send("<enabled xmlns='%s'/>", nsSM)
	if st := x.next(); st.BodyText() != "one" {
		t.Fatalf("got %+v", st)
	}
	x.next()
	if h := w.Handled(); h != 0 {
		t.Errorf("%d are handled that nobody has acknowledged", h)
	}
	start := time.Now()
	x.send("<a xmlns='%s' h='1'/>", nsSM)
	finished(t, &w, 1)
	a.from(&w, "juliet@b.example", "two")
	x.next()
	x.nc.Close()
	if st := a.users["a.example"].next(t); st.ID != "id-two" || st.Type != "error" {
		t.Errorf("got %+v", st)
	}
	finished(t, &w, 2)
	if gone := time.Since(start); gone >= holdTime {
		t.Errorf("that took %v: nothing was settled but by time", gone)
	}
}

// holder is an entity with a queue of its own, as rooms are.
type holder chan *wire.Stanza

func (h holder) Receive(_ context.Context, st *wire.Stanza) error {
	st.Hold()
	h <- st
	return nil
}

// TestAcknowledgesWhatIsDealtWith: the other server gets an acknowledgement when the stanza's receiver has handled it.
func TestAcknowledgesWhatIsDealtWith(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	rooms := make(holder, 10)
	if err := b.router.Add("rooms.b.example", rooms); err != nil {
		t.Fatal(err)
	}
	d.point("xmpp-server", "rooms.b.example", b.addr)
	x := signedIn(t, ca, b)
	x.send("<enable xmlns='%s'/>", nsSM)
	x.next()
	for _, to := range []string{"juliet@b.example", "room@rooms.b.example", "juliet@b.example"} {
		x.send("<message from='romeo@a.example/x' to='%s'><body>x</body></message>", to)
	}
	ask := func(want string) {
		t.Helper()
		x.send("<r xmlns='%s'/>", nsSM)
		if st := x.next(); st.Name.Local != "a" || st.Attr("h") != want {
			t.Errorf("got %v %s, not %s", st.Name, st.Attr("h"), want)
		}
	}
	ask("1")
	(<-rooms).Receipt.Settle()
	ask("3")
}
