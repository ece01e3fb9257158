package testrig_test

import (
	"strings"
	"testing"

	"parley/config"
	"parley/testrig"
	"parley/webchat"
)

// The line that tells of a new theme has addresses for clients. The chat and the plain page show a way to the theme.
func TestNewThemeIsOpened(t *testing.T) {
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Web.URL = "https://chat.example.org"
	})
	r.Account("!romeo")
	b := r.Browser(t)
	b.SignIn("romeo")
	if p := b.Post("/groups/new", "name", "Verona", "kind", "private", "themes_by", "members"); p.Status != 303 {
		t.Fatal(p.Status, p.Text)
	}
	g, err := r.Node.Org.Group(t.Context(), testrig.Host, "verona")
	if err != nil {
		t.Fatal(err)
	}
	room := g.Room + "@groups." + testrig.Host
	romeo := newChatter(t, r, "romeo")
	var theme struct{ Key, Room string }
	romeo.must("POST", "/groups/verona/themes", map[string]any{"name": "Feast: now"}, &theme)
	m := romeo.message(room, func(m webchat.Message, fresh bool) bool { return strings.HasPrefix(m.Text, "New theme") })
	if m.Text != "New theme: Feast: now" || !strings.HasPrefix(m.Opens, g.Room+".") {
		t.Errorf("%+v", m)
	}
	if status := romeo.do("PUT", in(room, "/messages/", m.ID), map[string]any{"text": "x"}, nil); status < 400 {
		t.Errorf("the line can be edited: %d", status)
	}
	p := b.Get("/g/verona").Text
	if !strings.Contains(p, `New theme: Feast: now <a href="/g/verona/t/`+theme.Key+`">Open</a>`) ||
		strings.Contains(p, "xmpp:"+m.Opens) {
		t.Errorf("the page shows %s", between(p, `class="text"`))
	}
}
