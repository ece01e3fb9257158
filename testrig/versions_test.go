package testrig_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/testrig"
	"parley/webchat"
)

// What a message was before is shown to its author and to moderators, and to nobody once it is taken back.
func TestVersions(t *testing.T) {
	r, _, g := verona(t, "juliet", "nurse", "paris")
	for _, name := range []string{"juliet", "nurse"} {
		addTo(t, r, g, name)
	}
	room := g.Room + "@groups." + testrig.Host
	romeo, juliet := newChatter(t, r, "romeo"), newChatter(t, r, "juliet")
	nurse, paris := newChatter(t, r, "nurse"), newChatter(t, r, "paris")
	versions := func(c *chatter, where, id string) string {
		t.Helper()
		var l webchat.Versions
		if status := c.do("GET", in(where, "/messages/", id, "/versions"), nil, &l); status >= 400 {
			return http.StatusText(status)
		}
		var all []string
		for i, v := range l.Versions {
			if i > 0 && !v.At.After(l.Versions[i-1].At) {
				t.Errorf("not in order: %+v", l.Versions)
			}
			all = append(all, v.Text)
		}
		return strings.Join(all, ", ")
	}
	for where, other := range map[string]string{room: room, "romeo@" + testrig.Host: "juliet@" + testrig.Host} {
		m := juliet.say(where, "one")
		theirs := romeo.fresh(other, "one")
		for _, text := range []string{"two", "/me says three"} {
			juliet.must("PUT", in(where, "/messages/", m.ID), map[string]string{"text": text}, nil)
		}
		const all = "one, two, /me says three"
		if got := versions(juliet, where, m.ID); got != all {
			t.Errorf("%s: the author sees %s", where, got)
		}
		want := all
		if where != room {
			want = "Forbidden"
		}
		if got := versions(romeo, other, theirs.ID); got != want {
			t.Errorf("%s: romeo sees %s", where, got)
		}
		if where == room {
			if got := versions(nurse, where, m.ID); got != "Forbidden" {
				t.Errorf("the nurse sees %s", got)
			}
			if got := versions(paris, where, m.ID); got != "Forbidden" && got != "Not Found" {
				t.Errorf("paris sees %s", got)
			}
		}
		juliet.must("DELETE", in(where, "/messages/", m.ID), nil, nil)
		if got := versions(juliet, where, m.ID); got != "" {
			t.Errorf("%s: of what is taken back the author sees %s", where, got)
		}
	}
}
