package pages

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/testrig"
	"parley/wire/jid"
)

// Opening a conversation costs the same for somebody in 3 groups and in 500: requests of the browser, statements of the
// database, and bytes.
func TestFrontCosts(t *testing.T) {
	const requests, statements, bytes = 2, 4, 60_000
	for _, groups := range []int{3, 500} {
		t.Run(fmt.Sprint(groups), func(t *testing.T) {
			s := newStage(t)
			for i := range groups - 1 {
				s.makeGroup(fmt.Sprintf("House %03d", i), romeo)
			}
			theme, err := s.Node.Org.CreateTheme(t.Context(), acts.System, testrig.Host, s.group.ID,
				org.NewTheme{Name: "Masque", Creator: jid.MustParse(romeo)})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 60 {
				s.tells(fmt.Sprintf("Line %d of a scene\nin which all that matters is said", i))
			}
			b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
			b.signIn("romeo")
			b.chat(s.roomOf(theme.Room))
			// These are asked for once, after the page is there.
			for _, once := range []string{"/me/sidebar", "/drafts", "/scheduled"} {
				b.untilf(`performance.getEntriesByType("resource").some(e => e.name.endsWith(%s))`, once)
			}
			b.run(`performance.clearResourceTimings(), true`)
			b.run(`__tree("Balcony").click(), true`)
			b.shows("Line 59")
			b.until(`document.querySelector(".tree .count") === null`) // read, and the server knows
			b.until(`performance.getEntriesByType("resource").some(e => e.name.endsWith("/read"))`)
			asked := eval[[]string](b, `performance.getEntriesByType("resource").map(e => e.name).filter(n => n.includes("/api/v1/"))`)
			if len(asked) > requests {
				t.Errorf("%d requests: %q", len(asked), asked)
			}
			w := s.Browser(t)
			w.SignIn("romeo")
			path := "/api/v1/conversations/" + url.PathEscape(s.room) + "/messages?limit=50"
			w.Get(path)
			// What else the server does meanwhile counts too: the least of a few is what it costs.
			cost, size := int64(1000), 0
			for range 5 {
				before := s.Node.Store.Asked()
				page := w.Get(path)
				cost, size = min(cost, s.Node.Store.Asked()-before), len(page.Text)
			}
			list := s.Node.Store.Asked()
			all := w.Get("/api/v1/conversations")
			list = s.Node.Store.Asked() - list
			t.Logf("with %d groups: %d requests, %d statements, %d bytes; the list: %d statements, %d bytes", groups,
				len(asked), cost, size, list, len(all.Text))
			if cost > statements || size > bytes {
				t.Errorf("%d statements, %d bytes", cost, size)
			}
		})
	}
}

// The page of a conversation has its browser load what the script asks for first beside the script, once.
func TestFrontLoadsAtOnce(t *testing.T) {
	s := newStage(t)
	s.tells("But soft")
	b := chatter(t, s.Node.Addr("websocket").String(), "en", "light")
	b.signIn("romeo")
	b.chat(s.room)
	b.shows("But soft")
	type entry struct {
		Name       string
		Start, End float64
	}
	all := eval[[]entry](b, `performance.getEntriesByType("resource")
		.map((e) => ({ Name: decodeURIComponent(e.name), Start: e.startTime, End: e.responseEnd }))`)
	find := func(end string) (found []entry) {
		for _, e := range all {
			if strings.HasSuffix(e.Name, end) {
				found = append(found, e)
			}
		}
		return found
	}
	script, one, page := find("/front.js"), find("/conversations/"+s.room), find("/messages?limit=50")
	if len(script) != 1 || len(one) != 1 || len(page) == 0 {
		t.Fatalf("loaded %v", all)
	}
	for _, e := range []entry{one[0], page[0]} {
		if e.Start > script[0].End {
			t.Errorf("%s is asked for after the script", e.Name)
		}
	}
}
