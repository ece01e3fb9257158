package testrig_test

import (
	"strings"
	"testing"

	"parley/testrig"
	"parley/webchat"
)

// An organization forbids browsers to keep messages: the page, its headers and the list of conversations say so, and a
// browser that is open loads the list anew.
func TestBrowsersMayNotKeep(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo")
	romeo := newChatter(t, r, "romeo")
	is := func(may bool) {
		t.Helper()
		var l webchat.List
		romeo.must("GET", "/conversations", nil, &l)
		p := romeo.b.Get("/chat")
		header := p.Header.Get("Parley-Keeps")
		if l.Keeps != may || (header == "no") == may || strings.Contains(p.Text, `"keeps":true`) != may {
			t.Errorf("may keep: the list says %v, the header %q", l.Keeps, header)
		}
	}
	is(true)
	for _, may := range []string{"false", "true"} {
		if _, err := r.Node.Settings().Change(t.Context(), testrig.Host, "",
			map[string]*string{"chat.offline": &may}); err != nil {
			t.Fatal(err)
		}
		is(may == "true")
	}
}
